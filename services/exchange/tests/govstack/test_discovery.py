"""The metaservices in both of GovStack's vocabularies, as its programs read them."""

import json

import pytest

CONSUMER = "ID-BB/GOV/dinsos-pmd/bansos"
PROVIDER = "ID-BB/GOV/dp3acskb/kependudukan"
ENDPOINTS = {"member": [{"method": "GET", "path": "/residents/*"}]}
OF_DEFINITION = {"X-GovStack-Client": CONSUMER}
OF_TESTS = {"Information-Mediator-Client": CONSUMER}
PLACE = {"memberClass": "GOV", "memberCode": "dp3acskb", "applicationCode": "kependudukan"}
SERVICE = {"serviceType": "OPENAPI", "serviceCode": "penduduk", "endpointList": ENDPOINTS}


async def test_clients_are_listed_as_the_tests_and_as_the_definition_name_them(
    call, stranger, granted
):
    tested = await call("GET", "/govstack/listClients", stranger, headers=OF_TESTS)
    assert tested.headers["content-type"] == "application/json; charset=utf-8"
    assert tested.json()["member"][1] == {
        "objectType": {"object_type": "SUBSYSTEM"}, "GovStackInstance": "ID-BB", **PLACE
    }  # fmt: skip
    listed = await call("GET", "/govstack/listClients", stranger, headers=OF_DEFINITION)
    assert listed.json()["member"][1] == {
        "name": "dp3acskb",
        "id": {"objectType": "APPLICATION", "instanceId": "ID-BB", **PLACE},
    }


@pytest.mark.parametrize(("instance", "count"), [("ID-BB", 2), ("ID-JB", 0)])
async def test_of_another_instance_no_clients_are_known(call, stranger, granted, instance, count):
    asked = {"instanceId": instance}
    listed = await call("GET", "/govstack/listClients", stranger, params=asked)
    assert len(listed.json()["member"]) == count


@pytest.mark.parametrize("which", ["listMethods", "allowedMethods"])
async def test_methods_are_listed_in_both_vocabularies(call, consumer, granted, which):
    path = f"/govstack/{PROVIDER}/{which}"
    tested = (await call("GET", path, consumer)).json()
    assert tested == {
        "member": [
            {"objectType": {"object_type": "SERVICE"}, "GovStackInstance": "ID-BB"}
            | PLACE
            | SERVICE
        ]
    }
    listed = (await call("GET", path, consumer, headers=OF_DEFINITION)).json()
    assert listed == {
        "member": [{"objectType": "SERVICE", "instanceId": "ID-BB"} | PLACE | SERVICE]
    }
    other = await call("GET", path, consumer, params={"serviceId": "lain"})
    assert other.json() == {"member": []}


async def test_only_consumers_are_served_the_contract_and_as_a_text(
    call, consumer, stranger, granted
):
    path, asked = f"/govstack/{PROVIDER}/getOpenAPI", {"serviceCode": "penduduk"}
    answer = await call("GET", path, consumer, params=asked)
    assert json.loads(answer.json())["openapi"] == "3.1.0"
    assert (await call("GET", path, stranger, params=asked)).status_code == 403
    assert (await call("GET", path, params=asked)).status_code == 401


@pytest.mark.parametrize(
    ("path", "asked", "pointer"),
    [
        (f"{PROVIDER}/getOpenAPI", {}, "/serviceCode"),
        (f"{PROVIDER}/getOpenAPI", {"serviceCode": "_x"}, "/serviceCode"),
        ("ID-BB/GOV/_x/kependudukan/listMethods", {}, "/agency"),
    ],
)
async def test_malformed_input_is_400_with_the_field_named(
    call, consumer, granted, path, asked, pointer
):
    answer = await call("GET", f"/govstack/{path}", consumer, params=asked)
    assert (answer.status_code, answer.json()["status"]) == (400, 400)
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]

"""X-Road's metaservices in the shape its own clients read."""

import json

CONSUMER = "ID-BB/GOV/dinsos-pmd/bansos"
PROVIDER = "ID-BB/GOV/dp3acskb/kependudukan"
SERVICE = {
    "xroad_instance": "ID-BB",
    "member_class": "GOV",
    "member_code": "dp3acskb",
    "subsystem_code": "kependudukan",
    "service_code": "penduduk",
    "object_type": "SERVICE",
    "service_type": "OPENAPI",
}


async def test_clients_are_those_who_offer_and_those_who_agreed(call, stranger, granted):
    listed = (await call("GET", "/listClients", stranger)).json()["member"]
    assert [one["id"]["subsystem_code"] for one in listed] == ["bansos", "kependudukan"]
    assert listed[0]["id"] == {
        "object_type": "SUBSYSTEM",
        "xroad_instance": "ID-BB",
        "member_class": "GOV",
        "member_code": "dinsos-pmd",
        "subsystem_code": "bansos",
    }


async def test_of_another_instance_no_clients_are_known(call, stranger, granted):
    for instance, count in (("ID-BB", 2), ("ID-JB", 0)):
        asked = {"xRoadInstance": instance}
        listed = (await call("GET", "/listClients", stranger, params=asked)).json()
        assert len(listed["member"]) == count


async def test_methods_come_from_the_contract_and_allowed_ones_from_the_agreement(
    call, consumer, stranger, granted
):
    path = f"/r1/{PROVIDER}"
    listed = (await call("GET", f"{path}/listMethods", stranger)).json()
    assert listed == {
        "service": [SERVICE | {"endpoint_list": [{"method": "GET", "path": "/residents/*"}]}]
    }
    allowed = (await call("GET", f"{path}/allowedMethods", consumer)).json()
    assert allowed == listed
    assert (await call("GET", f"{path}/allowedMethods", stranger)).json() == {"service": []}
    assert (await call("GET", f"{path}/listMethods")).status_code == 401
    assert (await call("GET", "/r1/ID-BB/GOV/x/y/listMethods", stranger)).json() == {"service": []}


async def test_contract_is_served_to_consumers_with_the_gateways_address(
    call, consumer, provider, stranger, granted
):
    path = f"/r1/{PROVIDER}/getOpenAPI"
    asked = {"serviceCode": "penduduk"}
    for caller in (consumer, provider):
        answer = await call("GET", path, caller, params=asked)
        served = json.loads(answer.content)
        assert [one["url"] for one in served["servers"]] == [
            f"http://127.0.0.1:8800/r1/{PROVIDER}/penduduk"
        ]
    assert (await call("GET", path, stranger, params=asked)).status_code == 403
    unknown = await call("GET", path, consumer, params={"serviceCode": "lain"})
    assert unknown.status_code == 404
    assert (await call("GET", path, consumer)).status_code == 422

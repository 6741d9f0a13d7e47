"""Positions: established once by a decree, seen by everyone, for a time."""

import pytest


async def test_keeper_establishes_a_position_and_everyone_sees_it(call, position, facts):
    made = await position()
    assert (await call("GET", f"/v1/positions/{made['id']}")).json() == made
    params = {"agency": "diskominfo", "code": "kadis", "at": "2026-11-24T00:00:00Z"}
    assert (await call("GET", "/v1/positions", params=params)).json()["items"] == [made]
    params["at"] = "2015-11-24T00:00:00Z"
    assert (await call("GET", "/v1/positions", params=params)).json()["items"] == []
    kind, data = (await facts("identity.position."))[-1]
    assert (kind, data["code"]) == ("identity.position.established.v1", "kadis")
    assert (await call("GET", f"/v1/positions/{made['id'][:-4]}0000")).status_code == 404


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"code": "Kadis"}, 422),
        ({"kind": "raja"}, 422),
        ({"eselon": "V.c"}, 422),
        ({"title": "\x00"}, 422),
        ({"decree": ""}, 422),
        ({"valid_until": "2015-01-01T00:00:00Z"}, 422),
        ({"valid_from": "2015-01-01T00:00:00"}, 422),
        ({"valid_from": "0001-01-01T00:00:00+07:00"}, 422),
        ({"supervisor_id": "01999999-0000-7000-8000-000000000000"}, 422),
        ({"agency": "nope"}, 404),
        ({}, 409),
    ],
)
async def test_malformed_or_second_position_is_refused(call, keeper, position, change, status):
    made = await position()
    body = {name: made[name] for name in ("agency", "code", "title", "kind", "decree")}
    body["valid_from"] = made["valid_from"]
    answer = await call("POST", "/v1/positions", keeper, json=body | change)
    assert answer.status_code == status, answer.text


async def test_only_keepers_establish(call, own, position):
    made = await position()
    body = {name: made[name] for name in ("agency", "title", "kind", "decree", "valid_from")}
    answer = await call("POST", "/v1/positions", own, json=body | {"code": "x"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("agency", "title", "eselon"),
    [
        ("setda", "Sekretaris Daerah", "I.b"),
        ("setwan", "Sekretaris Dewan Perwakilan Rakyat Daerah", "II.a"),
        ("inspektorat", "Inspektur Daerah", "II.a"),
        ("dinkes", "Kepala Dinas Kesehatan", "II.a"),
        ("biro-hukum", "Kepala Biro Hukum", "II.b"),
    ],
)
async def test_heads_of_agencies_are_loaded_and_marked_as_inferred(
    call, loaded, agency, title, eselon
):
    page = (await call("GET", "/v1/positions", params={"agency": agency})).json()
    (head,) = page["items"]
    assert (head["title"], head["eselon"], head["source"]) == (title, eselon, "reference: inferred")


async def test_head_that_the_reference_does_not_tell_is_not_invented(call, loaded):
    for agency in ("satpol-pp", "bpbd", "banhub", "rsud-soekarno", "samsat-bangka"):
        page = (await call("GET", "/v1/positions", params={"agency": agency})).json()
        assert page["items"] == []

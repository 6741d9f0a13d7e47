"""Persons: one row for one NIK, which nobody reads again; found by body, deactivated with a reason."""

import asyncio
import hashlib
import hmac
import logging
from datetime import timedelta
from uuid import UUID

import pytest
from pydantic import SecretStr
from sebalai_identity.commands import OPERATOR
from sebalai_identity.desk import Desk
from sebalai_identity.keys.sealing import SealBroken
from sebalai_identity.persons import actions
from sebalai_identity.persons.actions import PersonKnown, PersonRegister
from sebalai_identity.revocations.actions import is_revoked
from sebalai_identity.vault import NumberVault
from sebalai_shared.caller import Caller
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.http import system
from sqlalchemy import text

NIK = "1971014101909902"
OTHER = "1971010101909901"


@pytest.fixture
def desk(clock):
    return Desk(OPERATOR, clock, NumberVault(b"s" * 32))


def human(person_id):
    return Caller(kind="person", subject=person_id)


async def test_keeper_registers_a_person_and_the_fact_holds_ids_alone(person, facts):
    made = await person()
    assert UUID(made["id"]).version == 7
    assert (made["nik_masked"], made["birth_date"]) == ("1971**********02", "1990-01-01")
    assert await facts("identity.person.") == [
        (
            "identity.person.registered.v1",
            {"person_id": made["id"], "assurance": 1, "by": "client-ID-BB/GOV/bkpsdmd/simpeg"},
        )
    ]


async def test_nik_lies_nowhere_in_the_clear(person, database, caplog):
    caplog.set_level(logging.DEBUG)
    made = await person()
    tables = ("person", "act", "outbox", "idempotency")
    async with database.transaction() as session:
        for table in tables:
            found = await session.scalars(text(f"SELECT t::text FROM {table} t"))  # noqa: S608
            rows = list(found)
            assert rows, table
            assert not [row for row in rows if NIK in row or NIK.encode().hex() in row]
    assert NIK not in str(made)
    assert NIK not in caplog.text


async def test_kept_digest_of_a_body_is_not_found_by_trying_numbers(call, keeper, database):
    body, path = f'{{"name":"Siti","nik":"{NIK}"}}'.encode(), "/v1/persons"
    headers = {"Content-Type": "application/json", "Idempotency-Key": "siti-1"}
    made = await call("POST", path, keeper, content=body, headers=headers)
    assert made.status_code == 201, made.text
    async with database.transaction() as session:
        kept = await session.scalar(text("SELECT fingerprint FROM idempotency"))
    named = f"POST {path}\n".encode() + body
    # Neither without a key, nor with the key that the caller chose and somebody guessed.
    guesses = (hashlib.sha256(named), hmac.new(b"siti-1", named, "sha256"))
    assert kept not in {guess.hexdigest() for guess in guesses}
    again = await call("POST", path, keeper, content=body, headers=headers)
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (made.json(), "true")


async def test_person_is_found_by_nik_in_the_body_and_the_search_is_an_act(call, keeper, person):
    made = await person()
    found = await call("POST", "/v1/persons/find", keeper, json={"nik": NIK})
    assert found.json() == made
    acts = (await call("GET", "/v1/acts", keeper, params={"subject": made["id"]})).json()["items"]
    assert [act["act"] for act in acts] == [
        "identity.person.registered.v1",
        "identity.person.looked-up",
    ]
    for unknown in (OTHER, "nonsense"):
        answer = await call("POST", "/v1/persons/find", keeper, json={"nik": unknown})
        assert answer.status_code == 404
        assert unknown not in answer.text


async def test_a_number_is_compared_with_a_persons_and_nothing_else_is_told(call, keeper, person):
    made = await person()
    asker = system("ID-BB/GOV/dpmptsp/perizinan", "identity.compare")
    path = f"/v1/persons/{made['id']}/nik/comparison"
    told = [await call("POST", path, asker, json={"nik": nik}) for nik in (NIK, OTHER, "nonsense")]
    assert [answer.json() for answer in told] == [{"is_same": one} for one in (True, False, False)]
    assert {answer.headers["cache-control"] for answer in told} == {"no-store"}
    auditor = system("ID-BB/GOV/inspektorat/audit", "identity.audit")
    acts = (await call("GET", "/v1/acts", auditor, params={"subject": made["id"]})).json()["items"]
    assert [act["act"] for act in acts].count("identity.person.compared") == 3
    unknown = f"/v1/persons/{uuid7()}/nik/comparison"
    assert (await call("POST", unknown, asker, json={"nik": NIK})).status_code == 404
    other = system("ID-BB/GOV/dinkes/puskesmas", "catalog.decide")
    assert (await call("POST", path, other, json={"nik": NIK})).status_code == 403
    assert (await call("POST", "/v1/persons/find", asker, json={"nik": NIK})).status_code == 403


async def test_second_person_with_one_nik_is_a_conflict_that_repeats_nothing(call, keeper, person):
    await person()
    answer = await call("POST", "/v1/persons", keeper, json={"name": "Lain", "nik": NIK})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:sebalai:problem:person-known")
    assert NIK not in answer.text


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"nik": "1971010101909900"[:15]}, "/nik"),
        ({"nik": "1971010101900000"}, "/nik"),
        ({"nik": OTHER, "birth_date": "1991-01-01"}, "/birth_date"),
        ({"nik": None}, "/valid_until"),
        ({"nik": None, "valid_until": "2020-01-01T00:00:00Z"}, "/valid_until"),
        ({"nik": None, "valid_until": "2030-01-01T00:00:00"}, "/valid_until"),
        ({"name": "\x00"}, "/name"),
        ({"name": " "}, "/name"),
        ({"assurance": 4}, "/assurance"),
        ({"role": "x"}, "/role"),
    ],
)
async def test_malformed_person_is_refused_with_the_field_and_without_the_value(
    call, keeper, change, pointer, facts
):
    answer = await call("POST", "/v1/persons", keeper, json={"name": "A", "nik": NIK} | change)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer
    for number in (NIK, change.get("nik")):
        assert not number or number not in answer.text
    assert await facts("identity.person.") == []


async def test_only_keepers_of_people_register_find_and_see(call, own, person, operator):
    made = await person()
    path = f"/v1/persons/{made['id']}"
    body = {"name": "A", "nik": OTHER}
    assert (await call("POST", "/v1/persons", own, json=body)).status_code == 403
    assert (await call("POST", "/v1/persons/find", own, json={"nik": NIK})).status_code == 403
    assert (
        await call("POST", f"{path}/deactivate", own, json={"reason": "xxx"})
    ).status_code == 403
    assert (await call("PATCH", path, own, json={"name": "B"})).status_code == 403
    assert (await call("GET", path, own)).status_code == 404
    assert (await call("GET", "/v1/persons", own)).json() == {"items": [], "next": None}
    for closed in ("/v1/persons", path, "/v1/acts"):
        assert (await call("GET", closed)).status_code == 401
    assert (await call("GET", path, operator)).status_code == 200


async def test_person_sees_their_own_row_and_no_other(call, person):
    mine = await person()
    other = await person(nik=OTHER)
    me = human(mine["id"])
    assert (await call("GET", f"/v1/persons/{mine['id']}", me)).json() == mine
    assert (await call("GET", f"/v1/persons/{other['id']}", me)).status_code == 404
    assert (await call("GET", "/v1/persons", me)).json()["items"] == [mine]
    # An application whose client id happened to equal a person's id is not that person.
    forged = Caller(kind="system", subject=mine["id"], agency="dinkes")
    assert (await call("GET", f"/v1/persons/{mine['id']}", forged)).status_code == 404


async def test_deactivated_person_is_not_active_until_reactivated(
    call, keeper, person, database, clock, facts
):
    made = await person()
    path = f"/v1/persons/{made['id']}"

    async def is_active():
        async with database.transaction() as session:
            known = await actions.get_person(session, UUID(made["id"]))
            return known.is_active(clock.now())

    assert await is_active()
    for _ in range(2):
        done = await call("POST", f"{path}/deactivate", keeper, json={"reason": "meninggal"})
        assert (done.json()["state"], done.json()["reason"]) == ("deactivated", "meninggal")
    assert not await is_active()
    async with database.transaction() as session:
        claims = {"sub": made["id"], "iat": int(clock.now().timestamp())}
        assert await is_revoked(session, claims)
    await call("POST", f"{path}/reactivate", keeper, json={"reason": "salah orang"})
    assert await is_active()
    kinds = [kind.split(".")[2] for kind, _ in await facts("identity.person.")]
    assert kinds == ["registered", "deactivated", "reactivated"]
    assert "meninggal" not in str(await facts())


async def test_sponsored_person_ends_by_itself(person, database, clock):
    until = clock.now() + timedelta(days=1)
    made = await person(nik=None, valid_until=until.isoformat())
    async with database.transaction() as session:
        known = await actions.get_person(session, UUID(made["id"]))
    assert known.is_active(until - timedelta(microseconds=1))
    assert not known.is_active(until)


async def test_change_names_its_fields_and_counts_versions(call, keeper, person, facts):
    made = await person()
    path = f"/v1/persons/{made['id']}"
    changed = (await call("PATCH", path, keeper, json={"name": "Siti B", "assurance": 2})).json()
    assert (changed["name"], changed["assurance"], changed["version"]) == ("Siti B", 2, 2)
    assert (await call("PATCH", path, keeper, json={"name": "Siti B"})).json() == changed
    kind, data = (await facts("identity.person."))[-1]
    assert (kind, data["fields"]) == ("identity.person.changed.v1", ["assurance", "name"])
    for body in ({"name": None}, {"valid_until": "2020-01-01T00:00:00Z"}):
        assert (await call("PATCH", path, keeper, json=body)).status_code == 422


async def test_pages_hold_every_person_once_and_filter_by_name_and_state(call, keeper, person):
    names = ["Adi", "Budi", "Citra"]
    made = [
        (await person(name=name, nik=f"19710101019099{number:02}"))["id"]
        for number, name in enumerate(names, 10)
    ]
    first = (await call("GET", "/v1/persons", keeper, params={"limit": 2})).json()
    rest = await call("GET", "/v1/persons", keeper, params={"cursor": first["next"]})
    assert [row["id"] for row in first["items"] + rest.json()["items"]] == made
    for params, count in (({"q": "udi"}, 1), ({"state": "deactivated"}, 0), ({"q": "%%"}, 0)):
        page = (await call("GET", "/v1/persons", keeper, params=params)).json()
        assert len(page["items"]) == count
    assert (
        await call("GET", "/v1/persons", keeper, params={"cursor": "WyJ4Il0"})
    ).status_code == 422


async def test_sealed_nik_moved_to_another_row_does_not_open(desk, database, person):
    mine, other = await person(), await person(nik=OTHER)
    async with database.transaction() as session:
        await session.execute(
            text(
                "UPDATE person SET nik_sealed = (SELECT nik_sealed FROM person WHERE id = :a) WHERE id = :b"
            ),
            {"a": mine["id"], "b": other["id"]},
        )
        row = await actions.show_person(session, caller=OPERATOR, person_id=UUID(other["id"]))
        with pytest.raises(SealBroken):
            actions.read_person(desk, row)


async def test_two_who_register_one_nik_at_once_make_one_person(committed, desk):
    async def register():
        wanted = PersonRegister(name="Race", nik=SecretStr(NIK))
        try:
            async with committed.transaction() as session:
                await actions.register_person(session, desk, wanted=wanted)
        except PersonKnown:
            return False
        return True

    try:
        assert sum(await asyncio.gather(*(register() for _ in range(4)))) == 1
        async with committed.transaction() as session:
            assert await actions.find_by_nik(session, desk, nik=NIK) is not None
    finally:
        async with committed.transaction() as session:
            await session.execute(text("TRUNCATE person, act, outbox CASCADE"))

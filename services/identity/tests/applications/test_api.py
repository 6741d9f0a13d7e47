"""Applications: registered by the operator, seen by their agency, suspended with a reason."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from joserfc.jwk import ECKey, RSAKey
from sebalai_identity.applications.actions import Authority, register_application
from sebalai_identity.applications.schema import ApplicationRegister
from sebalai_identity.commands import OPERATOR, load_reference
from sebalai_shared.pagination import encode_cursor
from sqlalchemy import text

IDENTIFIER = "ID-BB/GOV/dinsos-pmd/bansos"


async def rows(database, query):
    async with database.transaction() as session:
        return list(await session.execute(text(query)))


async def facts(database):
    query = """
    SELECT type, document->'data' AS data FROM outbox
    WHERE type LIKE 'identity.application.%' ORDER BY seq
    """
    return [tuple(row) for row in await rows(database, query)]


async def test_operator_registers_and_the_fact_is_told_once(
    call, operator, registered, wanted, database
):
    assert registered["identifier"] == IDENTIFIER
    assert UUID(registered["client_id"]).version == 7
    assert registered["scopes"] == ["bus.call", "exchange.manage"]
    assert registered["state"] == "active"
    again = await call(
        "POST", "/v1/applications", operator, json=wanted(scopes=["exchange.manage"])
    )
    assert again.json() == registered
    (fact,) = await facts(database)
    assert fact[0] == "identity.application.registered.v1"
    assert fact[1]["application"] == IDENTIFIER
    assert fact[1]["client_id"] == registered["client_id"]


async def test_registering_again_keeps_the_end_and_the_scopes_that_are_not_given(
    call, operator, loaded, wanted, clock, database
):
    until = (clock.now() + timedelta(days=30)).isoformat()
    body = wanted(scopes=["exchange.manage"], valid_until=until)
    first = (await call("POST", "/v1/applications", operator, json=body)).json()
    again = await call("POST", "/v1/applications", operator, json=wanted())
    assert again.json() == first
    assert first["valid_until"] is not None
    endless = await call("POST", "/v1/applications", operator, json=wanted(valid_until=None))
    assert endless.json()["valid_until"] is None
    assert [kind for kind, _ in await facts(database)] == ["identity.application.registered.v1"]


async def test_changed_scopes_are_told_once_with_ids_and_codes_only(
    call, operator, registered, wanted, database
):
    for _ in range(2):
        answer = await call(
            "POST", "/v1/applications", operator, json=wanted(scopes=["archive.write"])
        )
        assert answer.json()["scopes"] == ["archive.write", "bus.call"]
    _, (kind, data) = await facts(database)
    assert kind == "identity.application.changed.v1"
    assert data == {
        "application_id": registered["id"],
        "application": IDENTIFIER,
        "agency": "dinsos-pmd",
        "client_id": registered["client_id"],
        "scopes": ["archive.write", "bus.call"],
        "by": operator.subject,
    }


async def test_every_act_on_an_application_is_in_the_audit_trail_with_who_did_it(
    call, operator, registered, wanted, clock
):
    other = ECKey.generate_key("P-256").as_dict(private=False)
    soon = (clock.now() + timedelta(minutes=10)).isoformat()
    for body in (
        wanted(),
        wanted(public_key=other),
        wanted(public_key=other, key_valid_until=soon),
        wanted(public_key=other, key_valid_until=soon),
        wanted(scopes=["archive.write"]),
    ):
        assert (await call("POST", "/v1/applications", operator, json=body)).status_code == 201
    path = f"/v1/applications/{registered['id']}/suspend"
    await call("POST", path, operator, json={"reason": "kunci bocor"})
    acts = (await call("GET", "/v1/acts", operator, params={"subject": IDENTIFIER})).json()["items"]
    assert {act["actor"] for act in acts} == {operator.subject}
    assert [act["act"].split(".")[2] for act in acts] == [
        "registered",
        "keyed",
        "keyed",
        "changed",
        "suspended",
    ]


async def test_new_key_and_its_end_are_told_by_its_thumbprint(
    call, operator, registered, wanted, clock, database
):
    new = ECKey.generate_key("P-256")
    soon = (clock.now() + timedelta(minutes=10)).isoformat()
    for more in ({}, {"key_valid_until": soon}):
        body = wanted(public_key=new.as_dict(private=False), **more)
        await call("POST", "/v1/applications", operator, json=body)
    told = [
        (kind, data["thumbprint"], data["valid_until"])
        for kind, data in (await facts(database))[1:]
    ]
    kind, thumbprint = "identity.application.keyed.v1", new.thumbprint()
    assert told == [(kind, thumbprint, None), (kind, thumbprint, soon)]


async def test_same_idempotency_key_gets_the_first_answer(call, operator, loaded, wanted):
    headers = {"Idempotency-Key": "once"}
    first = await call("POST", "/v1/applications", operator, json=wanted(), headers=headers)
    again = await call("POST", "/v1/applications", operator, json=wanted(), headers=headers)
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"


async def test_new_key_of_a_known_application_is_added_and_the_old_one_still_signs(
    call, operator, registered, wanted, client
):
    new = ECKey.generate_key("P-256")
    body = wanted(public_key=new.as_dict(private=False) | {"kid": "second"})
    answer = await call("POST", "/v1/applications", operator, json=body)
    assert answer.json()["client_id"] == registered["client_id"]
    for key, header in ((client.key, {}), (new, {"kid": "second"})):
        form = client.form(client.assertion(header=header, key=key))
        assert (await client.send(form)).status_code == 200


async def test_ended_key_signs_no_more(call, operator, loaded, wanted, clock, client):
    new = ECKey.generate_key("P-256")
    until = (clock.now() + timedelta(hours=1)).isoformat()
    body = wanted(public_key=new.as_dict(private=False), key_valid_until=until)
    assert (await call("POST", "/v1/applications", operator, json=body)).status_code == 201
    assert (await client.send(client.form(client.assertion(key=new)))).status_code == 200
    clock.move(timedelta(hours=1))
    assert (await client.send(client.form(client.assertion(key=new)))).status_code == 401


async def test_known_key_ends_when_its_registration_says_so(
    call, operator, registered, wanted, clock, client
):
    soon = (clock.now() + timedelta(minutes=10)).isoformat()
    body = wanted(key_valid_until=soon)
    assert (await call("POST", "/v1/applications", operator, json=body)).status_code == 201
    # Registering without an end neither takes the end away nor moves it.
    assert (await call("POST", "/v1/applications", operator, json=wanted())).status_code == 201
    assert (await client.send(client.form())).status_code == 200
    clock.move(timedelta(minutes=10))
    assert (await client.send(client.form())).status_code == 401


async def test_end_of_a_known_key_is_the_one_asked_for_last(
    call, operator, registered, wanted, clock, client
):
    for minutes in (10, 20):
        until = (clock.now() + timedelta(minutes=minutes)).isoformat()
        body = wanted(key_valid_until=until)
        assert (await call("POST", "/v1/applications", operator, json=body)).status_code == 201
    clock.move(timedelta(minutes=19))
    assert (await client.send(client.form())).status_code == 200
    clock.move(timedelta(minutes=1))
    assert (await client.send(client.form())).status_code == 401


async def test_ended_key_is_not_brought_back_by_registering_it_again(
    call, operator, registered, wanted, clock, client
):
    soon = (clock.now() + timedelta(minutes=10)).isoformat()
    await call("POST", "/v1/applications", operator, json=wanted(key_valid_until=soon))
    clock.move(timedelta(minutes=10))
    later = (clock.now() + timedelta(days=1)).isoformat()
    body = wanted(key_valid_until=later)
    answer = await call("POST", "/v1/applications", operator, json=body)
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:sebalai:problem:application-key-ended"
    assert (await client.send(client.form())).status_code == 401


async def test_application_has_at_most_ten_keys(call, operator, registered, wanted):
    for number in range(10):
        public = ECKey.generate_key("P-256").as_dict(private=False)
        answer = await call("POST", "/v1/applications", operator, json=wanted(public_key=public))
        assert answer.status_code == (201 if number < 9 else 409)
    assert answer.json()["type"] == "urn:sebalai:problem:application-keys-full"


async def test_only_the_operator_registers_and_suspends(
    call, own, stranger, loaded, wanted, database
):
    for caller, status in ((None, 401), (own, 403), (stranger, 403)):
        answer = await call("POST", "/v1/applications", caller, json=wanted())
        assert answer.status_code == status
    assert await facts(database) == []


async def test_agency_sees_its_own_and_the_operator_sees_all(
    call, own, stranger, operator, registered
):
    for caller, seen in ((own, [registered]), (operator, [registered]), (stranger, [])):
        page = (await call("GET", "/v1/applications", caller)).json()
        assert page == {"items": seen, "next": None}
    assert (await call("GET", "/v1/applications")).status_code == 401


async def test_suspending_is_for_the_operator_and_hides_what_is_not_ones_own(
    call, own, stranger, operator, registered, database
):
    path = f"/v1/applications/{registered['id']}/suspend"
    body = {"reason": "kunci bocor"}
    assert (await call("POST", path, stranger, json=body)).status_code == 404
    assert (await call("POST", path, own, json=body)).status_code == 403
    for _ in range(2):
        done = (await call("POST", path, operator, json=body)).json()
        assert (done["state"], done["reason"]) == ("suspended", "kunci bocor")
    kinds = [kind for kind, _ in await facts(database)]
    assert kinds == ["identity.application.registered.v1", "identity.application.suspended.v1"]


async def test_operator_alone_resumes_what_was_suspended(
    call, own, operator, registered, database, client
):
    path = f"/v1/applications/{registered['id']}"
    suspended = await call("POST", f"{path}/suspend", operator, json={"reason": "kunci bocor"})
    assert suspended.status_code == 200
    assert (await client.send(client.form())).status_code == 401
    assert (await call("POST", f"{path}/resume", own)).status_code == 403
    for _ in range(2):
        done = (await call("POST", f"{path}/resume", operator)).json()
        assert (done["state"], done["reason"]) == ("active", None)
    assert (await client.send(client.form())).status_code == 200
    kinds = [kind for kind, _ in await facts(database)]
    assert kinds[1:] == ["identity.application.suspended.v1", "identity.application.resumed.v1"]


async def test_control_character_is_refused_in_a_reason_and_in_a_cursor(call, operator, registered):
    path = f"/v1/applications/{registered['id']}/suspend"
    for reason in ("kunci\x00bocor", "\x00\x00\x00"):
        answer = await call("POST", path, operator, json={"reason": reason})
        assert answer.status_code == 422, answer.text
    params = {"cursor": encode_cursor(["ID-BB\x00"])}
    assert (await call("GET", "/v1/applications", operator, params=params)).status_code == 422
    (shown,) = (await call("GET", "/v1/applications", operator)).json()["items"]
    assert shown["state"] == "active"


PRIVATE = ECKey.generate_key("P-256")
PUBLIC = PRIVATE.as_dict(private=False)


@pytest.mark.parametrize(
    "public_key",
    [
        PRIVATE.as_dict(private=True),
        RSAKey.generate_key(2048).as_dict(private=False),
        ECKey.generate_key("P-384").as_dict(private=False),
        PUBLIC | {"x": "A" * 43},
        PUBLIC | {"x": "short"},
        PUBLIC | {"alg": "ES512"},
        PUBLIC | {"kid": ""},
        PUBLIC | {"kid": "a\x00b"},
        {"kty": "oct", "k": "c2VjcmV0"},
        "text",
    ],
)
async def test_key_that_is_not_public_on_p256_is_refused_and_not_repeated(
    call, operator, loaded, wanted, public_key
):
    answer = await call("POST", "/v1/applications", operator, json=wanted(public_key=public_key))
    assert answer.status_code == 422
    assert PRIVATE.as_dict(private=True)["d"] not in answer.text


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": "Bansos"}, 422),
        ({"name": "a" * 41}, 422),
        ({"scopes": ["root"]}, 422),
        ({"valid_until": "2020-01-01T00:00:00Z"}, 422),
        ({"key_valid_until": "2020-01-01T00:00:00Z"}, 422),
        ({"valid_until": "2030-01-01T00:00:00"}, 422),
        ({"owner": "x"}, 422),
        ({"agency": "nope"}, 404),
    ],
)
async def test_malformed_registration_is_refused(call, operator, loaded, wanted, change, status):
    answer = await call("POST", "/v1/applications", operator, json=wanted(**change))
    assert answer.status_code == status, answer.text


async def test_two_who_register_one_name_at_once_make_one_application(committed, folder, clock):
    authority = Authority(OPERATOR, clock, "ID-BB")
    async with committed.transaction() as session:
        await load_reference(session, folder)

    async def register():
        public = ECKey.generate_key("P-256").as_dict(private=False)
        wanted = ApplicationRegister(agency="dinkes", name="race", public_key=public)
        async with committed.transaction() as session:
            return (await register_application(session, authority, wanted=wanted)).client_id

    try:
        assert len(set(await asyncio.gather(*(register() for _ in range(4))))) == 1
        assert len(await rows(committed, "SELECT 1 FROM application_key")) == 4
    finally:
        async with committed.transaction() as session:
            await session.execute(
                text(
                    "TRUNCATE agency, region, affair, civil_service_rank, application, "
                    "application_key, act, outbox CASCADE"
                )
            )

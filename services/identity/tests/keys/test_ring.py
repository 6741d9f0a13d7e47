"""The signing ring: made once, rotated, sealed; its private halves never leave."""

import asyncio
import base64
import json
from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from sebalai_identity.app import identity_app
from sebalai_identity.keys.actions import (
    PUBLISHED_FOR,
    RETIRING_FOR,
    ROTATE_AFTER,
    KeyUnknown,
    NextKeyTooYoung,
    Ring,
)
from sebalai_identity.keys.sealing import SealBroken, Sealer
from sqlalchemy import text

SEALER = Sealer(b"s" * 32)
EMPTY = "TRUNCATE signing_key, outbox; UPDATE key_ring SET version = 0"


async def states(database):
    async with database.transaction() as session:
        found = await session.execute(
            text("SELECT kid, state FROM signing_key ORDER BY created_at")
        )
        return {row.kid: row.state for row in found}


async def in_session(database, work):
    async with database.transaction() as session:
        return await work(session)


async def test_first_need_makes_an_active_and_a_waiting_key(call, database):
    answer = await call("GET", "/oauth/jwks")
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert sorted((await states(database)).values()) == ["active", "next"]
    for key in answer.json()["keys"]:
        assert set(key) == {"kty", "crv", "x", "y", "kid", "alg", "use"}
        assert (key["crv"], key["alg"], key["use"]) == ("P-256", "ES256", "sig")
    assert len(KeySet.import_key_set(answer.json()).keys) == 2


async def test_jwks_is_not_sent_again_to_whoever_has_it(call):
    first = await call("GET", "/oauth/jwks")
    headers = {"If-None-Match": f'"other", W/{first.headers["ETag"]}'}
    again = await call("GET", "/oauth/jwks", headers=headers)
    assert (again.status_code, again.content) == (304, b"")


async def test_gateway_alone_reads_the_snapshot_and_only_when_newer(call, gateway, operator):
    assert (await call("GET", "/internal/keys")).status_code == 403
    assert (await call("GET", "/internal/keys", operator)).status_code == 403
    first = (await call("GET", "/internal/keys", gateway)).json()
    assert first["version"] == 1
    assert first["keys"] == (await call("GET", "/oauth/jwks")).json()["keys"]
    same = await call("GET", "/internal/keys", gateway, params={"after": 1})
    assert (same.status_code, same.content) == (304, b"")
    assert (await call("GET", "/internal/keys", gateway, params={"after": -1})).status_code == 422


async def test_rotation_promotes_the_published_key_and_keeps_the_old_one_readable(
    call, client, database, clock, gateway
):
    old = (await client.send(client.form())).json()["access_token"]
    before = await states(database)
    ring = call.app.state.ring
    clock.move(PUBLISHED_FOR)
    kid = await in_session(database, ring.rotate)
    assert before[kid] == "next"
    after = await states(database)
    assert sorted(after.values()) == ["active", "next", "retiring"]
    new = (await client.send(client.form())).json()["access_token"]
    kids = [json.loads(base64.urlsafe_b64decode(t.split(".")[0] + "=="))["kid"] for t in (old, new)]
    assert [after[one] for one in kids] == ["retiring", "active"]
    snapshot = (await call("GET", "/internal/keys", gateway, params={"after": 1})).json()
    assert snapshot["version"] == 2
    assert {key["kid"] for key in snapshot["keys"]} == set(after)
    async with database.transaction() as session:
        data = await session.scalar(
            text("SELECT document->'data' FROM outbox WHERE type = 'identity.key.rotated.v1'")
        )
    assert data == {"kid": kid, "previous": kids[0], "version": 2}


async def test_key_that_gateways_may_not_know_yet_does_not_sign(database, clock):
    ring = Ring(SEALER, clock)
    await in_session(database, ring.rotate)
    before = await states(database)
    for wait in (timedelta(0), PUBLISHED_FOR - timedelta(seconds=1)):
        clock.move(wait)
        with pytest.raises(NextKeyTooYoung, match="08:15"):
            await in_session(database, ring.rotate)
        assert await states(database) == before
    clock.move(timedelta(seconds=1))
    kid = await in_session(database, ring.rotate)
    assert before[kid] == "next"


async def test_daily_job_rotates_an_old_key_and_retires_what_signed_long_ago(database, clock):
    ring = Ring(SEALER, clock)
    await in_session(database, ring.snapshot)
    await in_session(database, ring.keep_fresh)
    assert sorted((await states(database)).values()) == ["active", "next"]
    clock.move(ROTATE_AFTER)
    await in_session(database, ring.keep_fresh)
    assert sorted((await states(database)).values()) == ["active", "next", "retiring"]
    clock.move(RETIRING_FOR - timedelta(seconds=1))
    await in_session(database, ring.keep_fresh)
    assert (await in_session(database, ring.snapshot)).version == 2
    clock.move(timedelta(seconds=1))
    await in_session(database, ring.keep_fresh)
    assert sorted((await states(database)).values()) == ["active", "next", "retired"]
    snapshot = await in_session(database, ring.snapshot)
    assert (snapshot.version, len(snapshot.keys)) == (3, 2)


async def test_processes_that_need_the_first_key_at_once_make_one(committed, clock):
    try:
        found = await asyncio.gather(
            *(in_session(committed, Ring(SEALER, clock).snapshot) for _ in range(5))
        )
        assert len({snapshot.version for snapshot in found}) == 1
        assert sorted((await states(committed)).values()) == ["active", "next"]
    finally:
        async with committed.transaction() as session:
            for statement in EMPTY.split(";"):
                await session.execute(text(statement))


async def test_private_halves_appear_in_no_answer_and_no_row_in_clear(
    call, client, database, gateway, operator
):
    answers = [await client.send(client.form())]
    answers += [
        await call("GET", path, gateway)
        for path in ("/oauth/jwks", "/internal/keys", "/metrics", "/openapi.json")
    ]
    answers.append(await call("GET", "/v1/applications", operator))
    async with database.transaction() as session:
        rows = (
            await session.execute(text("SELECT kid, sealed, jwk::text AS jwk FROM signing_key"))
        ).all()
        events = await session.scalars(text("SELECT document::text FROM outbox"))
    told = "".join([answer.text for answer in answers] + list(events) + [row.jwk for row in rows])
    assert len(rows) == 2
    for row in rows:
        secret = json.loads(SEALER.open(row.sealed, row.kid))["d"]
        assert secret not in told
        assert secret.encode() not in row.sealed


async def test_without_a_sealing_key_the_server_says_what_is_missing(
    settings, database, clock, call
):
    bare = identity_app(settings.model_copy(update={"sealing_key_file": None}), database, clock)
    call.client._transport.app = bare
    answer = await call("GET", "/oauth/jwks")
    assert answer.status_code == 503
    assert "SEBALAI_SEALING_KEY_FILE" in answer.json()["detail"]


def test_sealed_content_opens_only_with_its_key_and_name():
    sealed = SEALER.seal(b"secret", "k1")
    assert SEALER.open(sealed, "k1") == b"secret"
    for sealer, name, content in (
        (Sealer(b"t" * 32), "k1", sealed),
        (SEALER, "k2", sealed),
        (SEALER, "k1", sealed[:-1] + bytes([sealed[-1] ^ 1])),
    ):
        with pytest.raises(SealBroken):
            sealer.open(content, name)


def test_short_sealing_key_is_refused(tmp_path):
    path = tmp_path / "short.key"
    path.write_text("c2hvcnQ", encoding="ascii")
    with pytest.raises(ValueError, match="32 random bytes"):
        Sealer.from_file(path)


async def test_compromised_key_leaves_at_once_and_its_tokens_are_revoked(
    call, client, database, gateway
):
    old = (await client.send(client.form())).json()["access_token"]
    kid = json.loads(base64.urlsafe_b64decode(old.split(".")[0] + "=="))["kid"]
    ring = call.app.state.ring
    signing = await in_session(database, lambda session: ring.compromise(session, kid))
    found = await states(database)
    assert (found[kid], found[signing]) == ("compromised", "active")
    assert sorted(found.values()) == ["active", "compromised", "next"]
    named = {key["kid"] for key in (await call("GET", "/oauth/jwks")).json()["keys"]}
    assert named == set(found) - {kid}
    feed = (await call("GET", "/internal/revocations", gateway)).json()
    assert [entry[0] for entry in feed["entries"]] == [f"kid.{kid}"]
    with pytest.raises(KeyUnknown):
        await in_session(database, lambda session: ring.compromise(session, kid))


async def test_waiting_key_that_leaked_never_signs(call, database):
    await call("GET", "/oauth/jwks")
    before = await states(database)
    kid = next(kid for kid, state in before.items() if state == "next")
    ring = call.app.state.ring
    signing = await in_session(database, lambda session: ring.compromise(session, kid))
    found = await states(database)
    assert before[signing] == found[signing] == "active"
    assert sorted(found.values()) == ["active", "compromised", "next"]


async def test_retired_key_that_leaked_proves_nothing_any_more(call, database, clock):
    ring = call.app.state.ring
    hint = await in_session(database, lambda s: ring.sign(s, {"a": 1}, "JWT"))
    (kid,) = [kid for kid, state in (await states(database)).items() if state == "active"]
    clock.move(ROTATE_AFTER)
    await in_session(database, ring.keep_fresh)
    clock.move(RETIRING_FOR)
    await in_session(database, ring.keep_fresh)
    assert (await states(database))[kid] == "retired"
    assert await in_session(database, lambda s: ring.verify(s, hint)) == {"a": 1}
    signing = await in_session(database, lambda s: ring.compromise(s, kid))
    assert (await states(database))[signing] == "active"
    assert await in_session(database, lambda s: ring.verify(s, hint)) is None


async def test_rsa_keys_are_made_at_their_first_need_and_rotate_by_themselves(
    call, database, clock
):
    ring = call.app.state.ring
    signed = await in_session(database, lambda s: ring.sign(s, {"a": 1}, "JWT", "RS256"))
    keys = KeySet.import_key_set((await call("GET", "/oauth/jwks")).json())
    assert jwt.decode(signed, keys, algorithms=["RS256"]).claims == {"a": 1}
    assert len(keys.keys) == 4
    clock.move(ROTATE_AFTER)
    await in_session(database, ring.keep_fresh)
    assert sorted((await states(database)).values()) == [
        "active",
        "active",
        "next",
        "next",
        "retiring",
        "retiring",
    ]

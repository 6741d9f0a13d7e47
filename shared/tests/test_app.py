"""The factory's behaviour, seen over HTTP in process."""

import asyncio
import hashlib
from datetime import timedelta
from typing import Annotated
from uuid import UUID

import pytest
from fastapi import APIRouter, Query
from pydantic import BaseModel
from sebalai_shared import health
from sebalai_shared.app import BODY_BYTES_LIMIT, Member, create_app
from sebalai_shared.caller import HEADER, GatewayAccess, IdentifiedAccess, PublicAccess
from sebalai_shared.clock import SystemClock
from sebalai_shared.database import Database, Transaction
from sebalai_shared.idempotency import Idempotent
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import NotFound, responses
from sebalai_shared.testing.clock import FixedClock
from sebalai_shared.testing.http import Asserter, in_process, system
from sqlalchemy import text

BANSOS = system("ID-BB/GOV/dinsos-pmd/bansos")
JSON_BODY = {"content-type": "application/json"}


class Thing(BaseModel):
    id: UUID
    name: str


class ThingCreate(BaseModel):
    name: str


def sample_router():
    router = APIRouter(tags=["things"])

    @router.get("/v1/whoami")
    async def whoami(caller: PublicAccess) -> str:
        return caller.application or caller.kind

    @router.get("/v1/mine")
    async def mine(caller: IdentifiedAccess) -> str:
        return str(caller.agency)

    @router.get("/internal/x")
    async def internal(caller: GatewayAccess) -> str:
        return caller.kind

    @router.get("/v1/things/{name}", responses=responses(NotFound))
    async def thing(name: str, limit: Annotated[int, Query(ge=1)] = 1) -> str:
        raise NotFound(f"No thing called {name}.")

    @router.get("/v1/broken")
    async def broken() -> str:
        raise RuntimeError("secret inside")

    @router.post("/v1/things", status_code=201)
    async def create(body: ThingCreate, session: Transaction, once: Idempotent) -> Thing:
        async def make() -> Thing:
            made = Thing(id=uuid7(), name=body.name)
            await session.execute(
                text("INSERT INTO thing VALUES (:id, :name)"), {"id": made.id, "name": made.name}
            )
            return made

        return await once.answer(session, Thing, make)

    return router


@pytest.fixture
async def app(settings, database):
    return create_app(settings, Member("sample", "Sample", [sample_router()]), database=database)


@pytest.fixture
async def http(app):
    async with in_process(app) as client:
        yield client


async def test_applications_serve_their_routers_own_routes_and_make_none_of_their_own(settings):
    """`include_router` made each route again at the first request: a fifth of a second with the
    catalogue's hundred, in every process and every test.
    """
    router = sample_router()
    member = Member("sample", "Sample", [router])
    for app in (create_app(settings, member), create_app(settings, member)):
        assert [route for route in app.routes if route in router.routes] == list(router.routes)
        document = app.openapi()
    assert document["paths"]["/v1/whoami"]["get"]["operationId"] == "things_whoami"


async def test_nobody_is_anonymous_and_the_gateway_says_who(http, asserter):
    assert (await http.get("/v1/whoami")).json() == "anonymous"
    headers = asserter.headers(BANSOS, "sample")
    assert (await http.get("/v1/whoami", headers=headers)).json() == BANSOS.application


async def test_a_forged_assertion_is_refused_and_not_downgraded(http):
    answer = await http.get("/v1/whoami", headers=Asserter().headers(BANSOS, "sample"))
    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:sebalai:problem:caller-assertion-invalid"


@pytest.mark.parametrize("audience", ["archive", "sample2"])
async def test_an_assertion_for_another_member_is_refused(http, asserter, audience):
    answer = await http.get("/v1/whoami", headers=asserter.headers(BANSOS, audience))
    assert answer.status_code == 401


async def test_an_old_assertion_is_refused(http, asserter):
    clock = FixedClock(SystemClock().now() - timedelta(minutes=2))
    old = Asserter(clock)
    old._signer._key = asserter.key
    answer = await http.get("/v1/whoami", headers=old.headers(BANSOS, "sample"))
    assert answer.status_code == 401


async def test_garbage_as_an_assertion_is_refused(http):
    assert (await http.get("/v1/whoami", headers={HEADER: "a.b.c"})).status_code == 401


async def test_an_anonymous_caller_is_asked_who_it_is(http):
    answer = await http.get("/v1/mine")
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")


async def test_a_system_may_not_read_what_is_the_gateways_alone(http, asserter):
    headers = asserter.headers(BANSOS, "sample")
    assert (await http.get("/internal/x", headers=headers)).status_code == 403


async def test_a_problem_names_its_type_and_the_trace(http):
    answer = await http.get(
        "/v1/things/tin", headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    )
    assert answer.status_code == 404
    assert answer.json()["trace_id"] == answer.headers["sebalai-trace"] == "a" * 32


async def test_malformed_input_names_the_field_and_not_the_value(http):
    answer = await http.get("/v1/things/tin?limit=1971010101909901x")
    body = answer.json()
    assert (answer.status_code, body["errors"][0]["pointer"]) == (422, "/limit")
    assert "1971010101909901" not in answer.text


async def test_an_unexpected_fault_tells_no_secret(http):
    answer = await http.get("/v1/broken")
    assert answer.status_code == 500
    assert "secret" not in answer.text


async def test_unknown_paths_and_methods_are_problems_too(http):
    assert (await http.get("/nothing")).json()["type"].endswith("not-found")
    assert (await http.delete("/v1/whoami")).status_code == 405


async def test_a_body_over_the_limit_is_refused_declared_or_counted(http, asserter):
    headers = asserter.headers(BANSOS, "sample") | {"idempotency-key": "k"}
    big = b"x" * (BODY_BYTES_LIMIT + 1)
    declared = await http.post("/v1/things", content=big, headers=headers)
    assert declared.status_code == 413

    async def chunks():
        for _ in range(40):
            yield b"x" * (BODY_BYTES_LIMIT // 20)

    counted = await http.post("/v1/things", content=chunks(), headers=headers)
    assert counted.status_code == 413


async def test_the_same_key_gives_the_first_answer_again(http, asserter, database):
    headers = asserter.headers(BANSOS, "sample") | {"idempotency-key": str(uuid7())}
    body = {"name": str(uuid7())}
    first = await http.post("/v1/things", json=body, headers=headers)
    again = await http.post("/v1/things", json=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"


async def test_the_same_key_for_another_body_is_refused(http, asserter):
    headers = asserter.headers(BANSOS, "sample") | {"idempotency-key": str(uuid7())}
    await http.post("/v1/things", json={"name": str(uuid7())}, headers=headers)
    other = await http.post("/v1/things", json={"name": str(uuid7())}, headers=headers)
    assert other.json()["type"].endswith("idempotency-key-reused")


async def test_twenty_retries_at_once_create_one_thing(http, asserter, database):
    headers = asserter.headers(BANSOS, "sample") | {"idempotency-key": str(uuid7())}
    body = {"name": str(uuid7())}
    answers = await asyncio.gather(
        *(http.post("/v1/things", json=body, headers=headers) for _ in range(20))
    )
    assert {answer.json()["id"] for answer in answers} == {answers[0].json()["id"]}
    assert {answer.status_code for answer in answers} == {201}


async def test_a_missing_idempotency_key_is_named(http, asserter):
    answer = await http.post(
        "/v1/things", json={"name": "x"}, headers=asserter.headers(BANSOS, "sample")
    )
    assert answer.json()["errors"][0]["pointer"] == "/idempotency-key"


async def test_a_failed_request_leaves_nothing_behind(http, asserter, database):
    headers = asserter.headers(BANSOS, "sample")
    name = str(uuid7())
    first = await http.post(
        "/v1/things", json={"name": name}, headers=headers | {"idempotency-key": str(uuid7())}
    )
    kept = await _kept(database)
    failed = await http.post(
        "/v1/things", json={"name": name}, headers=headers | {"idempotency-key": str(uuid7())}
    )
    assert (first.status_code, failed.status_code) == (201, 500)
    assert kept
    assert await _kept(database) == kept


async def _kept(database):
    async with database.transaction() as session:
        return sorted(await session.scalars(text("SELECT i::text FROM idempotency i")))


async def test_who_reads_the_table_of_keys_can_try_out_neither_key_nor_body(
    app, http, asserter, database
):
    key, path = str(uuid7()), "/v1/things"
    headers = asserter.headers(BANSOS, "sample") | {"idempotency-key": key}
    body = f'{{"name": "{uuid7()}"}}'.encode()
    before = await _kept(database)
    answer = await http.post(path, content=body, headers=headers | JSON_BODY)
    assert answer.status_code == 201, answer.text
    (row,) = set(await _kept(database)) - set(before)
    guesses = (body, f"POST {path}\n".encode() + body)
    for told in (key, *(hashlib.sha256(guess).hexdigest() for guess in guesses)):
        assert told not in row
    app.state.idempotency_secret = b"another"
    again = await http.post(path, content=body, headers=headers | JSON_BODY)
    assert again.json()["type"].endswith("idempotency-key-reused")


@pytest.mark.parametrize(
    ("error", "said"), [(OSError("down"), "bus: down"), (TimeoutError(), "bus: TimeoutError")]
)
async def test_readiness_names_the_failing_part(settings, database, caplog, error, said):
    async def fails():
        raise error

    member = Member("sample", "Sample", [], checks={"bus": fails})
    async with in_process(create_app(settings, member, database=database)) as client:
        answer = await client.get("/readyz")
        alive = await client.get("/livez")
    assert (answer.status_code, alive.status_code) == (503, 200)
    assert answer.json()["parts"] == {"bus": "failing", "database": "ok"}
    assert f"not ready: {said}" in caplog.messages


async def test_metrics_count_by_route_template(http):
    await http.get("/v1/things/1971010101909901")
    text_ = (await http.get("/metrics")).text
    assert 'route="/v1/things/{name}"' in text_
    assert "1971010101909901" not in text_


async def test_metrics_say_how_long_the_oldest_fact_waits_for_the_relay(http, database):
    async def age():
        told = (await http.get("/metrics")).text
        return float(told.partition("\nsebalai_outbox_age_seconds ")[2].split("\n")[0])

    async with database.transaction() as session:
        await session.execute(text("TRUNCATE outbox, relay_cursor"))
    assert await age() == 0
    async with database.transaction() as session:
        for minutes in (7, 5):
            await session.execute(
                text(
                    "INSERT INTO outbox (id, type, document, created_at) "
                    "VALUES (:id, 't', '{}', now() - make_interval(mins => :minutes))"
                ),
                {"id": uuid7(), "minutes": minutes},
            )
    assert 420 <= await age() < 1_000
    async with database.transaction() as session:
        await session.execute(
            text("INSERT INTO relay_cursor SELECT 'outbox', xid, min(seq) FROM outbox GROUP BY xid")
        )
    assert 300 <= await age() < 420
    async with database.transaction() as session:
        await session.execute(text("TRUNCATE outbox, relay_cursor"))


async def test_metrics_are_told_while_the_database_is_away(settings):
    away = Database(settings.model_copy(update={"database_url": "postgresql://x@127.0.0.1:9/x"}))
    async with in_process(create_app(settings, Member("s", "S", []), database=away)) as client:
        answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert "sebalai_outbox_age_seconds" not in answer.text
    assert "\nsebalai_gauges_known 0.000\n" in answer.text


async def test_metrics_say_that_what_they_read_is_known(http):
    assert "\nsebalai_gauges_known 1.000\n" in (await http.get("/metrics")).text


async def test_gauge_that_we_wrote_wrongly_is_no_database_that_is_away():
    async def wrong():
        return {"x": float("nonsense")}

    with pytest.raises(ValueError, match="nonsense"):
        await health._gauges(wrong)

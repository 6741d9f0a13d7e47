"""What a telephone on a weak line reads: only what changed, nothing twice over, never a gap."""

import asyncio
import random
from datetime import timedelta
from itertools import count

import pytest
from sebalai_services_catalog.app import catalog_app
from sebalai_shared.pagination import decode_cursor, encode_cursor
from sebalai_shared.testing.http import in_process
from sqlalchemy import text

KEYS = count()
REQUESTS, SERVICES = "/v1/requests/changes", "/v1/services/changes"
ANSWERS = {code: {"value": "x"} for code in ("proposal", "ktp", "pengantar")}
WRITERS, WRITES, SEED = 4, 20, 2026


async def file(client):
    body = {"service": "izin-penelitian", "submit": True, "answers": ANSWERS}
    headers = {"Idempotency-Key": f"m{next(KEYS)}"}
    return (await client.post("/v1/requests", json=body, headers=headers)).json()


async def act(client, body, name, **more):
    return await client.post(
        f"/v1/requests/{body['id']}/acts",
        json={"act": name, "revision": body["revision"], **more},
        headers={"Idempotency-Key": f"m{next(KEYS)}"},
    )


async def read_changes(client, url, since=None, limit=100):
    """Every page of what changed, and the token for next time."""
    items, more = [], True
    while more:
        params = {"limit": limit} | ({"since": since} if since else {})
        answer = await client.get(url, params=params)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        items, since, more = items + page["items"], page["since"], page["more"]
    return items, since


async def test_a_telephone_reads_only_what_moved_and_misses_nothing_that_commits_late(
    together, shared_database
):
    mine, other = together("ID-BB/COM/empat/kantor"), together("ID-BB/COM/lima/kantor")
    officer = together("ID-BB/GOV/dpmptsp/loket", "catalog.write")
    bodies = [await file(mine) for _ in range(3)]
    await file(other)
    items, since = await read_changes(mine, REQUESTS, limit=2)
    assert [one["id"] for one in items] == [body["id"] for body in bodies]
    assert (await read_changes(mine, REQUESTS, since))[0] == []
    async with shared_database[1].transaction() as slow:
        row = text("UPDATE service_request SET channel = 'loket' WHERE id = :id")
        await slow.execute(row, {"id": bodies[0]["id"]})
        await act(officer, bodies[1], "verify")
        seen, since = await read_changes(mine, REQUESTS, since)
    late, since = await read_changes(mine, REQUESTS, since)
    told = {one["id"]: one["state"] for one in seen + late}
    assert told == {bodies[0]["id"]: "submitted", bodies[1]["id"]: "verifying"}
    assert (await mine.get(REQUESTS, params={"since": "WyJ4IiwxXQ"})).status_code in (410, 422)


async def test_a_draft_that_was_given_up_is_told_to_the_other_telephone(together):
    mine = together("ID-BB/COM/dua-telepon/kantor")
    body = {"service": "izin-penelitian", "answers": ANSWERS}
    headers = {"Idempotency-Key": f"m{next(KEYS)}"}
    draft = (await mine.post("/v1/requests", json=body, headers=headers)).json()
    items, since = await read_changes(mine, REQUESTS)
    assert [one["state"] for one in items] == ["draft"]
    assert (await act(mine, draft, "discard")).status_code == 200
    items, _ = await read_changes(mine, REQUESTS, since)
    assert [(one["id"], one["state"]) for one in items] == [(draft["id"], "discarded")]


async def test_several_requests_are_read_at_once_and_only_those_one_may_see(together):
    mine, other = together("ID-BB/COM/banyak/kantor"), together("ID-BB/COM/asing/kantor")
    officer = together("ID-BB/GOV/dpmptsp/loket", "catalog.write")
    bodies, foreign = [await file(mine) for _ in range(2)], await file(other)
    keys = [bodies[1]["id"], foreign["id"], bodies[0]["id"], bodies[1]["id"]]
    url = "/v1/requests/batch"
    found = (await mine.get(url, params={"id": keys})).json()
    assert found["items"] == [bodies[1], bodies[0]]
    assert found["missing"] == [foreign["id"]]
    seen = (await officer.get(url, params={"id": keys, "fields": "id"})).json()
    assert [one["id"] for one in seen["items"]] == keys[:3]
    assert (await other.get(url, params={"id": keys})).json()["items"] == [foreign]
    for wrong in ([], ["x"], [foreign["id"]] * 21):
        assert (await mine.get(url, params={"id": wrong})).status_code == 422


async def test_who_follows_the_changes_holds_what_the_database_holds_however_they_commit(
    together, shared_database
):
    """Transactions that begin, write and commit in any order, while somebody reads on and on."""
    mine, dice = together("ID-BB/COM/ribut/kantor"), random.Random(SEED)
    bodies = [await file(mine) for _ in range(WRITERS * 2)]
    held, done = {}, asyncio.Event()

    async def write(own):
        for number in range(WRITES):
            async with shared_database[1].transaction() as session:
                await session.execute(text("SELECT pg_current_xact_id()"))
                await asyncio.sleep(dice.random() / 50)
                query = "UPDATE service_request SET revision = revision + 1 WHERE id = :id"
                await session.execute(text(query), {"id": own[number % 2]["id"]})
                await asyncio.sleep(dice.random() / 50)

    async def follow():
        since = None
        while True:
            is_last = done.is_set()
            items, since = await read_changes(mine, REQUESTS, since, limit=3)
            held.update({one["id"]: one["revision"] for one in items})
            if is_last:
                return

    follower = asyncio.create_task(follow())
    await asyncio.gather(*(write(bodies[2 * n : 2 * n + 2]) for n in range(WRITERS)))
    done.set()
    await follower
    async with shared_database[1].transaction() as session:
        query = "SELECT id::text, revision FROM service_request WHERE applicant LIKE '%/ribut/%'"
        assert held == {row.id: row.revision for row in await session.execute(text(query))}
    assert sum(held.values()) >= WRITERS * WRITES


async def test_while_nothing_of_it_changes_the_token_stays_and_nothing_is_sent(together):
    mine, other = together("ID-BB/COM/diam/kantor"), together("ID-BB/COM/sibuk/kantor")
    await file(mine)
    for url in (REQUESTS, SERVICES):
        _, since = await read_changes(mine, url)
        first = await mine.get(url, params={"since": since})
        await file(other)
        known = {"If-None-Match": first.headers["etag"]}
        again = await mine.get(url, params={"since": since}, headers=known)
        assert (first.json()["since"], again.status_code, again.content) == (since, 304, b"")


async def test_what_is_ones_own_is_kept_by_nobody_between(together):
    mine, other = together("ID-BB/COM/sendiri/kantor"), together("ID-BB/COM/lain/kantor")
    body = await file(mine)
    url = f"/v1/requests/{body['id']}"
    first = await mine.get(url, params={"fields": "state,revision"})
    assert first.json() == {"state": "submitted", "revision": body["revision"]}
    assert first.headers["cache-control"] == "private, no-cache"
    known = {"If-None-Match": first.headers["etag"]}
    again = await mine.get(url, params={"fields": "state,revision"}, headers=known)
    assert (again.status_code, again.headers["cache-control"]) == (304, "private, no-cache")
    assert (await other.get(url, headers=known)).status_code == 404
    items = (await mine.get("/v1/requests", params={"fields": "ticket"})).json()["items"]
    assert items == [{"ticket": body["ticket"]}]


@pytest.mark.parametrize("kind", ["dump", "earlier"])
async def test_a_token_of_another_life_of_the_database_is_refused_and_one_begins_anew(
    together, kind
):
    """After a restore the numbers of transactions begin elsewhere: going on would leave a gap."""
    mine = together("ID-BB/COM/pulih/kantor")
    await file(mine)
    _, since = await read_changes(mine, REQUESTS)
    parts = decode_cursor(since, 3)
    foreign = ["another", *parts[1:]] if kind == "dump" else parts[1:]
    answer = await mine.get(REQUESTS, params={"since": encode_cursor(foreign)})
    assert answer.status_code == 410
    assert answer.json()["type"] == "urn:sebalai:problem:sync-token-stale"


async def test_rows_of_a_restored_dump_are_told_though_their_transactions_are_yet_to_come(
    together, shared_database
):
    mine = together("ID-BB/COM/dump/kantor")
    officer = together("ID-BB/GOV/dpmptsp/loket", "catalog.write")
    body = await file(mine)
    async with shared_database[1].transaction() as session:
        for statement in (
            "ALTER TABLE service_request DISABLE TRIGGER USER",
            "UPDATE service_request SET changed_in = 9000000000000 WHERE applicant LIKE '%/dump/%'",
            "ALTER TABLE service_request ENABLE TRIGGER USER",
        ):
            await session.execute(text(statement))
    items, since = await read_changes(mine, REQUESTS)
    assert [one["id"] for one in items] == [body["id"]]
    assert (await read_changes(mine, REQUESTS, since))[0] == []
    await act(officer, body, "verify")
    items, since = await read_changes(mine, REQUESTS, since)
    assert [one["state"] for one in items] == ["verifying"]


async def test_a_revoked_law_is_a_change_of_every_service_that_rests_on_it(together):
    bureau = together("ID-BB/GOV/biro-hukum/jdih", "catalog.decide")
    _, since = await read_changes(bureau, SERVICES)
    law = {"kind": "uu", "number": "1", "year": 2022, "title": "HKPD", "status": "dicabut"}
    assert (await bureau.put("/v1/regulations/uu-1-2022", json=law)).status_code == 200
    told = {one["slug"] for one in (await read_changes(bureau, SERVICES, since))[0]}
    params = {"flag": "legal_basis_revoked", "limit": 100}
    flagged = (await bureau.get("/v1/services", params=params)).json()["items"]
    assert told == {one["slug"] for one in flagged} != set()


async def test_the_catalogue_tells_what_changed_and_reads_it_in_one_go_and_only_the_fields_asked(
    together,
):
    head = together("ID-BB/GOV/dpmptsp/kepala", "catalog.decide")
    items, since = await read_changes(head, SERVICES)
    assert len(items) > 60
    body = {"reason": "Sistem dipindah"}
    moved = await head.post("/v1/services/izin-trayek-antarkabupaten/suspension", json=body)
    assert moved.status_code == 200, moved.text
    items, since = await read_changes(head, SERVICES, since)
    assert [(one["slug"], one["state"]) for one in items] == [
        ("izin-trayek-antarkabupaten", "suspended")
    ]
    slugs = [items[0]["slug"], "tidak-ada", items[0]["slug"], "tidak-ada"]
    params = {"slug": slugs, "fields": "slug,agency"}
    answer = await head.get("/v1/services/batch", params=params)
    assert answer.json() == {
        "items": [{"slug": "izin-trayek-antarkabupaten", "agency": "dpmptsp"}],
        "missing": ["tidak-ada"],
    }
    headers = {"If-None-Match": answer.headers["etag"]}
    again = await head.get("/v1/services/batch", params=params, headers=headers)
    assert (again.status_code, again.content) == (304, b"")
    one = await head.get("/v1/services/izin-penelitian", params={"fields": "slug"})
    assert one.json() == {"slug": "izin-penelitian"}
    wrong = await head.get("/v1/services/izin-penelitian", params={"fields": "slug,gaji"})
    assert wrong.json()["type"] == "urn:sebalai:problem:field-invalid"
    assert (await head.get("/v1/services/batch", params={"slug": ["a"] * 51})).status_code == 422


async def test_a_clock_that_is_put_back_keeps_no_answer_longer(settings, database, clock):
    app = catalog_app(
        settings.model_copy(update={"public_answers_kept_seconds": 1}), database, clock
    )
    path = "/v1/services/izin-penelitian"
    async with in_process(app) as stranger:
        await stranger.get(path)
        async with database.transaction() as session:
            query = "UPDATE service SET state = 'suspended' WHERE slug = 'izin-penelitian'"
            await session.execute(text(query))
        assert (await stranger.get(path)).json()["state"] == "published"
        clock.move(-timedelta(hours=1))
        assert (await stranger.get(path)).json()["state"] == "suspended"

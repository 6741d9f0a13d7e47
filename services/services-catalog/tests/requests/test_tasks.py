"""Claiming, the team queue, two officers at once, and a case that spans agencies."""

import asyncio
from itertools import count

import pytest
from sebalai_services_catalog.app import catalog_app
from sebalai_services_catalog.loading import load_reference
from sebalai_services_catalog.settings import CatalogSettings
from sebalai_shared.database import Database
from sebalai_shared.testing.database import fresh_database
from sebalai_shared.testing.http import in_process, system
from sqlalchemy import text

KEYS = count()


async def test_a_task_is_claimed_once_and_the_other_is_told_by_whom_and_when(
    filed, officer, colleague, signer
):
    request = await filed()
    task = (await officer.get("/v1/tasks")).json()["items"][0]
    assert (task["request_id"], task["role"]) == (request.body["id"], "front_office")
    claimed = (await officer.post(f"/v1/tasks/{task['id']}/claim")).json()
    assert claimed["claimed_by"] == "client-ID-BB/GOV/dpmptsp/loket"
    assert (await officer.post(f"/v1/tasks/{task['id']}/claim")).status_code == 200
    answer = await colleague.post(f"/v1/tasks/{task['id']}/claim")
    assert answer.status_code == 409
    assert answer.json()["by"] == "client-ID-BB/GOV/dpmptsp/loket"
    assert answer.json()["at"] == "2026-11-24T03:00:00+00:00"
    assert (await request.act("verify", colleague)).json()["type"].endswith("task-taken")
    assert len((await officer.get("/v1/tasks?mine=true")).json()["items"]) == 1
    assert (await colleague.get("/v1/tasks?mine=true")).json()["items"] == []
    assert (await colleague.post(f"/v1/tasks/{task['id']}/release")).status_code == 409
    assert (await signer.post(f"/v1/tasks/{task['id']}/release")).json()["state"] == "open"
    await request.done("verify", colleague)


async def test_other_agencies_see_no_task_of_ours(filed, outsider, applicant, officer):
    await filed()
    key = (await officer.get("/v1/tasks")).json()["items"][0]["id"]
    for client in (outsider, applicant):
        assert (await client.get("/v1/tasks")).json()["items"] == []
        assert (await client.post(f"/v1/tasks/{key}/claim")).status_code == 404


async def test_a_deciding_task_needs_the_right_to_decide(processing, officer, finish_tasks, signer):
    request = await processing()
    await finish_tasks(request, officer)
    decide = next(task for task in request.body["tasks"] if task["role"] == "signer")
    assert decide["state"] == "open"
    answer = await officer.post(f"/v1/tasks/{decide['id']}/claim")
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:sebalai:problem:task-refused")
    assert (await signer.post(f"/v1/tasks/{decide['id']}/claim")).status_code == 200


async def test_a_case_that_spans_agencies_is_one_case_for_both(
    client_of, officer, signer, filed, applicant, finish_tasks
):
    other = client_of(system("ID-BB/GOV/dlhk/lingkungan", "catalog.write"))
    standard = (await officer.get("/v1/services/izin-penelitian")).json()["standard"]
    step = {"role": "other_agency", "agency": "dlhk", "what": {"id": "Telaah lingkungan"}}
    standard["procedure"].insert(2, step)
    url = "/v1/services/izin-penelitian/draft"
    await officer.put(url, json={"revision": 0, "standard": standard})
    await officer.post(f"{url}/review")
    assert (await signer.post(f"{url}/publication")).status_code == 200
    request = await filed()
    await request.done("verify", officer)
    body = await request.done("accept", officer)
    theirs, ours, _ = [task for task in body["tasks"] if task["position"] > 0]
    assert (theirs["agency"], theirs["state"], ours["state"]) == ("dlhk", "open", "waiting")
    queued = (await other.get("/v1/tasks")).json()["items"]
    assert [task["id"] for task in queued] == [theirs["id"]]
    assert (await other.get(f"/v1/requests/{body['id']}")).status_code == 200
    assert (await request.act("complete_task", officer, task=theirs["id"])).status_code == 403
    assert (await request.act("withdraw", other, reason="x")).status_code == 403
    body = await request.done("complete_task", other, task=theirs["id"], reason="Tidak berdampak")
    assert [task["state"] for task in body["tasks"]] == ["done", "done", "open", "waiting"]
    await finish_tasks(request, officer)
    assert (await request.done("issue", signer, number="9"))["state"] == "issued"


@pytest.fixture(scope="module")
async def shared_database(postgres_admin_url, tmp_path_factory):
    """Rows that are committed, for callers that really run at once."""
    from pathlib import Path  # noqa: PLC0415

    import sebalai_services_catalog  # noqa: PLC0415
    from sebalai_shared.clock import SystemClock  # noqa: PLC0415

    package = Path(sebalai_services_catalog.__file__).parent
    url = await fresh_database(postgres_admin_url, "catalog_together", package)
    database = Database(CatalogSettings(database_url=url))
    folder = Path(__file__).parents[4] / "deploy/reference"
    await load_reference(database, SystemClock(), folder)
    yield url, database
    await database.close()


@pytest.fixture
def together(shared_database, clock, asserter, tmp_path):
    url, database = shared_database
    keys = asserter.write_keys(tmp_path / "keys.json")
    app = catalog_app(CatalogSettings(database_url=url, caller_keys_file=keys), database, clock)

    def make(application, *scopes):
        return in_process(app, asserter.headers(system(application, *scopes), "catalog"))

    return make


TRIES = 10
ANSWERS = {code: {"value": "x"} for code in ("proposal", "ktp", "pengantar")}


async def file(client, key):
    """As a client does: when it is asked to wait, it sends the same again."""
    body = {"service": "izin-penelitian", "submit": True, "answers": ANSWERS}
    for _ in range(TRIES):
        answer = await client.post("/v1/requests", json=body, headers={"Idempotency-Key": key})
        if answer.status_code != 503:
            break
        await asyncio.sleep(int(answer.headers["Retry-After"]))
    return answer


async def test_two_hundred_parallel_submits_with_one_key_file_one_request(
    together, shared_database
):
    client = together("ID-BB/COM/satu/kantor")
    answers = await asyncio.gather(*(file(client, "satu-kunci") for _ in range(200)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    async with shared_database[1].transaction() as session:
        query = "SELECT count(*) FROM service_request WHERE applicant LIKE '%/satu/%'"
        assert await session.scalar(text(query)) == 1


async def act(client, body, name, **more):
    return await client.post(
        f"/v1/requests/{body['id']}/acts",
        json={"act": name, "revision": body["revision"], **more},
        headers={"Idempotency-Key": f"p{next(KEYS)}"},
    )


async def test_money_told_twice_at_once_pays_one_bill_once_and_the_other_is_owed_back(together):
    officer = together("ID-BB/GOV/dpmptsp/loket", "catalog.write")
    cashiers = [together(f"ID-BB/GOV/dpmptsp/kas-{n}", "catalog.write") for n in range(4)]
    applicant = together("ID-BB/COM/tiga/kantor")
    answers = {code: {"value": "x"} for code in ("nib", "ktp", "peta", "lingkungan", "rencana")}
    body = {"service": "izin-pengusahaan-air-tanah", "submit": True, "answers": answers}
    headers = {"Idempotency-Key": "tiga"}
    body = (await applicant.post("/v1/requests", json=body, headers=headers)).json()
    for name in ("verify", "accept"):
        body = (await act(officer, body, name)).json()
    url = f"/v1/requests/{body['id']}/bill"

    async def take(client, slip):
        headers = {"Idempotency-Key": f"k{next(KEYS)}"}
        money = {"slip": slip, "rupiah": 250_000}
        return await client.post(f"{url}/payments", json=money, headers=headers)

    slips = ("KW-1", "KW-2", "KW-1", "KW-2")
    told = await asyncio.gather(*map(take, cashiers, slips))
    assert {answer.status_code for answer in told} == {200}
    payments = (await applicant.get(url)).json()["payments"]
    assert {one["reference"] for one in payments} == {"KW-1", "KW-2"}
    assert sorted(one["state"] for one in payments) == ["kept", "owed"]


async def test_two_officers_decide_at_once_one_wins_and_the_other_is_told(together):
    officer = together("ID-BB/GOV/dpmptsp/loket", "catalog.write")
    first = together("ID-BB/GOV/dpmptsp/kepala", "catalog.decide")
    second = together("ID-BB/GOV/dpmptsp/wakil", "catalog.decide")
    for turn in range(5):
        body = (await file(together("ID-BB/COM/dua/kantor"), f"dua-{turn}")).json()
        for name in ("verify", "accept"):
            body = (await act(officer, body, name)).json()
        task = next(task for task in body["tasks"] if task["role"] == "officer")
        body = (await act(officer, body, "complete_task", task=task["id"])).json()
        answers = await asyncio.gather(
            act(first, body, "issue", number="1"),
            act(second, body, "refuse", reason="x", legal_basis="permendagri-3-2018"),
        )
        won, lost = sorted(answers, key=lambda answer: answer.status_code)
        assert (won.status_code, lost.status_code) == (200, 409)
        told, made = lost.json(), won.json()
        assert told["type"] == "urn:sebalai:problem:request-moved-on"
        assert (told["by"], told["state"]) == (made["last_actor"], made["state"])
        assert told["at"].startswith("2026-11-24T03:00:00")


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
    bodies = [(await file(mine, f"empat-{n}")).json() for n in range(3)]
    await file(other, "lima")
    url = "/v1/requests/changes"
    items, since = await read_changes(mine, url, limit=2)
    assert [one["id"] for one in items] == [body["id"] for body in bodies]
    assert (await read_changes(mine, url, since))[0] == []
    async with shared_database[1].transaction() as slow:
        row = text("UPDATE service_request SET channel = 'loket' WHERE id = :id")
        await slow.execute(row, {"id": bodies[0]["id"]})
        await act(officer, bodies[1], "verify")
        seen, since = await read_changes(mine, url, since)
    late, since = await read_changes(mine, url, since)
    told = {one["id"]: one["state"] for one in seen + late}
    assert told == {bodies[0]["id"]: "submitted", bodies[1]["id"]: "verifying"}
    assert (await mine.get(url, params={"since": "WyJ4IiwxXQ"})).status_code == 422


async def test_the_catalogue_tells_what_changed_and_reads_it_in_one_go_and_only_the_fields_asked(
    together,
):
    head = together("ID-BB/GOV/dpmptsp/kepala", "catalog.decide")
    url = "/v1/services/changes"
    items, since = await read_changes(head, url)
    assert len(items) > 60
    body = {"reason": "Sistem dipindah"}
    moved = await head.post("/v1/services/izin-trayek-antarkabupaten/suspension", json=body)
    assert moved.status_code == 200, moved.text
    items, since = await read_changes(head, url, since)
    assert [(one["slug"], one["state"]) for one in items] == [
        ("izin-trayek-antarkabupaten", "suspended")
    ]
    params = {"slug": [items[0]["slug"], "tidak-ada"], "fields": "slug,agency"}
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

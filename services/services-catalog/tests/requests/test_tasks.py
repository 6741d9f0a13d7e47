"""Claiming, the team queue, two officers at once, and a case that spans agencies."""

import asyncio
from itertools import count

from sebalai_shared.testing.http import system
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

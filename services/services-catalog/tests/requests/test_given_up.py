"""Drafts that were never filed: given up or run out, nothing of them stays and nobody sees them."""

from datetime import timedelta

import pytest
from sebalai_services_catalog.requests.jobs import keep_deadlines
from sqlalchemy import text

PDF = b"%PDF-1.7 contoh"


@pytest.fixture
async def draft(filed):
    """With an answer and a document in it."""
    request = await filed(submit=False)
    answer = await request.client.put(
        f"/v1/requests/{request.body['id']}/documents/ktp",
        params={"revision": request.body["revision"], "name": "ktp.pdf"},
        content=PDF,
        headers={"content-type": "application/pdf"},
    )
    request.body = answer.json()
    assert request.body["answers"]["ktp"]["kind"] == "document"
    return request


@pytest.fixture(params=["lapsed", "discarded"])
async def ended(request, draft, loaded, clock):
    """The draft after its time ran out, or after it was given up; the state it should be in."""
    if request.param == "lapsed":
        clock.move(timedelta(days=31))
        await keep_deadlines(loaded, clock)
        return await draft.read(), request.param
    return await draft.done("discard"), request.param


@pytest.fixture
def digest(draft):
    return draft.body["answers"]["ktp"]["sha256"]


async def test_nothing_of_it_stays_but_that_it_was(digest, ended, applicant, loaded):
    body, state = ended
    assert (body["state"], body["answers"], body["possible"]) == (state, {}, [])
    assert body["closed_at"] is not None
    url = f"/v1/requests/{body['id']}/documents/ktp/{digest}"
    assert (await applicant.get(url)).status_code == 422
    async with loaded.transaction() as session:
        query = "SELECT count(*) FROM request_document WHERE request_id = :id"
        assert await session.scalar(text(query), {"id": body["id"]}) == 0


async def test_it_is_no_request_to_anybody_else(ended, applicant, officer, anonymous):
    body, _ = ended
    assert (await officer.get(f"/v1/requests/{body['id']}")).status_code == 404
    assert (await officer.get("/v1/requests")).json()["items"] == []
    assert (await anonymous.get(f"/v1/tickets/{body['ticket']}")).status_code == 404
    assert (await applicant.get(f"/v1/requests/{body['id']}/receipt")).status_code == 404
    assert (await anonymous.get("/v1/performance")).json()["services"] == []


async def test_what_was_filed_is_withdrawn_and_not_given_up(filed):
    request = await filed()
    assert "discard" not in request.body["possible"]
    answer = await request.act("discard")
    assert (answer.status_code, answer.json()["type"].rsplit(":", 1)[1]) == (
        409, "request-step-impossible"
    )  # fmt: skip


async def test_nobody_gives_up_the_draft_of_another(draft, officer, outsider):
    for client in (officer, outsider):
        assert (await draft.act("discard", client)).status_code == 404

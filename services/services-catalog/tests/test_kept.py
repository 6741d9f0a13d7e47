"""Answers to strangers, kept for a moment: never a caller's, never longer, never too many."""

from datetime import timedelta

from fastapi import Request
from sebalai_services_catalog.app import catalog_app
from sebalai_services_catalog.kept import ANSWER_BYTES_MAX, ANSWERS_MAX, Answer
from sebalai_shared.testing.http import in_process, system


async def test_a_strangers_answer_is_kept_for_a_second_and_a_callers_never(
    settings, database, clock, asserter
):
    app = catalog_app(
        settings.model_copy(update={"public_answers_kept_seconds": 1}), database, clock
    )
    path = "/v1/services/izin-penelitian"
    head = system("ID-BB/GOV/dpmptsp/kepala", "catalog.decide")
    async with in_process(app) as stranger:
        first = await stranger.get(path)
        body = {"reason": "Sistem dipindah"}
        named = asserter.headers(head, "catalog")
        await stranger.post(f"{path}/suspension", json=body, headers=named)
        kept = await stranger.get(path)
        assert (kept.content, kept.headers["etag"]) == (first.content, first.headers["etag"])
        again = await stranger.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        own = await stranger.get(path, headers=named)
        assert own.json()["state"] == "suspended"
        refused = await stranger.get(path, headers={"Sebalai-Caller": "x"})
        assert refused.status_code == 401
        other = await stranger.get(path, params={"fields": "state"})
        assert other.json() == {"state": "suspended"}
        clock.move(timedelta(seconds=1))
        assert (await stranger.get(path)).json()["state"] == "suspended"


async def test_only_so_many_answers_are_kept(settings, database, clock):
    app = catalog_app(
        settings.model_copy(update={"public_answers_kept_seconds": 60}), database, clock
    )
    kept = app.state.kept_answers
    for number in range(ANSWERS_MAX + 5):
        scope = {
            "type": "http",
            "method": "GET",
            "path": f"/{number}",
            "query_string": b"",
            "headers": [],
        }
        kept.keep(Request(scope), Answer('"x"', b"", {}))
    assert kept.find(Request(scope)) is not None
    scope["path"] = "/0"
    assert kept.find(Request(scope)) is None
    scope["path"] = "/large"
    kept.keep(Request(scope), Answer('"x"', bytes(ANSWER_BYTES_MAX + 1), {}))
    assert kept.find(Request(scope)) is None

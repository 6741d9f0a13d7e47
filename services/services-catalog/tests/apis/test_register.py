"""The list of interfaces and event types, as exchange's public lists gave it."""

import socket
import threading
from contextlib import contextmanager

import pytest
import uvicorn
from sebalai_services_catalog.apis import register
from sebalai_services_catalog.apis.jobs import keep_register
from sebalai_services_catalog.apis.register import ROWS_A_PAGE, ListIncomplete, exchange_client
from sebalai_shared import http
from sebalai_shared.ids import uuid7
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

KIND, NAME = "interface", "ID-BB/GOV/dp3acskb/kependudukan/penduduk"
BIRTH = "dp3acskb.birth.recorded.v1"


def interface(name=NAME, **more):
    return {
        "id": str(uuid7()), "name": name, "title": "Data penduduk", "agency": "dp3acskb",
        "provider": "ID-BB/GOV/dp3acskb/kependudukan", "deprecated_at": None, "sunset_at": None,
        "successor": None, "later_field": 1,
    } | more  # fmt: skip


def topic(**more):
    return {
        "type": BIRTH, "owner": "dp3acskb", "application": None, "title": "Kelahiran",
        "description": "A birth was recorded.", "state": "active", "successor": None,
        "retires_at": None, "data_categories": ["identitas"], "schema": {},
    } | more  # fmt: skip


class Exchange:
    """Exchange's three public lists, in pages, behind a real socket."""

    def __init__(self):
        use = {
            "interface": NAME,
            "calls": 7,
            "consumers": 2,
            "agencies": 1,
            "last_day": "2026-11-23",
        }
        self.lists = {"uses": [use], "interfaces": [interface()], "topics": [topic()]}
        self.fails = set()

    async def answer(self, request):
        name = request.path_params["name"]
        if name in self.fails:
            return JSONResponse({}, 503)
        start, limit = (
            int(request.query_params.get("cursor", 0)),
            int(request.query_params["limit"]),
        )
        rows = self.lists[name]
        following = str(start + limit) if len(rows) > start + limit else None
        return JSONResponse({"items": rows[start : start + limit], "next": following})


@contextmanager
def serving(app):
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


@pytest.fixture
def exchange():
    return Exchange()


@pytest.fixture
async def keep(exchange, database):
    route = Route("/api/exchange/v1/{name}", exchange.answer)
    with serving(Starlette(routes=[route])) as url:
        async with exchange_client(url) as client:

            async def keep():
                await keep_register(database, client)

            yield keep


async def names(client, query=""):
    items = (await client.get(f"/v1/apis{query}")).json()["items"]
    return [(one["kind"], one["name"]) for one in items]


async def test_interfaces_and_event_types_stand_in_one_list_with_their_use(anonymous, keep):
    await keep()
    event, called = (await anonymous.get("/v1/apis")).json()["items"]
    assert (event["kind"], event["name"], event["data_categories"]) == (
        "event",
        BIRTH,
        ["identitas"],
    )
    assert event["contract"] == f"/api/exchange/v1/topics/{BIRTH}"
    assert (called["lifecycle"], called["agency"], called["title"]) == (
        "active", "dp3acskb", "Data penduduk",
    )  # fmt: skip
    seen = ("calls", "consumers", "agencies", "last_used_on")
    assert [called[name] for name in seen] == [7, 2, 1, "2026-11-23"]


async def test_the_list_is_searched_by_words_agency_kind_and_lifecycle(anonymous, keep, exchange):
    other = "ID-BB/GOV/bakuda/pajak/tunggakan"
    exchange.lists["interfaces"].append(
        interface(
            other, title="Tunggakan 100%_pajak", agency="bakuda",
            deprecated_at="2026-11-01T00:00:00Z", sunset_at="2027-05-01T00:00:00Z", successor=NAME,
        )
    )  # fmt: skip
    await keep()
    assert await names(anonymous, "?q=PENDUDUK data") == [(KIND, NAME)]
    assert await names(anonymous, "?q=0%25_p") == [(KIND, other)]
    assert await names(anonymous, "?q=birth") == [("event", BIRTH)]
    assert await names(anonymous, "?q=penduduk tunggakan") == []
    assert await names(anonymous, "?agency=bakuda") == [(KIND, other)]
    assert await names(anonymous, "?kind=event") == [("event", BIRTH)]
    assert await names(anonymous, "?lifecycle=deprecated") == [(KIND, other)]
    one = (await anonymous.get(f"/v1/apis/{KIND}/{other}?fields=ends_at,successor")).json()
    assert one == {"ends_at": "2027-05-01T00:00:00Z", "successor": NAME}


async def test_what_is_listed_no_more_stays_readable_as_retired(anonymous, keep, exchange):
    await keep()
    exchange.lists |= {"interfaces": [], "topics": []}
    await keep()
    assert await names(anonymous) == []
    assert await names(anonymous, "?lifecycle=retired") == [("event", BIRTH), (KIND, NAME)]
    assert (await anonymous.get(f"/v1/apis/{KIND}/{NAME}")).json()["lifecycle"] == "retired"
    exchange.lists["interfaces"] = [interface(title="Kembali")]
    await keep()
    assert (await anonymous.get(f"/v1/apis/{KIND}/{NAME}")).json()["title"] == "Kembali"


async def test_long_lists_are_read_and_answered_to_their_end(anonymous, keep, exchange):
    exchange.lists["topics"] = []
    exchange.lists["interfaces"] = [
        interface(f"ID-BB/GOV/x/y/i-{number:03d}") for number in range(2 * ROWS_A_PAGE + 1)
    ]
    await keep()
    first = (await anonymous.get("/v1/apis?limit=100")).json()
    rest = (await anonymous.get(f"/v1/apis?limit=100&cursor={first['next']}")).json()
    assert len(first["items"]) + len(rest["items"]) == 2 * ROWS_A_PAGE + 1
    assert rest["next"] is None


@pytest.mark.parametrize("broken", ["uses", "interfaces", "topics"])
async def test_a_list_that_cannot_be_read_retires_nothing(anonymous, keep, exchange, broken):
    await keep()
    exchange.lists["interfaces"], exchange.fails = [], {broken}
    with pytest.raises(http.Error):
        await keep()
    assert len(await names(anonymous)) == 2


async def test_a_list_without_an_end_retires_nothing(anonymous, keep, exchange, monkeypatch):
    await keep()
    monkeypatch.setattr(register, "PAGES_MAX", 1)
    exchange.lists["interfaces"] = [
        interface(f"ID-BB/GOV/x/y/i-{number}") for number in range(ROWS_A_PAGE + 1)
    ]
    with pytest.raises(ListIncomplete):
        await keep()
    assert len(await names(anonymous)) == 2


async def test_an_unknown_name_is_a_problem(anonymous):
    answer = await anonymous.get(f"/v1/apis/{KIND}/ID-BB/GOV/x/y/z")
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (404, "api-unknown")
    assert (await anonymous.get("/v1/apis?cursor=WyJ4Il0")).status_code == 422

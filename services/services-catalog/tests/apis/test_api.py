from datetime import timedelta

import pytest
from sebalai_services_catalog.apis.actions import take_interface
from sebalai_shared.events import Event
from sebalai_shared.ids import uuid7

PATH = "/.well-known/api-catalog"
NAME = "ID-BB/GOV/dp3acskb/kependudukan/penduduk"
BUS = "https://bus.example"


def fact(interface_id, at, kind="published"):
    data = {
        "interface_id": str(interface_id),
        "interface": NAME,
        "agency": "dp3acskb",
        "contract_sha256": "a" * 64,
        "later_field": 1,
    }
    return Event(f"exchange.interface.{kind}.v1", "urn:sebalai:exchange", NAME, data, at)


async def take(database, *events):
    async with database.transaction() as session:
        for event in events:
            await take_interface(session, event=event)


async def described(client):
    linkset = (await client.get(PATH)).json()["linkset"]
    return {c["anchor"]: c["service-desc"][0]["href"] for c in linkset if "service-desc" in c}


async def test_the_catalogue_names_the_openapi_document_of_every_member(anonymous):
    answer = await anonymous.get(PATH)
    assert answer.headers["content-type"] == (
        'application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"'
    )
    hrefs = (await described(anonymous)).values()
    for member in ("identity", "catalog", "archive", "exchange"):
        assert f"{BUS}/api/{member}/openapi.json" in hrefs


async def test_head_answers_as_get_without_the_body(anonymous):
    head, get = await anonymous.head(PATH), await anonymous.get(PATH)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == get.headers["content-type"]
    assert head.headers["link"] == f'<{BUS}{PATH}>; rel="api-catalog"'


async def test_a_known_catalogue_is_not_sent_again(anonymous):
    etag = (await anonymous.get(PATH)).headers["etag"]
    assert (await anonymous.get(PATH, headers={"if-none-match": etag})).status_code == 304


async def test_a_published_interface_appears_and_a_retired_one_goes(database, anonymous, clock):
    interface_id = uuid7()
    await take(database, fact(interface_id, clock.now()))
    contract = f"{BUS}/api/exchange/v1/interfaces/{interface_id}/contract"
    assert (await described(anonymous))[f"{BUS}/r1/{NAME}"] == contract
    await take(database, fact(interface_id, clock.now() + timedelta(seconds=1), "retired"))
    assert f"{BUS}/r1/{NAME}" not in await described(anonymous)


async def test_an_older_fact_that_comes_late_changes_nothing(database, anonymous, clock):
    interface_id, now = uuid7(), clock.now()
    await take(
        database,
        fact(interface_id, now, "retired"),
        fact(interface_id, now - timedelta(seconds=1)),
    )
    assert f"{BUS}/r1/{NAME}" not in await described(anonymous)


async def test_a_fact_without_what_we_read_is_refused(database, clock):
    event = Event("exchange.interface.published.v1", "x", "s", {"interface": NAME}, clock.now())
    with pytest.raises(ValueError, match="interface_id"):
        await take(database, event)

"""The platform's own event types are known with their schemas before their first fact."""

from pathlib import Path

import pytest
from sebalai_exchange.publishing.actions import take_fact
from sebalai_exchange.topics.loading import load_platform_types, read_platform_types
from sebalai_shared.ids import uuid7

PUBLISHED = Path(__file__).parents[4] / "docs/contracts/events"
KIND = "identity.civil-servant.discharged.v1"


async def test_every_published_type_is_described_once(call, database, clock):
    schemas = read_platform_types(PUBLISHED)
    assert KIND in schemas
    assert await load_platform_types(database, clock, schemas) == len(schemas)
    assert await load_platform_types(database, clock, schemas) == 0
    for kind, schema in schemas.items():
        read = await call("GET", f"/v1/topics/{kind}")
        assert read.json()["schema"] == schema, kind
        assert (read.json()["application"], read.json()["minor"]) == (None, 0)


async def test_a_type_that_was_first_heard_of_gets_its_schema_as_the_next_minor(
    call, database, clock
):
    fact = {"type": KIND, "source": "urn:sebalai:identity", "id": str(uuid7()), "data": {"odd": 1}}
    async with database.transaction() as session:
        await take_fact(session, clock, document=fact)
    assert (await call("GET", f"/v1/topics/{KIND}")).json()["schema"].get("properties") is None
    await load_platform_types(database, clock, read_platform_types(PUBLISHED))
    read = (await call("GET", f"/v1/topics/{KIND}")).json()
    assert (read["minor"], "person_id" in read["schema"]["properties"]) == (1, True)
    # Its facts are taken as before, also one that the schema does not know.
    async with database.transaction() as session:
        await take_fact(session, clock, document=fact | {"id": str(uuid7())})
    assert (await call("GET", f"/v1/topics/{KIND}")).json()["minor"] == 1


async def test_a_schema_of_somebody_else_changes_nothing(call, database, clock):
    kinds = ("exchange.thing.done.v1", "dinkes.thing.done.v1")
    with pytest.raises(ValueError, match="not a type of the platform"):
        await load_platform_types(database, clock, {kind: {"type": "object"} for kind in kinds})
    assert (await call("GET", "/v1/topics/exchange.thing.done.v1")).status_code == 404

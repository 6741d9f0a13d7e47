"""The bus of the deliveries' tests, with a room in it."""

import pytest
from sqlalchemy import text

from services.exchange.tests.deliveries.conftest import (  # noqa: F401 - fixtures
    PUBLISHER,
    SUBSCRIBER,
    bus,
    bus_settings,
    bus_url,
    receiver,
)

ROOM = PUBLISHER
PURPOSE = "verifikasi-bansos"
NEW_BIRTH = {
    "eventType": "newBirth",
    "schema": {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "required": ["number"],
        "properties": {"number": {"type": "integer"}},
    },
}


class Room:
    """Asks as GovStack's programs do."""

    def __init__(self, native):
        self.bus, self.publisher = native, native.publisher
        self.subscriber = native.subscriber

    async def ask(self, method, path, caller=None, status=None, **more):
        headers = {"Sebalai-Purpose": PURPOSE} | more.pop("headers", {})
        answer = await self.bus.ask(
            method, f"/govstack/{ROOM}{path}", caller or self.publisher, headers=headers, **more
        )
        assert status in (None, answer.status_code), answer.text
        return answer

    async def open(self):
        """The room's interface, as its application publishes it."""
        wanted = {
            "name": f"{ROOM}/room", "title": "Ruang peristiwa", "addresses": ["http://127.0.0.1:9"],
            "contract": {"openapi": "3.1.0", "info": {"title": "Ruang", "version": "1"}, "paths": {}},
        }  # fmt: skip
        made = await self.bus.ask("POST", "/v1/interfaces", self.publisher, json=wanted)
        assert made.status_code == 201, made.text

    async def agree(self, *rules, consumer=SUBSCRIBER):
        wanted = {
            "consumer": consumer, "interface": f"{ROOM}/room",
            "rules": [{"method": method, "path": path} for method, path in rules],
            "purposes": [{"code": PURPOSE, "legal_basis": "Permensos 3/2021"}],
            "valid_until": "2027-12-31T00:00:00Z",
        }  # fmt: skip
        asked = await self.bus.ask("POST", "/v1/agreements", self.subscriber, json=wanted)
        assert asked.status_code == 201, asked.text
        path = f"/v1/agreements/{asked.json()['id']}/grant"
        assert (await self.bus.ask("POST", path, self.publisher)).status_code == 200
        return asked.json()["id"]

    async def publish(self, number, caller=None, **more):
        body = {"eventType": "newBirth", "event": {"number": number}} | more.pop("body", {})
        answer = await self.ask("POST", "/pub/v1/newBirth", caller, 201, json=body, **more)
        return answer.json()["id"]

    async def spend_leases(self):
        """What is out was out as often as it may be, and its time is over."""
        async with self.bus.database.transaction() as session:
            spent = "UPDATE delivery SET attempts = 20, next_at = now() - interval '1 s'"
            await session.execute(text(spent))

    async def pulled(self, caller=None):
        """The next event, waiting for the log to number it."""

        async def found():
            answer = await self.ask("GET", "/pull/v1/newBirth", caller or self.subscriber)
            return answer.status_code == 200 and answer.json()

        return await self.bus.until(found)


@pytest.fixture
async def room(bus):  # noqa: F811 - the fixture
    made = Room(bus)
    await made.open()
    return made


@pytest.fixture
async def subscribed(room):
    """A type, a right to it, and a subscription to pull by."""
    await room.ask("POST", "/api/v1/eventType", status=200, json=NEW_BIRTH)
    await room.agree(("SUBSCRIBE", "/dp3acskb.kependudukan.new-birth.v1"))
    wanted = {"eventType": "newBirth", "delivery": "PULL"}
    made = await room.ask("POST", "/api/v1/subs/newBirth", room.subscriber, 200, json=wanted)
    return made.json()

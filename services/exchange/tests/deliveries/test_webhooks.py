"""From a published event to a signed webhook, on a real database and over real HTTP."""

import base64
import hmac
from uuid import UUID

from sqlalchemy import text


async def test_a_published_event_reaches_the_subscriber_signed(bus, receiver):
    await bus.describe()
    async with bus.running():
        made = await bus.subscribe(receiver.url("/good/a"))
        await bus.until_active(made["id"])
        sent = bus.event()
        (stored,) = await bus.publish(sent)
        (got,) = await bus.until(lambda: receiver.got["/good/a"])
    assert {name: got[name] for name in sent} == sent
    assert got["position"] == f"{1:020d}"
    headers, body = got["_headers"], got["_body"]
    assert headers["content-type"] == "application/cloudevents+json"
    assert headers["webhook-id"] == stored["event_id"]
    answer = await bus.ask("GET", f"/v1/subscriptions/{made['id']}/secret", bus.subscriber)
    secret = base64.b64decode(answer.json()["secret"].removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert receiver.handshakes[0]["webhook-request-origin"] == "bus.example"


async def test_a_failing_address_gets_the_event_again_and_each_try_is_kept(bus, receiver):
    await bus.describe()
    failures = iter([500, 503])
    receiver.fails = lambda *_: next(failures, 0)
    async with bus.running():
        made = await bus.subscribe(receiver.url("/good/a"))
        await bus.until_active(made["id"])
        (stored,) = await bus.publish(bus.event())

        async def is_waiting():
            return (await bus.read(made["id"]))["waiting"] == 1

        await bus.until(is_waiting)
    async with bus.database.transaction() as session:
        await session.execute(text("UPDATE delivery SET next_at = now()"))
    async with bus.running():
        await bus.until(is_waiting)

        async def has_two():
            async with bus.database.transaction() as session:
                return await session.scalar(text("SELECT count(*) FROM attempt")) == 2

        await bus.until(has_two)
    async with bus.database.transaction() as session:
        await session.execute(text("UPDATE delivery SET next_at = now()"))
    async with bus.running():
        await bus.until(lambda: receiver.got["/good/a"])

        async def is_done():
            return (await bus.read(made["id"]))["waiting"] == 0

        await bus.until(is_done)
    async with bus.database.transaction() as session:
        rows = (
            await session.execute(
                text("SELECT number, outcome, status, event_id FROM attempt ORDER BY number")
            )
        ).all()
    assert [(row.number, row.outcome, row.status) for row in rows] == [
        (1, "failed", 500),
        (2, "failed", 503),
        (3, "delivered", 204),
    ]
    assert {row.event_id for row in rows} == {UUID(stored["event_id"])}

"""Timed work on complaints: limits, and telling LAPOR! what changed."""

import logging
from typing import Any

import orjson
from sebalai_shared import http
from sebalai_shared.addresses import Reach
from sebalai_shared.clock import Clock
from sebalai_shared.database import Database
from sqlalchemy import update

from sebalai_services_catalog.complaints import store
from sebalai_services_catalog.complaints.actions import keep_deadlines
from sebalai_services_catalog.complaints.machine import PUBLIC
from sebalai_services_catalog.complaints.model import Complaint
from sebalai_services_catalog.settings import CatalogSettings

log = logging.getLogger(__name__)

DEADLINES_SECONDS = 60.0
LAPOR_SECONDS = 30.0
LAPOR_ROWS = 100
BATCHES_MAX = 100


def lapor_client(settings: CatalogSettings) -> http.Client:
    """The process's client of LAPOR!; close it at the end."""
    reach = Reach.parse(one for one in settings.private_systems.split(",") if one.strip())
    client = http.client(reach, base_url=settings.lapor_url)
    if settings.lapor_token is not None:
        client.headers["Authorization"] = f"Bearer {settings.lapor_token.get_secret_value()}"
    client.headers["Content-Type"] = "application/json"
    return client


async def keep_complaint_deadlines(database: Database, clock: Clock) -> int:
    done = 0
    for _ in range(BATCHES_MAX):
        async with database.transaction() as session:
            touched = await keep_deadlines(session, clock)
        done += touched
        if touched == 0:
            break
    return done


async def tell_lapor(database: Database, client: http.Client) -> int:
    """Sends what LAPOR! does not know, keyed by our ticket so that sending twice is one report.

    A refusal or outage ends the pass and leaves the rest for the next; nothing is lost. The wire
    shape is ours: LAPOR!'s documents are open to its registered developers only.
    """
    async with database.transaction() as session:
        rows = await store.unsent(session, LAPOR_ROWS)
    sent = 0
    for row in rows:
        try:
            answer = await client.put(f"/reports/{row.ticket}", content=orjson.dumps(_report(row)))
            answer.raise_for_status()
            lapor_id = str(answer.json()["id"])
        except (http.Error, ValueError, KeyError):
            log.warning("LAPOR! took %s of %s complaints; next pass goes on", sent, len(rows))
            break
        async with database.transaction() as session:
            await session.execute(
                update(Complaint)
                .where(Complaint.id == row.id)
                .values(lapor_id=lapor_id, lapor_revision=row.revision)
            )
        sent += 1
    return sent


def _report(row: Complaint) -> dict[str, Any]:
    """What leaves the province: never the reporter's name."""
    return {
        "ticket": row.ticket,
        "kind": row.kind,
        "title": row.title,
        "body": row.body,
        "anonymous": row.anonymous,
        "agency": row.agency,
        "state": PUBLIC[row.state],
        "answer": row.answer,
        "received_at": row.received_at.isoformat(),
        "revision": row.revision,
    }

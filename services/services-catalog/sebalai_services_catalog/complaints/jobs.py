"""Timed work on complaints: limits, and telling LAPOR! what changed."""

import logging
from typing import Any

import orjson
from sebalai_shared import http
from sebalai_shared.database import Database
from sqlalchemy import update

from sebalai_services_catalog.complaints import store
from sebalai_services_catalog.complaints.machine import PUBLIC
from sebalai_services_catalog.complaints.model import Complaint
from sebalai_services_catalog.outside import FAILURES_MAX, outside_client, send
from sebalai_services_catalog.settings import CatalogSettings

log = logging.getLogger(__name__)

DEADLINES_SECONDS = 60.0
LAPOR_SECONDS = 30.0
LAPOR_ROWS = 100


def lapor_client(settings: CatalogSettings) -> http.Client:
    """The process's client of LAPOR!; close it at the end."""
    client = outside_client(settings, settings.lapor_url)
    if settings.lapor_token is not None:
        client.headers["Authorization"] = f"Bearer {settings.lapor_token.get_secret_value()}"
    return client


async def tell_lapor(database: Database, client: http.Client) -> int:
    """Sends what LAPOR! does not know, keyed by our ticket so that sending twice is one report.

    A refused report stays for the next pass and keeps no other waiting; an outage ends the pass.
    The wire shape is ours: LAPOR!'s documents are open to its registered developers only.
    """
    async with database.transaction() as session:
        rows = await store.unsent(session, LAPOR_ROWS)
    sent = failures = 0
    for row in rows:
        try:
            content = orjson.dumps(_report(row))
            answer = await send(client, "PUT", f"/reports/{row.ticket}", content)
            answer.raise_for_status()
            lapor_id = str(answer.json()["id"])
        except (http.Error, ValueError, KeyError, TypeError) as error:
            log.warning("LAPOR! did not take complaint %s: %s", row.id, type(error).__name__)
            failures += 1
            if failures == FAILURES_MAX:
                break
            continue
        failures = 0
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

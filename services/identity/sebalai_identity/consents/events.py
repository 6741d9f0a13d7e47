"""Facts about consents: ids and scopes, so that the ledger can prove who agreed to what when."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sebalai_shared.events import Event

GRANTED = "identity.consent.granted.v1"
WITHDRAWN = "identity.consent.revoked.v1"
SOURCE = "urn:sebalai:identity"


def _fact(kind: str, subject: UUID, client_id: UUID, more: dict[str, Any], at: datetime) -> Event:
    data = {"subject": str(subject), "client_id": str(client_id)} | more
    return Event(kind, SOURCE, f"{subject}/{client_id}", data, at)


def granted(
    subject: UUID, client_id: UUID, scopes: Iterable[str], version: str, at: datetime
) -> Event:
    more = {"scopes": sorted(scopes), "text_version": version}
    return _fact(GRANTED, subject, client_id, more, at)


def withdrawn(subject: UUID, client_id: UUID, at: datetime) -> Event:
    return _fact(WITHDRAWN, subject, client_id, {}, at)

"""Facts about ways to sign in: whose, of what kind, when; never the proof itself."""

from datetime import datetime
from uuid import UUID

from sebalai_shared.clock import to_text
from sebalai_shared.events import Event

INVITED = "identity.person.invited.v1"
ADDED = "identity.credential.added.v1"
REMOVED = "identity.credential.removed.v1"
SOURCE = "urn:sebalai:identity"


def invited(
    person_id: UUID, sponsor: str | None, expires_at: datetime, *, forgets_factors: bool
) -> dict[str, object]:
    """What is told of an invitation, beside who made it."""
    return {
        "person_id": str(person_id),
        "sponsor": sponsor,
        "expires_at": to_text(expires_at),
        "forgets_factors": forgets_factors,
    }


def added(person_id: UUID, kind: str, at: datetime) -> Event:
    """`kind` is password, one-time, recovery, passkey or link."""
    return Event(ADDED, SOURCE, str(person_id), {"person_id": str(person_id), "kind": kind}, at)


def removed(person_id: UUID, kind: str, at: datetime) -> Event:
    return Event(REMOVED, SOURCE, str(person_id), {"person_id": str(person_id), "kind": kind}, at)

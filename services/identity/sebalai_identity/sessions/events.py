"""Facts about sessions: who (by id), how surely, from when; no device, no address, no name."""

from datetime import datetime
from uuid import UUID

from sebalai_shared.events import Event

STARTED = "identity.session.started.v1"
RAISED = "identity.session.raised.v1"
ENDED = "identity.session.ended.v1"
SOURCE = "urn:sebalai:identity"


def started(session_id: UUID, subject: UUID, acr: str, amr: tuple[str, ...], at: datetime) -> Event:
    return _authenticated(STARTED, session_id, subject, acr, amr, at)


def _authenticated(
    kind: str, session_id: UUID, subject: UUID, acr: str, amr: tuple[str, ...], at: datetime
) -> Event:
    data = {"session_id": str(session_id), "subject": str(subject), "acr": acr, "amr": list(amr)}
    return Event(kind, SOURCE, str(session_id), data, at)


def raised(session_id: UUID, subject: UUID, acr: str, amr: tuple[str, ...], at: datetime) -> Event:
    """The person has authenticated again in the same session, perhaps more surely."""
    return _authenticated(RAISED, session_id, subject, acr, amr, at)


def ended(session_id: UUID, subject: UUID, reason: str, at: datetime) -> Event:
    data = {"session_id": str(session_id), "subject": str(subject), "reason": reason}
    return Event(ENDED, SOURCE, str(session_id), data, at)

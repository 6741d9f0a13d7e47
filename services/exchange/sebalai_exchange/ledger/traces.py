"""A call's trace: when it passed which station and on what ground, from its ledger entry.

Never what it carried: a digest of a short answer could be guessed back to the person in it.
"""

import json
from typing import Any
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.problems import NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.ledger import store
from sebalai_exchange.ledger.entry import Entry
from sebalai_exchange.usage.actions import require_view

FIELDS = (
    "message_id", "requested_at", "forwarded_at", "responded_at", "completed_at", "provider",
    "interface", "method", "outcome", "status", "problem", "agreement", "rule", "purpose",
    "legal_basis", "trace_id",
)  # fmt: skip
PARTY_FIELDS = ("consumer", "correlation_id")
APPLICATION_PARTS = 4


class CallUnknown(NotFound):
    slug, title = "call-unknown", "There is no such call, or it is not yours to see"


async def read_trace(session: AsyncSession, *, caller: Caller, message_id: UUID) -> dict[str, Any]:
    """Parties and the operator see all of it; the portal sees the consumer's agency only.

    Raises `NoCallsForYou`, `CallUnknown`.
    """
    view = require_view(caller)
    found = await store.find(session, message_id)
    is_call = found is not None and found.entry.kind == "call"
    if (
        found is None
        or not is_call
        or not (view.sees_all or _is_party(view.application, found.entry))
    ):
        raise CallUnknown("A call is listed within seconds after it ends; check the message id.")
    payload: dict[str, Any] = json.loads(found.entry.payload)
    shown = FIELDS if view.is_redacted else FIELDS + PARTY_FIELDS
    trace = {name: payload.get(name) for name in shown}
    return trace | {"consumer_agency": _agency(payload.get("consumer"))}


def _is_party(application: str | None, entry: Entry) -> bool:
    return application is not None and application in {entry.consumer, entry.provider}


def _agency(application: Any) -> str | None:
    parts = application.split("/") if isinstance(application, str) else []
    return parts[2] if len(parts) == APPLICATION_PARTS else None

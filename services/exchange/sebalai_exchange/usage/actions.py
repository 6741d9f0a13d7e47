"""The list of calls: noting them as they arrive, showing them to whom they concern."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import from_text
from sebalai_shared.problems import Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.usage import access, store
from sebalai_exchange.usage.access import View
from sebalai_exchange.usage.store import CallFilter

__all__ = ["CallFilter"]

TEXT_LENGTH_MAX = 300
INTEGER_MAX = 2**31 - 1
OUTCOME_UNKNOWN = "unknown"
_TEXTS = (
    "consumer",
    "provider",
    "interface",
    "method",
    "problem",
    "purpose",
    "legal_basis",
    "agreement",
    "rule",
    "trace_id",
    "correlation_id",
)


class NoCallsForYou(Forbidden):
    slug, title = "no-calls-visible", "This caller has no calls to see"


class CallUnknown(NotFound):
    slug, title = "call-unknown", "There is no such call, or it is not yours to see"


async def note_calls(session: AsyncSession, *, payloads: Sequence[Mapping[str, Any]]) -> None:
    """Notes calls whose id and time the ledger has checked; those known change nothing."""
    if payloads:
        await store.add(session, [_row(payload) for payload in payloads])


def _row(payload: Mapping[str, Any]) -> dict[str, Any]:
    status = payload.get("status")
    completed_at = from_text(payload["completed_at"])
    row: dict[str, Any] = {name: _text(payload.get(name)) for name in _TEXTS}
    return row | {
        "message_id": UUID(payload["message_id"]),
        "at": completed_at,
        "requested_at": _time(payload.get("requested_at")) or completed_at,
        "forwarded_at": _time(payload.get("forwarded_at")),
        "responded_at": _time(payload.get("responded_at")),
        "outcome": _text(payload.get("outcome")) or OUTCOME_UNKNOWN,
        "status": status if _is_integer(status) else None,
    }


def _text(value: Any) -> str | None:
    if not isinstance(value, str) or "\0" in value:
        return None
    return value[:TEXT_LENGTH_MAX]


def _time(value: Any) -> datetime | None:
    try:
        return from_text(value)
    except (ValueError, TypeError):
        return None


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= INTEGER_MAX


def require_view(caller: Caller) -> View:
    """Raises `NoCallsForYou`."""
    view = access.view_of(caller)
    if view is None:
        raise NoCallsForYou("Call as a registered application.")
    return view


async def list_calls(
    session: AsyncSession,
    *,
    view: View,
    wanted: CallFilter,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Any]:
    return await store.page(session, view, wanted, before, limit)


async def find_call(session: AsyncSession, *, view: View, message_id: UUID) -> Any:
    """Raises `CallUnknown`."""
    row = await store.find(session, view, message_id)
    if row is None:
        raise CallUnknown("Calls are listed a moment after they end; see /v1/calls.")
    return row

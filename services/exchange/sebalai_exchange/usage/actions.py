"""The list of calls: noting them as they arrive, showing them to whom they concern."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import from_text
from sebalai_shared.problems import FieldInvalid, Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.usage import access, store
from sebalai_exchange.usage.access import View
from sebalai_exchange.usage.counting import count_uses
from sebalai_exchange.usage.store import CallFilter

__all__ = ["CallFilter"]

TEXT_LENGTH_MAX = 300
DEVIATIONS_PER_CALL_MAX = 10
STATISTICS_DAYS_MAX = 31
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
        rows = [_row(payload) for payload in payloads]
        added = await store.add(session, rows)
        await count_uses(session, rows=rows, added=added)
        await store.add_deviations(session, _deviations(payloads, added))


def _deviations(
    payloads: Sequence[Mapping[str, Any]], added: set[UUID]
) -> Counter[tuple[str, str, str]]:
    """How often each deviation came newly: by interface, contract and what deviates."""
    counted: Counter[tuple[str, str, str]] = Counter()
    for payload in payloads:
        interface, contract = _text(payload.get("interface")), _text(payload.get("contract_sha256"))
        told = payload.get("deviations")
        if interface is None or contract is None or not isinstance(told, list):
            continue
        if UUID(payload["message_id"]) in added:
            texts = [_text(one) for one in cast("list[Any]", told)[:DEVIATIONS_PER_CALL_MAX]]
            counted.update((interface, contract, one) for one in texts if one)
    return counted


async def list_deviations(
    session: AsyncSession, *, caller: Caller, interface: str | None, limit: int
) -> Sequence[Any]:
    """Of the caller's own interfaces (the operator: of all), the most frequent first."""
    provider = None if caller.is_operator else caller.application or ""
    return await store.deviations(session, provider, interface, limit)


async def statistics(
    session: AsyncSession, *, view: View, since: datetime, until: datetime
) -> Sequence[Any]:
    """Calls by interface, consumer and outcome, with the times of each side.

    Raises `FieldInvalid` when the period is not one of at most STATISTICS_DAYS_MAX days.
    """
    if not since < until or until - since > timedelta(days=STATISTICS_DAYS_MAX):
        raise FieldInvalid("/since", f"must lie before until, at most {STATISTICS_DAYS_MAX} days")
    return await store.statistics(session, view, since, until)


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


def require_view(caller: Caller, wanted: CallFilter | None = None) -> View:
    """What the caller sees, and may ask for with that filter.

    Raises `NoCallsForYou`, and `FieldInvalid` where a filter would tell the application that the
    redacted view leaves out.
    """
    view = access.view_of(caller)
    if view is None:
        raise NoCallsForYou("Call as a registered application.")
    if view.is_redacted and wanted is not None:
        for field in ("consumer", "without_consumer"):
            if getattr(wanted, field) not in (None, view.application):
                raise FieldInvalid(f"/{field}", "must be your own application in this view")
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

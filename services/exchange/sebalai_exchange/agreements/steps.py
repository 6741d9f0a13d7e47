"""The life of an agreement: which step leads from which states to which, and the fact it makes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sebalai_exchange.agreements import events, store
from sebalai_exchange.agreements.access import APPROVALS_FOR_SPECIFIC, Parties, Side, Step
from sebalai_exchange.agreements.categories import specific
from sebalai_exchange.agreements.model import Agreement
from sebalai_exchange.names import speaker_of


@dataclass(frozen=True)
class Move:
    """From which states a step leads to which, and the fact it makes."""

    before: frozenset[str]
    after: str
    fact: str


MOVES: Mapping[Step, Move] = {
    "grant": Move(frozenset({"requested"}), "granted", events.GRANTED),
    "suspend": Move(frozenset({"granted"}), "suspended", events.SUSPENDED),
    "resume": Move(frozenset({"suspended"}), "granted", events.RESUMED),
    "revoke": Move(frozenset({"requested", "granted", "suspended"}), "revoked", events.REVOKED),
}


def state_at(agreement: Agreement, now: datetime) -> str:
    """The decided state, or `expired` once its time is over (what has ended stays ended)."""
    is_over = agreement.valid_until <= now and agreement.state not in store.ENDED
    return "expired" if is_over else agreement.state


def approvals_needed(data_categories: list[str]) -> int:
    return APPROVALS_FOR_SPECIFIC if specific(data_categories) else 1


def parties_of(agreement: Agreement) -> Parties:
    asking: Side = "provider" if agreement.asking_side == "provider" else "consumer"
    return Parties(
        speaker_of(agreement.consumer),
        agreement.provider,
        agreement.requested_by,
        asking,
        approvals_needed(agreement.data_categories),
        tuple(str(approval["by"]) for approval in agreement.approvals),
    )

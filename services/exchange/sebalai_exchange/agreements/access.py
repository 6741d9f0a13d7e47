"""Who may ask for and decide on agreements, as pure functions; `store.visible_to` says who sees.

Two sides make an agreement (UU PDP pasal 15 and 20: the controller answers for whom it serves, the
receiver for why it asks): one asks, the other grants, and nobody decides on a request of their own.
Specific personal data (pasal 4 ayat 2) need two who approve.
"""

from dataclasses import dataclass
from typing import Literal

from sebalai_shared.caller import Caller

from sebalai_exchange.names import agency_of

MANAGE = "exchange.manage"
APPROVALS_FOR_SPECIFIC = 2

Step = Literal["grant", "suspend", "resume", "revoke"]
Side = Literal["consumer", "provider"]


@dataclass(frozen=True)
class Parties:
    """The applications an agreement stands between, and how far deciding on it has come.

    `consumer` speaks for the consuming side: the application itself, or the owner of a group.
    """

    consumer: str
    provider: str
    requested_by: str
    asking: Side = "consumer"
    approvals_needed: int = 1
    approved_by: tuple[str, ...] = ()

    @property
    def asker(self) -> str:
        return self.consumer if self.asking == "consumer" else self.provider

    @property
    def granter(self) -> str:
        return self.provider if self.asking == "consumer" else self.consumer


def who(caller: Caller) -> str:
    """The name a decision is written under."""
    return str(caller.application or caller.subject)


def _acts_for(caller: Caller, application: str) -> bool:
    is_own = caller.application == application and caller.agency == agency_of(application)
    return is_own and caller.has_scope(MANAGE)


def _is_of_the_agency(caller: Caller, application: str) -> bool:
    """Another application of the same agency: a second desk of the same house."""
    own = caller.application or ""
    is_same = own.split("/")[:3] == application.split("/")[:3]
    return is_same and caller.agency == agency_of(application) and caller.has_scope(MANAGE)


def side_of_request(caller: Caller, consumer: str, provider: str) -> Side | None:
    """For which side the caller may ask; the operator asks in the consumer's place."""
    if _acts_for(caller, consumer):
        return "consumer"
    if _acts_for(caller, provider):
        return "provider"
    return "consumer" if caller.is_operator else None


def is_own_request(caller: Caller, parties: Parties) -> bool:
    """Whether the caller asked for it, or is the side that asked."""
    return who(caller) in {parties.requested_by, parties.asker}


def has_approved(caller: Caller, parties: Parties) -> bool:
    return who(caller) in parties.approved_by


def may_take(step: Step, caller: Caller, parties: Parties) -> bool:
    """Whether the caller may take this step.

    The consumer may only end what it has; a request is granted by someone other than who made it,
    even inside one agency and even by the operator.
    """
    if step == "revoke" and _acts_for(caller, parties.consumer):
        return True
    if step == "grant":
        return _may_grant(caller, parties)
    return caller.is_operator or _acts_for(caller, parties.provider)


def _may_grant(caller: Caller, parties: Parties) -> bool:
    """The first approval is the granting side's own; a second may come from another application of
    the same agency, or from the operator, but never from who approved first.
    """
    if is_own_request(caller, parties) or has_approved(caller, parties):
        return False
    if caller.is_operator or _acts_for(caller, parties.granter):
        return True
    return bool(parties.approved_by) and _is_of_the_agency(caller, parties.granter)

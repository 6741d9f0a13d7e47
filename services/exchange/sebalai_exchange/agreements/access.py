"""Who may ask for, decide on and see agreements, as pure functions.

Two sides make an agreement (UU PDP pasal 15 and 20: the controller answers for whom it serves, the
receiver for why it asks), so nobody decides on a request of their own.
"""

from dataclasses import dataclass
from typing import Literal

from sebalai_shared.caller import Caller

from sebalai_exchange.names import agency_of

MANAGE = "exchange.manage"

Step = Literal["grant", "suspend", "resume", "revoke"]


@dataclass(frozen=True)
class Parties:
    """The applications an agreement stands between, and the one that asked for it."""

    consumer: str
    provider: str
    requested_by: str


def _acts_for(caller: Caller, application: str) -> bool:
    is_own = caller.application == application and caller.agency == agency_of(application)
    return is_own and caller.has_scope(MANAGE)


def may_request(caller: Caller, consumer: str) -> bool:
    return caller.is_operator or _acts_for(caller, consumer)


def may_see(caller: Caller, parties: Parties) -> bool:
    return caller.is_operator or caller.application in {parties.consumer, parties.provider}


def is_own_request(caller: Caller, parties: Parties) -> bool:
    """Whether the caller asked for it, or is the side that it serves."""
    return caller.application in {parties.requested_by, parties.consumer}


def may_take(step: Step, caller: Caller, parties: Parties) -> bool:
    """Whether the caller may take this step.

    The consumer may only end what it has; a request is granted by someone other than who made it,
    even inside one agency and even by the operator.
    """
    if step == "revoke" and _acts_for(caller, parties.consumer):
        return True
    if step == "grant" and is_own_request(caller, parties):
        return False
    return caller.is_operator or _acts_for(caller, parties.provider)

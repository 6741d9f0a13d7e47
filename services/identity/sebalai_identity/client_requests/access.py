"""Who asks for a client and who approves it: never one hand (`administration`)."""

from sebalai_shared.caller import Caller

from sebalai_identity.administration import Decision, Hand, decide
from sebalai_identity.client_requests.model import ClientRequest


def may_see_all(caller: Caller) -> bool:
    return decide("see-clients", caller).is_allowed


def asking(caller: Caller, agency: str) -> Decision:
    return decide("ask-client", caller, agency=agency)


def approving(caller: Caller) -> Decision:
    """Whether they decide on clients at all."""
    return decide("decide-client", caller)


def deciding(caller: Caller, row: ClientRequest) -> Decision:
    hands = (Hand(row.asked_by, row.asked_by_system_of), Hand(row.handed_to))
    return decide("decide-client", caller, agency=row.agency, hands=hands)


def confirming(caller: Caller, row: ClientRequest) -> Decision:
    """As the second of two."""
    hands = (Hand(row.confirmed_by, row.confirmed_by_system_of),)
    return decide("decide-client", caller, agency=row.agency, hands=hands)

"""Who asks for a client and who approves it: never one hand (`duties`)."""

from sebalai_shared.caller import Caller

APPROVE = "identity.clients"


def may_approve(caller: Caller) -> bool:
    return caller.has_scope(APPROVE)


def may_ask_for(caller: Caller, agency: str) -> bool:
    """Those of the agency, for their own agency."""
    return caller.agency == agency or may_approve(caller)

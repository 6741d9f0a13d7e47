"""Who may publish and change interfaces, as pure functions.

Publishing is the provider's own act (UU PDP pasal 20: the controller decides whom it serves), so
only the application named in the interface, or the operator, does it. Contracts are public;
addresses are not.
"""

from sebalai_shared.caller import Caller

from sebalai_exchange.names import agency_of

MANAGE = "exchange.manage"


def who(caller: Caller) -> str:
    """The name a decision is written under."""
    return str(caller.application or caller.subject)


def may_manage(caller: Caller, provider: str) -> bool:
    """Whether the caller may publish or retire interfaces of the application `provider`."""
    if caller.is_operator:
        return True
    is_own = caller.application == provider and caller.agency == agency_of(provider)
    return is_own and caller.has_scope(MANAGE)


def may_have_read(caller: Caller) -> bool:
    """Whether contracts are read for the caller: reading one costs two seconds of a processor."""
    return caller.has_scope(MANAGE)


def may_name_member(caller: Caller) -> bool:
    """An interface of the platform itself receives caller assertions: the operator's alone."""
    return caller.is_operator


def may_see_addresses(caller: Caller, provider: str) -> bool:
    return caller.is_operator or caller.application == provider

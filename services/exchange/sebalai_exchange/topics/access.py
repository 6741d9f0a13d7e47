"""Who may describe event types, as pure functions. A type belongs to the agency its name begins
with (UU PDP pasal 20: the controller decides what is told to whom).
"""

from sebalai_shared.caller import Caller

MANAGE = "exchange.manage"
PLATFORM_OWNERS = ("identity", "catalog", "archive", "exchange", "gateway")


def owner_of(kind: str) -> str:
    return kind.partition(".")[0]


def may_describe(caller: Caller, kind: str) -> bool:
    if caller.is_operator:
        return True
    owner = owner_of(kind)
    return owner not in PLATFORM_OWNERS and caller.agency == owner and caller.has_scope(MANAGE)


def may_change(caller: Caller, application: str | None) -> bool:
    """A type is changed by the application that described it first."""
    return caller.is_operator or (caller.application == application and caller.has_scope(MANAGE))

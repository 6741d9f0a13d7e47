"""Who may make groups of consumers and change who is in them, as pure functions.

The owner invites, the application itself joins: nobody gets rights or duties it did not want.
Either of both ends it.
"""

from sebalai_shared.caller import Caller

from sebalai_exchange.names import agency_of

MANAGE = "exchange.manage"


def acts_for(caller: Caller, application: str) -> bool:
    is_own = caller.application == application and caller.agency == agency_of(application)
    return is_own and caller.has_scope(MANAGE)


def may_own(caller: Caller, owner: str) -> bool:
    return caller.is_operator or acts_for(caller, owner)


def may_remove(caller: Caller, owner: str, application: str) -> bool:
    return may_own(caller, owner) or acts_for(caller, application)

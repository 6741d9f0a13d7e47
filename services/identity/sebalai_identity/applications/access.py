"""Who may register, suspend and see applications, as pure functions.

Registering hands out a name on the bus, so it is the platform operator's act (Perpres 95/2018
pasal 33: the service bus is run by one unit). An agency sees its own applications. Scopes that open
people, rights or the platform take a second pair of eyes (PP 60/2008 pasal 3 and 18).
"""

from collections.abc import Collection

from sebalai_shared.caller import Caller

from sebalai_identity.applications.schema import SENSITIVE_SCOPES


def may_operate(caller: Caller) -> bool:
    return caller.is_operator


def needs_two(scopes: Collection[str]) -> bool:
    """Whether an application with these scopes is registered or changed by two alone."""
    return not SENSITIVE_SCOPES.isdisjoint(scopes)

"""Who enters an agency's maklumat: the agency itself, because its head signed it.

Source: UU 25/2009 art. 22 (the provider makes and publishes it).
"""

from sebalai_shared.caller import Caller

DECIDE = "catalog.decide"


def may_enter(caller: Caller, agency: str) -> bool:
    return caller.is_operator or (caller.agency == agency and caller.has_scope(DECIDE))

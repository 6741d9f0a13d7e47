"""Who may change the calendar: the operator for all, an agency its own exceptions.

Source: holidays and cuti bersama are set by joint ministerial decree; closures of an office by its
head (a proposal of ours, no rule was found).
"""

from sebalai_shared.caller import Caller

DECIDE = "catalog.decide"


def may_change(caller: Caller, agency: str, province: str) -> bool:
    if caller.is_operator:
        return True
    return agency not in (province, "") and caller.agency == agency and caller.has_scope(DECIDE)

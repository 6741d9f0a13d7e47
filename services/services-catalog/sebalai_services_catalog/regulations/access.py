"""Who keeps the register: Biro Hukum, and the operator.

Source: keeping the documentation of law (JDIH) is the legal bureau's duty (Perpres 33/2012).
"""

from sebalai_shared.caller import Caller

DECIDE = "catalog.decide"
LEGAL_BUREAU = "biro-hukum"


def may_keep_register(caller: Caller) -> bool:
    return caller.is_operator or (caller.agency == LEGAL_BUREAU and caller.has_scope(DECIDE))

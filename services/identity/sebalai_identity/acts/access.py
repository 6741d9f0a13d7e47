"""Who may read the audit trail (Perpres 95/2018 pasal 40: security by trace and inspection)."""

from sebalai_shared.caller import Caller

AUDIT = "identity.audit"


def may_read_all(caller: Caller) -> bool:
    return caller.has_scope(AUDIT)

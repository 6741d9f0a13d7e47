"""Who may describe software: an agency its own; pure.

Source: who has software made by the state keeps its source and description (Perpres 95/2018 art. 36
on applications shared by agencies; known, not read).
"""

from sebalai_shared.caller import Caller

WRITE = "catalog.write"


def may_describe(caller: Caller, agency: str) -> bool:
    return caller.is_operator or (caller.agency == agency and caller.has_scope(WRITE))

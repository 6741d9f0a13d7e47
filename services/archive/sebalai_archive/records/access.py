"""Who may keep and read records, as pure functions.

A creator keeps its own archive (UU 43/2009 pasal 40); an agency therefore writes and reads its own
records only. Classes (SKKAAD), ranks and leave to read come with the security rules.
"""

from sebalai_shared.caller import Caller

WRITE = "archive.write"


def may_write(caller: Caller) -> bool:
    """Whether the caller may draft and declare records of its agency."""
    return caller.agency is not None and caller.has_scope(WRITE)

"""Who may see and register an incoming letter, as pure functions.

The office that keeps the agenda sees all of its agency's letters. Everybody else needs a live
disposition, or to be the one the letter is for: a colleague's curiosity opens nothing.
"""

from sebalai_shared.caller import Caller

WRITE = "archive.write"
REGISTER = "archive.agenda"


def may_register(caller: Caller) -> bool:
    """The office itself: an application that may write, or an official with the agenda's scope."""
    if caller.agency is None:
        return False
    if caller.kind == "system":
        return caller.has_scope(WRITE)
    return caller.has_scope(REGISTER)

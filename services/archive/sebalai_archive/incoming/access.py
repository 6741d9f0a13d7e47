"""Who may see and register an incoming letter, as pure functions.

The office keeps the agenda of its agency: it knows every letter by its envelope (sender, number,
date, class), and opens those of the classes it reads. The agency's head opens by class as well.
Everybody else needs a part in the letter: to be the one it is for, or a live disposition, which is
one that was not recalled. A colleague's curiosity opens nothing.
"""

from sebalai_shared.caller import Caller

from sebalai_archive.reader import Reader

WRITE = "archive.write"


def may_register(caller: Caller) -> bool:
    """The office itself: an application or an archivist that may write to the agency's archive."""
    return caller.agency is not None and caller.has_scope(WRITE)


def opens_by_class(caller: Caller, reader: Reader) -> bool:
    """Whether the caller opens letters of its classes without a part in them."""
    return may_register(caller) or reader.rank in {"head", "operator"}

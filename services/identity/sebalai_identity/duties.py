"""Separation of duties: whose hand a caller is.

A person is one hand. A system stands for whoever runs it, so all systems of one agency are one hand
too: otherwise one office with two keys would agree with itself. What one hand may not do twice
stands in `administration.cedar`.
Source: PP 60/2008 pasal 3 and 18 (internal control: no one person holds all of a decision).
"""

from sebalai_shared.caller import Caller

SYSTEM = "system"


def system_of(caller: Caller) -> str | None:
    """The agency whose system calls; None for a person. Kept beside who asked."""
    return caller.agency if caller.kind == SYSTEM else None

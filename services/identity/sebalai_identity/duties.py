"""Separation of duties: whether who decides is the same hand as who asked, as pure functions.

A person is one hand. A system stands for whoever runs it, so all systems of one agency are one hand
too: otherwise one office with two keys would agree with itself.
Source: PP 60/2008 pasal 3 and 18 (internal control: no one person holds all of a decision).
"""

from sebalai_shared.caller import Caller

SYSTEM = "system"


def system_of(caller: Caller) -> str | None:
    """The agency whose system calls; None for a person. Kept beside who asked."""
    return caller.agency if caller.kind == SYSTEM else None


def are_one_hand(caller: Caller, asked_by: str, asked_by_system_of: str | None) -> bool:
    """Whether `caller` is who asked, or a system of the agency whose system asked."""
    agency = system_of(caller)
    return caller.subject == asked_by or (agency is not None and agency == asked_by_system_of)

"""Who may see which calls, and how much of each, as pure functions.

Parties see their own calls, the operator all. The portal shows everyone that agencies exchange data
and how it ended (keterbukaan informasi publik, UU 14/2008 pasal 7): it calls over the bus under an
agreement with the purpose below, and gets only what may be shown to all.
"""

from dataclasses import dataclass

from sebalai_shared.caller import Caller

PUBLIC_PURPOSE = "penyajian-portal"


@dataclass(frozen=True)
class View:
    """What a caller sees: all rows or an application's own; whole or redacted."""

    sees_all: bool
    application: str | None
    is_redacted: bool


def view_of(caller: Caller) -> View | None:
    """None when the caller sees nothing at all."""
    if caller.is_operator:
        return View(sees_all=True, application=None, is_redacted=False)
    if caller.message_id is not None and caller.purpose == PUBLIC_PURPOSE:
        return View(sees_all=True, application=None, is_redacted=True)
    if caller.application is not None:
        return View(sees_all=False, application=caller.application, is_redacted=False)
    return None

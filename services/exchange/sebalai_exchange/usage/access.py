"""Who may see which calls, and how much of each, as pure functions.

Parties see their own calls, the operator all. The portal shows everyone that agencies exchange data
and how it ended (keterbukaan informasi publik, UU 14/2008 pasal 7): it calls over the bus under an
agreement with the purpose below, and gets only what may be shown to all.

The purpose is the key, and no name of an application: it stands in a caller's assertion only when
the gateway has found it, for this path, in an agreement that the platform's own application has
granted. Who else is to see the redacted list is decided there, by an agreement, and ends with it.
"""

from dataclasses import dataclass

from sebalai_shared.caller import Caller

PUBLIC_PURPOSE = "penyajian-portal"
MANAGE = "exchange.manage"
LEAD = "catalog.decide"
"""What heads of agencies read the rest of their view with (services-catalog)."""


@dataclass(frozen=True)
class View:
    """What a caller sees: all rows or an application's own; whole or redacted. `application` is
    the viewer's own (None for the operator).
    """

    sees_all: bool
    application: str | None
    is_redacted: bool


def view_of(caller: Caller) -> View | None:
    """None when the caller sees nothing at all."""
    if caller.is_operator:
        return View(sees_all=True, application=None, is_redacted=False)
    if caller.message_id is not None and caller.purpose == PUBLIC_PURPOSE:
        return View(sees_all=True, application=caller.application, is_redacted=True)
    if caller.application is not None:
        return View(sees_all=False, application=caller.application, is_redacted=False)
    return None


def house_of_idle(caller: Caller) -> str | None:
    """Whose unused agreements a caller sees: "" for everybody's, None for nobody's.

    Heads across agencies, because an agreement that nobody uses is a right too many (UU 27/2022
    pasal 16 ayat 2: processing is limited to its purpose).
    """
    if caller.is_operator or caller.has_scope(LEAD):
        return ""
    if caller.application is not None and caller.has_scope(MANAGE):
        return caller.application.rpartition("/")[0]
    return None

"""Rooms and their event types in our names, and back. Pure.

A room is an application. What GovStack calls `newBirth` in the room of `dp3acskb/kependudukan` is
our `dp3acskb.kependudukan.new-birth.v1`: a capital is written `-` and its small letter, so that
each name has one other and comes back as it was given. A type that was described here under
another name is called by that whole name, which has dots.
"""

import re

from sebalai_exchange.names import EVENT_TYPE_PATTERN, agency_of

_OWN = re.compile(r"^[A-Za-z][A-Za-z0-9_]{0,31}$")
_OURS = re.compile(EVENT_TYPE_PATTERN)
_CAPITAL, _ENCODED = re.compile("[A-Z]"), re.compile("-([a-z])")
WORD_LENGTH_MAX = 32


class MalformedNameError(ValueError):
    """No event type can be called so."""


def room_interface(room: str) -> str:
    """The interface whose agreements say who publishes into a room and who hears of it."""
    return f"{room}/room"


def to_ours(room: str, name: str) -> str:
    """The event type that `name` is in this room. Raises: MalformedNameError."""
    if "." in name:
        return _checked(name)
    if not _OWN.match(name):
        raise MalformedNameError(
            "letters, digits and _, a letter first, at most 32; or a whole name"
        )
    word = _CAPITAL.sub(lambda found: "-" + found[0].lower(), name)
    if len(word) > WORD_LENGTH_MAX:
        raise MalformedNameError(f"at most {WORD_LENGTH_MAX}, with one more for each capital")
    return _checked(f"{_beginning(room)}{word}.v1")


def to_theirs(room: str, kind: str) -> str:
    """What `to_ours` makes `kind` of."""
    word = kind.removeprefix(_beginning(room)).removesuffix(".v1")
    name = _ENCODED.sub(lambda found: found[1].upper(), word)
    try:
        return name if "." not in name and to_ours(room, name) == kind else kind
    except MalformedNameError:
        return kind


def _beginning(room: str) -> str:
    return f"{agency_of(room)}.{room.rpartition('/')[2]}."


def _checked(kind: str) -> str:
    if not _OURS.match(kind):
        raise MalformedNameError(
            "gives no <owner>.<noun>.<past verb>.v<n> of at most 32 letters each"
        )
    return kind

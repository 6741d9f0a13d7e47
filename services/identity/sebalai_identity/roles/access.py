"""Separation of duties over roles, as pure functions.

Source: PP 60/2008 pasal 3 and 18 (internal control: no one person holds all of a decision);
Perpres 95/2018 pasal 40. Who is one hand: `duties`.
"""

from datetime import datetime, timedelta

from sebalai_shared.caller import Caller

from sebalai_identity.roles.model import ROLES

KEEP_ROLES = "identity.roles"
SENSITIVE_MAX = timedelta(days=366)
"""A sensitive role is looked at again each year."""


def may_keep(caller: Caller) -> bool:
    return caller.has_scope(KEEP_ROLES)


def is_own(actor: str, person_id: object) -> bool:
    return actor == str(person_id)


def ask_fault(
    role: str, agency: str | None, valid_from: datetime, valid_until: datetime | None
) -> tuple[str, str] | None:
    """(field, reason) of what is wrong with a grant that is asked for, if anything."""
    known = ROLES[role]
    if known.is_of_agency != (agency is not None):
        word = "Name the agency." if known.is_of_agency else "The role is not of an agency."
        return "/agency", word
    if valid_until is not None and valid_until <= valid_from:
        return "/valid_until", "The end lies after the start."
    if known.is_sensitive and (valid_until is None or valid_until - valid_from > SENSITIVE_MAX):
        return "/valid_until", f"A sensitive role ends within {SENSITIVE_MAX.days} days."
    return None

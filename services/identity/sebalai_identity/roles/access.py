"""Separation of duties over roles, as pure functions.

Source: PP 60/2008 pasal 3 and 18 (internal control: no one person holds all of a decision);
Perpres 95/2018 pasal 40. Who is one hand: `administration`.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sebalai_shared.caller import Caller

from sebalai_identity.administration import Decision, Hand, decide
from sebalai_identity.roles.model import ROLES, RoleGrant

SENSITIVE_MAX = timedelta(days=366)
"""A sensitive role is looked at again each year."""


def may_keep(caller: Caller) -> bool:
    return decide("keep-roles", caller).is_allowed


def granting(caller: Caller, person_id: UUID) -> Decision:
    return decide("grant-role", caller, subject_of=str(person_id))


def deciding(caller: Caller, row: RoleGrant) -> Decision:
    hands = (Hand(row.asked_by, row.asked_by_system_of),)
    return decide("decide-role", caller, hands=hands, subject_of=str(row.person_id))


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

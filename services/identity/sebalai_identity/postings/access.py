"""Rules of acting officials and of signing for others, as pure functions.

Source: UU 30/2014 pasal 13 and 14 (delegasi, mandat); SE Kepala BKN 1/SE/I/2021 (Plt. for three
months, once longer by three); Permendagri 1/2023 (a.n. and u.b. in naskah dinas).
"""

from datetime import datetime, timedelta

from sebalai_identity.postings.model import AN, DEFINITIVE, UB, Delegation, Posting

ACTING_MAX = timedelta(days=184)
DELEGATION_MAX = timedelta(days=366)
"""A mandate is renewed at least yearly; one without an end would outlive the reason for it."""


def posting_fault(
    kind: str, valid_from: datetime, valid_until: datetime | None
) -> tuple[str, str] | None:
    """(field, reason) of what is wrong with a new posting's period, if anything."""
    if valid_until is None:
        is_open_allowed = kind == DEFINITIVE
        return None if is_open_allowed else ("/valid_until", "An acting official has an end.")
    if valid_until <= valid_from:
        return "/valid_until", "The end lies after the start."
    if kind != DEFINITIVE and valid_until - valid_from > ACTING_MAX:
        return "/valid_until", f"At most {ACTING_MAX.days} days; then a definitive holder."
    return None


def delegation_fault(
    wanted: Delegation, giver: Posting, receiver: Posting, parent: Delegation | None
) -> tuple[str, str] | None:
    """(field, reason) of what is wrong with a new delegation, if anything."""
    faults = (
        (wanted.valid_until <= wanted.valid_from, "/valid_until", "The end lies after the start."),
        (
            wanted.valid_until - wanted.valid_from > DELEGATION_MAX,
            "/valid_until",
            f"At most {DELEGATION_MAX.days} days.",
        ),
        (giver.person_id == receiver.person_id, "/to_posting_id", "Nobody signs for themself."),
        (
            giver.position_id == receiver.position_id,
            "/to_posting_id",
            "The same position needs no delegation.",
        ),
        (not _covers(giver, wanted), "/from_posting_id", "Its period does not hold the whole."),
        (not _covers(receiver, wanted), "/to_posting_id", "Its period does not hold the whole."),
        (wanted.kind == AN and parent is not None, "/parent_id", "An a.n. rests on nothing."),
        (wanted.kind == UB and parent is None, "/parent_id", "Name the a.n. that it rests on."),
    )
    for is_wrong, field, reason in faults:
        if is_wrong:
            return field, reason
    return _chain_fault(wanted, giver, parent) if parent is not None else None


def _chain_fault(wanted: Delegation, giver: Posting, parent: Delegation) -> tuple[str, str] | None:
    if parent.kind != AN or parent.to_posting_id != giver.id or parent.is_cancelled:
        return "/parent_id", "It is no a.n. that the giver holds."
    if not set(wanted.matters) <= set(parent.matters):
        return "/matters", "Nobody passes on what they were not given."
    if not (parent.valid_from <= wanted.valid_from and wanted.valid_until <= parent.valid_until):
        return "/valid_until", "It lies within the period of the a.n."
    return None


def _covers(posting: Posting, wanted: Delegation) -> bool:
    is_open = posting.valid_until is None or wanted.valid_until <= posting.valid_until
    return not posting.is_cancelled and posting.valid_from <= wanted.valid_from and is_open

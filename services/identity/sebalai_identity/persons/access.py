"""Who may register and see persons, as pure functions.

Civil registration data serves a public duty (UU 27/2022 pasal 20 ayat 2 huruf e), so it is open to
those who were given the duty, and to each person for their own row (pasal 7).
"""

from uuid import UUID

from sebalai_shared.caller import Caller

PEOPLE = "identity.people"
COMPARE = "identity.compare"


def may_manage(caller: Caller) -> bool:
    return caller.has_scope(PEOPLE)


def may_compare(caller: Caller) -> bool:
    """Learns of a known person whether a number is theirs, and nothing else."""
    return caller.has_scope(COMPARE) or caller.has_scope(PEOPLE)


def is_self(caller: Caller, person_id: UUID) -> bool:
    """Who acts for a business is there for nothing of their own."""
    is_person = caller.kind not in {"anonymous", "system", "gateway"}
    return is_person and caller.acting_for is None and caller.subject == str(person_id)

"""Who may keep and read records, as pure functions.

A creator keeps its own archive (UU 43/2009 pasal 40). Classes are those of SKKAAD (Perka ANRI
17/2011): reading takes the class rule AND a need; a higher rank alone opens nothing in another
agency, save for the policy makers (governor, secretary). `store.visible_to` says the same in SQL
and the policy `record_seen` says it a third time; a table test holds the three together.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Literal

from sebalai_shared.caller import Caller

from sebalai_archive.reader import Reader, SecurityClass

WRITE = "archive.write"
LOGGED: tuple[SecurityClass, ...] = ("terbatas", "rahasia", "sangat_rahasia")
Need = Literal["addressee", "leave", "case"]
NEEDS: tuple[Need, ...] = ("addressee", "leave", "case")
Grounds = Literal[
    "public", "creator", "operator", "policy_maker", "assignment", "agency", "unit", "need"
]


@dataclass(frozen=True, slots=True)
class Facts:
    """What of a record decides; `needs` are those given to this reader and valid now."""

    agency: str
    unit: str | None
    security_class: SecurityClass
    is_declared: bool
    subject: str
    needs: AbstractSet[Need] = field(default_factory=frozenset)


def may_write(caller: Caller) -> bool:
    """Whether the caller may draft and declare records of its agency."""
    return caller.agency is not None and caller.has_scope(WRITE)


def may_know(reader: Reader, facts: Facts) -> bool:
    """Whether the record exists for this reader: an archivist knows of all of its agency."""
    is_own = bool(reader.agency) and reader.agency == facts.agency
    return (reader.is_archivist and is_own) or grounds_to_open(reader, facts) is not None


def grounds_to_open(reader: Reader, facts: Facts) -> Grounds | None:
    """Why the reader may have the content; None when it may not."""
    low = facts.security_class in {"biasa", "terbatas"}
    if facts.is_declared and facts.security_class == "biasa":
        return "public"
    if reader.rank == "operator":
        return "operator" if low else None
    is_own = bool(reader.agency) and reader.agency == facts.agency
    if is_own and (own := _own_grounds(reader, facts, is_low=low)):
        return own
    return _wide_grounds(reader, facts, is_own=is_own) if facts.is_declared else None


def _wide_grounds(reader: Reader, facts: Facts, *, is_own: bool) -> Grounds | None:
    if reader.rank == "policy_maker":
        return "policy_maker"
    if reader.assignment is not None:
        return "assignment"
    return "need" if _need_opens(reader, facts, is_own=is_own) else None


def _own_grounds(reader: Reader, facts: Facts, *, is_low: bool) -> Grounds | None:
    if facts.security_class == "biasa":
        return "agency"
    is_creator = bool(reader.subject) and reader.subject == facts.subject
    if is_creator and (is_low or reader.rank in {"system", "policy_maker", "head"}):
        return "creator"
    if reader.rank == "head":
        return None if facts.security_class == "sangat_rahasia" else "agency"
    if facts.security_class != "terbatas":
        return None
    if reader.rank == "system" or reader.is_archivist:
        return "agency"
    is_unit = reader.unit is not None and reader.unit == facts.unit
    return "unit" if reader.rank == "administrator" and is_unit else None


def _need_opens(reader: Reader, facts: Facts, *, is_own: bool) -> bool:
    if reader.rank == "external":
        return "case" in facts.needs
    if reader.rank == "public" or not facts.needs:
        return False
    if facts.security_class == "terbatas":
        return True
    if facts.security_class == "rahasia":
        return reader.rank in {"system", "head", "administrator"}
    return reader.rank == "head" and is_own and "addressee" in facts.needs

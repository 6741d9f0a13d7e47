"""Who keeps outside providers, and whose an outside identity may become, as pure functions."""

from dataclasses import replace
from uuid import UUID

from sebalai_shared.caller import Caller

from sebalai_identity.administration import Decision, Hand, decide
from sebalai_identity.outside_providers.model import OutsideProvider
from sebalai_identity.outside_providers.schema import Proof

LEAST_LEVEL = 1


def may_keep(caller: Caller) -> bool:
    """Those who approve clients: a provider vouches for people as a client never does."""
    return decide("keep-outside-providers", caller).is_allowed


def deciding(caller: Caller, row: OutsideProvider) -> Decision:
    hands = (Hand(row.asked_by, row.asked_by_system_of),)
    return decide("decide-outside-provider", caller, hands=hands)


def level_of(acr: str | None, acr_levels: dict[str, int]) -> int:
    """What the provider's `acr` is worth here: as agreed, else the least. Nothing raises it."""
    return LEAST_LEVEL if acr is None else acr_levels.get(acr, LEAST_LEVEL)


def may_become(proof: Proof, person_id: UUID, *, has_own_nik: bool) -> bool:
    """Whether this person may link what was proven.

    Only who was signed in when it was begun, or whose NIK the provider told; never somebody whose
    NIK is another one. A proof left behind at a shared machine would else be the next one's.
    """
    if proof.person_id not in (None, person_id):
        return False
    if proof.nik_person == person_id:
        return True
    is_begun_by_them = proof.person_id == person_id
    return is_begun_by_them and proof.nik_person is None and not (proof.has_nik and has_own_nik)


def must_prove_again(proof: Proof, person_id: UUID, *, has_own_nik: bool) -> bool:
    """Whether they go once more to the provider, now that they are signed in: nothing else tells
    that it was they who proved it.
    """
    if proof.person_id is not None or may_become(proof, person_id, has_own_nik=has_own_nik):
        return False
    begun_by_them = replace(proof, person_id=person_id)
    return may_become(begun_by_them, person_id, has_own_nik=has_own_nik)

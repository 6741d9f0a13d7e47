"""Who keeps outside providers, and whose an outside identity may become, as pure functions."""

from uuid import UUID

from sebalai_shared.caller import Caller

from sebalai_identity.outside_providers.schema import Proof

KEEP = "identity.clients"
LEAST_LEVEL = 1


def may_keep(caller: Caller) -> bool:
    """Those who approve clients: a provider vouches for people as a client never does."""
    return caller.has_scope(KEEP)


def level_of(acr: str | None, acr_levels: dict[str, int]) -> int:
    """What the provider's `acr` is worth here: as agreed, else the least. Nothing raises it."""
    return LEAST_LEVEL if acr is None else acr_levels.get(acr, LEAST_LEVEL)


def may_become(proof: Proof, person_id: UUID, *, has_own_nik: bool) -> bool:
    """Whether this person may link what was proven.

    Only who began it, and never somebody whose NIK is another than the provider told: one of two
    people at one machine would else get the other's way in.
    """
    if proof.person_id not in (None, person_id):
        return False
    if not proof.has_nik:
        return True
    return proof.nik_person == person_id or (proof.nik_person is None and not has_own_nik)

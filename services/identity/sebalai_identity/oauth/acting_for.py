"""For whom a person acts in one authorization: themself, or a business they represent (eHerkenning
and the like call it a mandate). The client may name which; else who represents one is asked.
"""

from enum import Enum
from typing import Final, Literal
from uuid import UUID

from sebalai_identity.interactions.actions import Interaction, Wanted, named_business
from sebalai_identity.oauth.desk import Desk
from sebalai_identity.oauth.errors import OAuthError
from sebalai_identity.oauth.policy import BUSINESS


class _Open(Enum):
    UNDECIDED = "undecided"


UNDECIDED: Final = _Open.UNDECIDED


async def decide(
    desk: Desk, wanted: Wanted, person: UUID, opened: Interaction | None
) -> UUID | Literal[_Open.UNDECIDED] | None:
    """The business, None for themself, or UNDECIDED: the person has to be asked.

    Raises `OAuthError` access_denied for a business that was named and is not theirs.
    """
    if BUSINESS not in wanted.scopes:
        return None
    if wanted.acting_for is not None:
        business = named_business(wanted.acting_for)
        if business is not None and business not in await desk.businesses(person):
            raise OAuthError("access_denied", "The person does not act for that business.")
        return business
    held = await desk.businesses(person)
    if not held:
        return None
    has_chosen = opened is not None and opened.chosen_by == person
    chosen = opened.chosen if opened is not None and has_chosen else None
    return chosen if has_chosen and (chosen is None or chosen in held) else UNDECIDED

"""Who may read a receipt, as pure functions.

A receipt shows who asked whom and why; that is for the two sides and the operator (UU PDP pasal 35:
what was processed stays confidential). Hashes, proofs and checkpoints are public.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sebalai_shared.caller import Caller

PENDING_WINDOW = timedelta(minutes=5)
VERSION_7 = 7


def may_read(
    caller: Caller, *, consumer: str | None, provider: str | None, agency: str | None
) -> bool:
    """Whether the caller is a party or operates the platform; nobody is party by lack of a name."""
    if caller.is_operator:
        return True
    is_party = caller.application is not None and caller.application in {consumer, provider}
    return is_party or (agency is not None and caller.agency == agency)


def may_still_come(message_id: UUID, now: datetime) -> bool:
    """Whether an entry of this id could yet arrive: its own time says it was made lately.

    Said to everyone alike, so that the answer does not tell whether such a call exists.
    """
    if message_id.version != VERSION_7:
        return False
    made_at_ms = message_id.int >> 80
    age_ms = now.timestamp() * 1000 - made_at_ms
    return abs(age_ms) < PENDING_WINDOW.total_seconds() * 1000

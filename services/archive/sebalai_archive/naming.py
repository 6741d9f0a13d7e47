"""Which contents are still named, asked of every slice that names any: what nobody names is swept
or, after a destruction by decree, erased.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.incoming import actions as incoming
from sebalai_archive.records import actions as records
from sebalai_archive.signatures import actions as signatures


async def named_content(
    session: AsyncSession, *, digests: Sequence[str], now: datetime
) -> set[str]:
    """Those of these digests that a record, its signature or another agency's letter names.

    A letter that came over the bus is the receiving agency's own: the sender's destroyed record
    does not take it away.
    """
    named = await records.named_content(session, digests=digests, now=now)
    named |= await signatures.named_content(session, digests=digests)
    return named | await incoming.named_content(session, digests=digests)

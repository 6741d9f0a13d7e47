"""Which contents are still named, asked of every slice that names any: what nobody names is swept
or, after a destruction by decree, erased.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.incoming import actions as incoming
from sebalai_archive.records import actions as records


async def named_content(
    session: AsyncSession, *, digests: Sequence[str], now: datetime
) -> set[str]:
    """Those of these digests that a record or a letter of another agency names, whoever's it is.

    A letter that came over the bus is the receiving agency's own: the sender's destroyed record
    does not take it away.
    """
    named = await records.named_content(session, digests=digests, now=now)
    return named | await incoming.named_content(session, digests=digests)

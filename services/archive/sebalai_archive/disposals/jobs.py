"""Timed work of disposals: the daily proposals, and the erasing of what was destroyed by decree."""

import logging
from dataclasses import dataclass
from uuid import UUID

from sebalai_shared.clock import Clock
from sebalai_shared.database import Database
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.content_store import ContentStore
from sebalai_archive.copies import Copies
from sebalai_archive.disposals import actions
from sebalai_archive.examinations import actions as examinations
from sebalai_archive.fixity import actions as fixity
from sebalai_archive.naming import named_content
from sebalai_archive.reader import enter_as_worker
from sebalai_archive.records.actions import ageing, ending
from sebalai_archive.search import actions as search
from sebalai_archive.signatures import actions as signatures

log = logging.getLogger(__name__)

PASS_RECORDS = 500


async def propose_due(database: Database, clock: Clock) -> int:
    """Lays new rules over the records, then proposes what is due. It never acts."""
    async with database.transaction() as session:
        await ageing.apply_new_rules(session, now=clock.now())
    proposed, after = 0, None
    while True:
        async with database.transaction() as session:
            some, after = await actions.propose_some(
                session, now=clock.now(), today_after=after, limit=PASS_RECORDS
            )
        proposed += some
        if after is None:
            return proposed


@dataclass(frozen=True, slots=True)
class Stores:
    """Every place that may hold the bytes of a content."""

    content: ContentStore
    copies: Copies

    async def erase(self, sha256: str, permit: UUID) -> bool:
        """False when it must wait for an upload of the same bytes."""
        if not await self.content.erase(sha256, permit):
            return False
        await self.copies.erase(sha256)
        return True

    async def absence(self, sha256: str) -> dict[str, str]:
        return await self.content.absence(sha256) | await self.copies.absence(sha256)


async def erase_destroyed(database: Database, stores: Stores, clock: Clock) -> int:
    """Erases the bytes of buried records and proves that no store has them any more; bytes that
    another record or another agency's letter names stay, and the proof says so. Answers how many
    were proven.
    """
    proven = 0
    async with database.transaction() as session:
        await enter_as_worker(session, clock.now())
        for buried in await ending.unerased(session):
            named = await named_content(session, digests=[buried.sha256], now=clock.now())
            found = await _erase(stores, buried.sha256, buried.disposal_id, is_named=bool(named))
            later = await _erase_later(session, stores, buried.record_id, buried.disposal_id, clock)
            if found is None or later is None:
                continue
            if later:
                found = {**found, "added_to_its_signature": later}
            await fixity.forget(session, sha256=buried.sha256)
            await search.forget_record(session, record_id=buried.record_id)
            if not named:
                await examinations.forget(session, sha256=buried.sha256)
            await ending.prove_erased(session, buried=buried, proof=found, now=clock.now())
            proven += 1
    if proven:
        log.info("erased the content of %d destroyed records", proven)
    return proven


async def _erase_later(
    session: AsyncSession, stores: Stores, record_id: UUID, permit: UUID, clock: Clock
) -> list[dict[str, object]] | None:
    """What was added to the buried record's signature goes with it; None when one must wait."""
    proofs: list[dict[str, object] | None] = []
    for sha256 in await signatures.later_content(session, record_id=record_id):
        named = await named_content(session, digests=[sha256], now=clock.now())
        proofs.append(await _erase(stores, sha256, permit, is_named=bool(named)))
        await fixity.forget(session, sha256=sha256)
    whole = [one for one in proofs if one is not None]
    return whole if len(whole) == len(proofs) else None


async def _erase(
    stores: Stores, sha256: str, permit: UUID, *, is_named: bool
) -> dict[str, object] | None:
    """None when it must wait: an upload of the same bytes may be under way."""
    if is_named:
        return {"sha256": sha256, "stores": {}, "named_by_another_record": True}
    if not await stores.erase(sha256, permit):
        return None
    places = await stores.absence(sha256)
    if any(state != "absent" for state in places.values()):
        log.error("content of a destroyed record is still in a store: %s", places)
        return None
    return {"sha256": sha256, "stores": places, "named_by_another_record": False}

"""Timed work of disposals: the daily proposals, and the erasing of what was destroyed by decree."""

import logging
from dataclasses import dataclass
from uuid import UUID

from sebalai_shared.clock import Clock
from sebalai_shared.database import Database
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.content.objects import Preservation
from sebalai_archive.content_store import ContentStore
from sebalai_archive.copies import Copies
from sebalai_archive.disposals import actions
from sebalai_archive.examinations import actions as examinations
from sebalai_archive.fixity import actions as fixity
from sebalai_archive.preservation import actions as preservation
from sebalai_archive.reader import enter_as_worker
from sebalai_archive.records.actions import ageing, ending
from sebalai_archive.seals import actions as seals
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
    preserved: Preservation | None = None

    async def erase(self, record_id: UUID, stored: str, permit: UUID) -> bool:
        """False when it must wait for an upload of the same bytes."""
        if not await self.content.erase(stored, permit):
            return False
        await self.copies.erase(stored)
        if self.preserved is not None:
            await self.preserved.erase(record_id, stored)
        return True

    async def absence(self, record_id: UUID, stored: str) -> dict[str, str]:
        places = await self.content.absence(stored) | await self.copies.absence(stored)
        if self.preserved is None:
            return places
        return places | await self.preserved.absence(record_id)


async def erase_destroyed(database: Database, stores: Stores, clock: Clock) -> int:
    """Erases the bytes of buried records and proves that no store has them any more; bytes that
    another record or another agency's letter names stay, and the proof says so. Answers how many
    were proven.
    """
    proven = 0
    async with database.transaction() as session:
        await enter_as_worker(session, clock.now())
        for buried in await ending.unerased(session):
            permit = _Permit(session, stores, buried.record_id, buried.disposal_id, clock)
            found = await permit.erase(buried.sha256)
            later = await _erase_later(session, permit)
            if found is None or later is None or not await _forget_documents(session, permit):
                continue
            if later:
                found = {**found, "added_to_its_signature": later}
            await search.forget_record(session, record_id=buried.record_id)
            if not found["named_by_another_record"]:
                await examinations.forget(session, sha256=buried.sha256)
            await ending.prove_erased(session, buried=buried, proof=found, now=clock.now())
            proven += 1
    if proven:
        log.info("erased the content of %d destroyed records", proven)
    return proven


async def _erase_later(session: AsyncSession, permit: "_Permit") -> list[dict[str, object]] | None:
    """What was added to the buried record's signature goes with it; None when one must wait."""
    later = await signatures.later_content(session, record_id=permit.record_id)
    proofs = [await permit.erase(sha256) for sha256 in later]
    whole = [one for one in proofs if one is not None]
    return whole if len(whole) == len(proofs) else None


async def _forget_documents(session: AsyncSession, permit: "_Permit") -> bool:
    """The documents of its OCFL object hold its salt; False when one must wait, and all stay."""
    async with session.begin_nested() as point:
        documents = await preservation.forget(session, record_id=permit.record_id)
        is_done = all([await permit.erase(sha256) is not None for sha256 in documents])
        if not is_done:
            await point.rollback()
    return is_done


@dataclass(frozen=True, slots=True)
class _Permit:
    """To erase the contents of one buried record."""

    session: AsyncSession
    stores: Stores
    record_id: UUID
    disposal_id: UUID
    clock: Clock

    async def erase(self, sha256: str) -> dict[str, object] | None:
        """None when it must wait: an upload of the same bytes may be under way. The data key of
        sealed content is destroyed with it: copies that nobody reaches cannot be read any more.
        """
        seal = await seals.hold(self.session, record_id=self.record_id, sha256=sha256)
        stored = seal.stored if seal is not None else sha256
        if await seals.named(self.session, stored=[stored], now=self.clock.now()):
            return {"sha256": sha256, "stores": {}, "named_by_another_record": True}
        if not await self.stores.erase(self.record_id, stored, self.disposal_id):
            return None
        places = await self.stores.absence(self.record_id, stored)
        if any(state != "absent" for state in places.values()):
            log.error("content of a destroyed record is still in a store: %s", places)
            return None
        if seal is not None:
            await seals.destroy(self.session, seal)
        await fixity.forget(self.session, sha256=stored)
        key = "destroyed" if seal is not None else "none"
        return {
            "sha256": sha256,
            "stores": places,
            "data_key": key,
            "named_by_another_record": False,
        }

"""Decisions about the register of regulations: list, enter or change one, load the file."""

from collections.abc import Sequence

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.outbox import publish
from sebalai_shared.problems import FieldInvalid, Forbidden, NotFound
from sebalai_shared.reference import ReferenceFolder
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.regulations import events, store
from sebalai_services_catalog.regulations.access import DECIDE, LEGAL_BUREAU, may_keep_register
from sebalai_services_catalog.regulations.model import Regulation
from sebalai_services_catalog.regulations.schema import RegulationRead, RegulationWrite

__all__ = ["RegulationRead"]

LIST = "regulations"


class RegisterRefused(Forbidden):
    slug, title = "regulation-change-refused", "This caller may not change the register"


class RegulationUnknown(NotFound):
    slug, title = "regulation-unknown", "There is no such regulation in the register"


async def list_regulations(
    session: AsyncSession, *, caller: Caller, after: int | None, limit: int
) -> Sequence[Regulation]:
    return await store.page(session, caller, after, limit)


async def find_regulation(session: AsyncSession, *, key: str) -> Regulation:
    found = await store.find(session, key)
    if found is None:
        raise RegulationUnknown("Look it up under /v1/regulations.")
    return found


async def known_ids(session: AsyncSession) -> frozenset[str]:
    return await store.ids(session)


async def revoked_ids(session: AsyncSession) -> frozenset[str]:
    return await store.revoked(session)


async def read_by_ids(session: AsyncSession, *, ids: Sequence[str]) -> list[RegulationRead]:
    return [RegulationRead.of(row) for row in await store.by_ids(session, ids)]


async def keep_regulation(
    session: AsyncSession, clock: Clock, *, caller: Caller, key: str, wanted: RegulationWrite
) -> Regulation:
    """Enters a regulation or changes its standing; what rests on a revoked one is flagged at once.

    Raises: RegisterRefused, FieldInvalid when the one that changed it is not in the register.
    """
    if not may_keep_register(caller):
        raise RegisterRefused(f"The register is kept by {LEGAL_BUREAU} with scope {DECIDE}.")
    other = wanted.changed_by_regulation
    if other is not None and await store.find(session, other) is None:
        raise FieldInvalid("/changed_by_regulation", f"{other} is not in the register.")
    row = await store.find(session, key)
    if row is None:
        row = Regulation(id=key, position=await store.next_position(session))
        session.add(row)
    for name, value in wanted.model_dump().items():
        setattr(row, name, value)
    row.edited_by, row.edited_at = caller.subject, clock.now()
    row.provenance_status = "partly"
    row.provenance_source = f"entered by {caller.subject}"
    await session.flush()
    fact = events.RegulationChanged(
        regulation=key, status=row.status, changed_by_regulation=row.changed_by_regulation
    )
    await publish(session, events.changed(fact, clock.now()))
    return row


async def load_regulations(session: AsyncSession, *, folder: ReferenceFolder) -> int:
    rows = folder.rows(LIST)
    values = [
        {
            "id": row["id"],
            "position": place,
            **{name: row[name] for name in ("kind", "number", "title", "status")},
            "year": int(row["year"]),
            "changed_by_regulation": row["changed_by_regulation"] or None,
            **_marks(folder, row["id"]),
        }
        for place, row in enumerate(rows, 1)
    ]
    await store.load(session, values)
    return len(rows)


def _marks(folder: ReferenceFolder, key: str) -> dict[str, str]:
    mark = folder.provenance(LIST, key)
    return {"provenance_status": mark.status, "provenance_source": mark.source}

"""Decisions about letter types: list, load."""

from collections.abc import Sequence

from sebalai_shared.caller import Caller
from sebalai_shared.reference import ReferenceFolder
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.letters import store
from sebalai_archive.letters.model import LetterType

TABLE = "letter_types"


async def list_letter_types(
    session: AsyncSession, *, caller: Caller, after: int | None, limit: int
) -> Sequence[LetterType]:
    return await store.page(session, caller, after, limit)


async def is_known(session: AsyncSession, *, caller: Caller, code: str) -> bool:
    return await store.find(session, caller, code) is not None


async def load_letter_types(session: AsyncSession, *, folder: ReferenceFolder) -> int:
    rows = folder.rows(TABLE)
    await store.keep(
        session, [_values(row, place, folder) for place, row in enumerate(rows, start=1)]
    )
    return len(rows)


def _values(row: dict[str, str], place: int, folder: ReferenceFolder) -> dict[str, object]:
    mark = folder.provenance(TABLE, row["code"])
    return {
        "code": row["code"],
        "name": row["name"],
        "group": row["group"],
        "subgroup": row["subgroup"] or None,
        "position": place,
        "provenance_status": mark.status,
        "provenance_source": mark.source,
    }

"""Decisions about classification: find, list, load."""

from collections.abc import Sequence

from sebalai_shared.caller import Caller
from sebalai_shared.problems import NotFound
from sebalai_shared.reference import ReferenceFolder
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.classifications import store
from sebalai_archive.classifications.model import Classification
from sebalai_archive.codes import path_of

TABLE = "archive_classification"


class ClassificationUnknown(NotFound):
    slug, title = "classification-unknown", "There is no such classification code"


async def list_classifications(
    session: AsyncSession, *, caller: Caller, parent: str | None, after: str | None, limit: int
) -> Sequence[Classification]:
    return await store.page(session, caller, parent, after, limit)


async def find_classification(
    session: AsyncSession, *, caller: Caller, code: str
) -> Classification:
    found = await store.find(session, caller, code)
    if found is None:
        raise ClassificationUnknown("Look it up under /v1/classifications.")
    return found


async def is_known(session: AsyncSession, *, caller: Caller, code: str) -> bool:
    return await store.find(session, caller, code) is not None


async def load_classifications(session: AsyncSession, *, folder: ReferenceFolder) -> int:
    """Raises `ValueError` when a parent is missing: the tree must be closed."""
    rows = folder.rows(TABLE)
    codes = {row["code"] for row in rows}
    orphans = sorted(row["code"] for row in rows if row["parent"] and row["parent"] not in codes)
    if orphans:
        raise ValueError(f"{TABLE}: no parent for {', '.join(orphans)}")
    await store.keep(session, [_values(row, folder) for row in rows])
    return len(rows)


def _values(row: dict[str, str], folder: ReferenceFolder) -> dict[str, object]:
    mark = folder.provenance(TABLE, row["code"])
    return {
        "code": row["code"],
        "name": row["name"],
        "parent": row["parent"] or None,
        "path": path_of(row["code"]),
        "provenance_status": mark.status,
        "provenance_source": mark.source,
    }

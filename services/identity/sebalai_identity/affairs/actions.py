"""Decisions about government affairs: load, page."""

from collections.abc import Sequence

from sebalai_shared.caller import Caller
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.affairs import store
from sebalai_identity.affairs.model import Affair
from sebalai_identity.reference import Counts, ReferenceFolder

FILE = "urusan.csv"


async def load_affairs(session: AsyncSession, *, folder: ReferenceFolder) -> Counts:
    rows = [
        {"code": line["code"], "name": line["name"], "affair_group": line["group"]}
        | folder.provenance(FILE, line["code"]).model_dump()
        for line in folder.rows(FILE)
    ]
    return await store.keep(session, rows)


async def list_affairs(
    session: AsyncSession, *, caller: Caller, after: str | None, limit: int
) -> Sequence[Affair]:
    return await store.page(session, caller, after, limit)

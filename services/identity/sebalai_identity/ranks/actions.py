"""Decisions about civil service ranks: load, page."""

from collections.abc import Sequence

from sebalai_shared.caller import Caller
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.ranks import store
from sebalai_identity.ranks.model import Rank
from sebalai_identity.reference import Counts, ReferenceFolder

FILE = "civil_service_ranks.csv"


async def load_ranks(session: AsyncSession, *, folder: ReferenceFolder) -> Counts:
    rows = [
        {"grade": line["golongan"], "name": line["pangkat"], "position": int(line["order"])}
        | folder.provenance(FILE, line["golongan"]).model_dump()
        for line in folder.rows(FILE)
    ]
    return await store.keep(session, rows)


async def list_ranks(
    session: AsyncSession, *, caller: Caller, after: int | None, limit: int
) -> Sequence[Rank]:
    return await store.page(session, caller, after, limit)

"""The platform's own public data as datasets: they appear by themselves when reference is loaded.

Their distributions are paths of this platform. What an officer published of one since is left
alone, and one that was withdrawn stays withdrawn.
"""

import tomllib
from pathlib import Path

from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.outbox import publish
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.datasets import events, store
from sebalai_services_catalog.datasets.access import WALIDATA
from sebalai_services_catalog.datasets.metadata import Metadata
from sebalai_services_catalog.datasets.model import Dataset

AUTHOR = "platform"
_FILE = Path(__file__).with_name("own.toml")


def own_datasets() -> dict[str, Metadata]:
    """By slug."""
    described = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {slug: Metadata.model_validate(said) for slug, said in described.items()}


async def load_own(session: AsyncSession, clock: Clock) -> dict[str, int]:
    """Shows what is new or is described anew; again changes nothing."""
    await store.hold_load(session)
    shown = 0
    for slug, metadata in own_datasets().items():
        said = metadata.model_dump(mode="json")
        row = await store.hold(session, slug)
        if row is None or _is_stale(row, said):
            await _show(session, clock, slug, row, said)
            shown += 1
    return {"own datasets shown": shown}


def _is_stale(row: Dataset, said: dict[str, object]) -> bool:
    is_ours = row.author == AUTHOR and row.published_by is None
    return is_ours and row.state == "published" and row.shown != said


async def _show(
    session: AsyncSession, clock: Clock, slug: str, row: Dataset | None, said: dict[str, object]
) -> None:
    now = clock.now()
    if row is None:
        row = Dataset(
            id=uuid7(), slug=slug, agency=WALIDATA, revision=0, author=AUTHOR, created_at=now,
            published_at=now,
        )  # fmt: skip
        session.add(row)
    row.state, row.draft, row.shown = "published", said, said
    row.revision, row.changed_at, row.modified_at = row.revision + 1, now, now
    await session.flush()
    fact = events.DatasetMoved(
        dataset_id=row.id, slug=slug, agency=row.agency, revision=row.revision
    )
    await publish(session, events.moved(events.PUBLISHED, fact, now))

"""The platform's own event types, from the schemas its members have published (docs/contracts)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from sebalai_shared.clock import Clock
from sebalai_shared.database import Database

from sebalai_exchange.topics.actions import describe_platform_type


def read_platform_types(folder: Path) -> dict[str, Any]:
    """The schemas by event type: a file is `<event type>.json`. Raises `OSError`, `ValueError`."""
    return {
        file.stem: orjson.loads(file.read_bytes())
        for file in sorted(folder.iterdir())
        if file.suffix == ".json"
    }


async def load_platform_types(database: Database, clock: Clock, schemas: Mapping[str, Any]) -> int:
    """How many types are new or changed; doing it again changes nothing.

    Raises `ValueError`, `FieldInvalid` for one that is not the platform's or no schema: then
    nothing is changed.
    """
    changed = 0
    async with database.transaction() as session:
        for kind, schema in schemas.items():
            changed += await describe_platform_type(session, clock, kind=kind, schema=schema)
    return changed

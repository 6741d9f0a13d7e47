"""Loads the reference folder into our tables, in one transaction; again changes nothing."""

from pathlib import Path

from sebalai_shared.clock import Clock
from sebalai_shared.database import Database
from sebalai_shared.reference import ReferenceFolder

from sebalai_services_catalog.calendar.actions import load_days
from sebalai_services_catalog.datasets.actions import load_own
from sebalai_services_catalog.evidence.actions import load_types
from sebalai_services_catalog.reference.actions import load_lists
from sebalai_services_catalog.regulations.actions import load_regulations
from sebalai_services_catalog.services.actions import load_services, load_synonyms
from sebalai_services_catalog.software.actions import load_own as load_own_software


async def load_reference(database: Database, clock: Clock, folder: Path) -> dict[str, int]:
    """Rows read per file; for services also how many versions that published."""
    async with database.transaction() as session:
        lists = ReferenceFolder(folder)
        counts = await load_lists(session, folder=lists)
        counts["calendar_days"] = await load_days(session, clock, folder=lists)
        counts["regulations"] = await load_regulations(session, folder=lists)
        counts["evidence_types"] = await load_types(session, folder=lists)
        synonyms = lists.rows("search_synonyms")
        counts["search_synonyms"] = await load_synonyms(session, synonyms)
        counts |= await load_own(session, clock)
        counts["own software described"] = await load_own_software(session, clock)
        return counts | await load_services(session, clock, folder=folder)

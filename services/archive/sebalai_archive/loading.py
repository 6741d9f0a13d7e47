"""Loads the reference folder into our tables, in one transaction; again changes nothing."""

from sebalai_shared.database import Database
from sebalai_shared.reference import ReferenceFolder

from sebalai_archive.classifications.actions import load_classifications
from sebalai_archive.letters.actions import load_letter_types
from sebalai_archive.retention.actions import load_rules


async def load_reference(database: Database, folder: ReferenceFolder) -> dict[str, int]:
    """Rows read per table."""
    async with database.transaction() as session:
        return {
            "classifications": await load_classifications(session, folder=folder),
            "retention rules": await load_rules(session, folder=folder),
            "letter types": await load_letter_types(session, folder=folder),
        }

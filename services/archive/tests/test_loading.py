from sebalai_archive.classifications.model import Classification
from sebalai_archive.letters.model import LetterType
from sebalai_archive.loading import load_reference
from sebalai_archive.retention.model import RetentionRule
from sebalai_shared.database import row_dict
from sqlalchemy import select, text

TABLES = (Classification, RetentionRule, LetterType)


async def dump(database):
    async with database.transaction() as session:
        return {
            model.__tablename__: [
                row_dict(row)
                for row in await session.scalars(
                    select(model).order_by(*model.__table__.primary_key)
                )
            ]
            for model in TABLES
        }


async def test_loading_again_changes_nothing(database, reference):
    before = await dump(database)
    counts = await load_reference(database, reference)
    assert counts == {"classifications": 200, "retention rules": 55, "letter types": 21}
    assert await dump(database) == before
    assert [len(rows) for rows in before.values()] == [200, 55, 21]


async def test_loading_heals_a_row_that_was_changed_by_hand(database, reference):
    before = await dump(database)
    async with database.transaction() as session:
        await session.execute(text("UPDATE retention_rule SET active_years = 99"))
        await session.execute(text("UPDATE classification SET provenance_status = 'verified'"))
    await load_reference(database, reference)
    assert await dump(database) == before

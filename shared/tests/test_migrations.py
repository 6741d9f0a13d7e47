"""Each migration stands by itself: one that fails takes back its own work alone."""

import asyncio

import asyncpg
import pytest
from sebalai_shared.migrations import migrate
from sqlalchemy.exc import DBAPIError

STEP = """
from alembic import op
revision, down_revision = "{number:04}", {before}
def upgrade():
    op.execute("CREATE TABLE step_{number} (a int)")
    op.execute({last!r})
"""


def write(folder, number, last="SELECT 1"):
    before = f'"{number - 1:04}"' if number > 1 else None
    text = STEP.format(number=number, before=before, last=last)
    (folder / "migrations/versions" / f"{number:04}_step.py").write_text(text)


@pytest.fixture
async def target(database_url_for, tmp_path):
    (tmp_path / "migrations/versions").mkdir(parents=True)
    (tmp_path / "__init__.py").touch()
    return await database_url_for("steps"), tmp_path


async def run(target):
    url, folder = target
    await migrate(url.replace("postgresql://", "postgresql+asyncpg://", 1), folder)


async def tables(target):
    connection = await asyncpg.connect(target[0])
    try:
        found = await connection.fetch(
            "SELECT tablename FROM pg_tables WHERE tablename LIKE 'step%' ORDER BY 1"
        )
        return [row["tablename"] for row in found]
    finally:
        await connection.close()


async def test_a_migration_that_fails_leaves_those_before_it_and_goes_on_later(target):
    _, folder = target
    write(folder, 1)
    write(folder, 2, last="SELECT 1 / 0")
    with pytest.raises(DBAPIError):
        await run(target)
    assert await tables(target) == ["step_1"]
    write(folder, 2, last="SELECT 2")
    await run(target)
    assert await tables(target) == ["step_1", "step_2"]


async def test_two_runners_at_once_do_each_step_once(target):
    for number in (1, 2, 3):
        write(target[1], number, last="SELECT pg_sleep(0.2)")
    await asyncio.gather(run(target), run(target))
    assert await tables(target) == ["step_1", "step_2", "step_3"]

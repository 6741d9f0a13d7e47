"""What `/metrics` tells of the platform's backups, and that the script can note one."""

import re
from pathlib import Path

import pytest
from sqlalchemy import text

OPERATORS = Path(__file__).parents[3] / "deploy/docker"
SCRIPT = (OPERATORS / "backup").read_text(encoding="utf-8")
DOCTOR = (OPERATORS / "doctor.py").read_text(encoding="utf-8")


@pytest.fixture
def age(anonymous):
    async def told():
        answer = (await anonymous.get("/metrics")).text
        return float(answer.partition("\nsebalai_backup_age_seconds ")[2].split("\n")[0])

    return told


async def test_platform_that_was_never_backed_up_is_older_than_any_limit(age):
    assert await age() == float("inf")


async def test_age_is_the_one_of_the_youngest_backup(age, database):
    async with database.transaction() as session:
        for hours in (50, 26):
            await session.execute(
                text("INSERT INTO backup VALUES (now() - make_interval(hours => :hours))"),
                {"hours": hours},
            )
    assert 26 * 3600 <= await age() < 27 * 3600


async def test_statement_of_the_script_notes_a_backup_and_says_so_twice_without_harm(age, database):
    (statement,) = re.findall(r'--command "(INSERT INTO backup .+?)"', SCRIPT)
    assert statement.count("$begun") == 1
    async with database.transaction() as session:
        for _ in range(2):
            await session.execute(text(statement.replace("$begun", "2020-01-02T03:04:05Z")))
    assert 6 * 365 * 86_400 < await age() < float("inf")


async def test_statement_of_the_doctor_tells_the_last_backup_once_it_is_too_old(database):
    (statement,) = re.findall(r'_BACKUP = """(.+?)"""', DOCTOR, re.DOTALL)

    async def told(*noted):
        async with database.transaction() as session:
            for ago in noted:
                await session.execute(
                    text("INSERT INTO backup VALUES (now() - CAST(:ago AS text)::interval)"),
                    {"ago": ago},
                )
            # A colon is a parameter's name to SQLAlchemy.
            return (await session.execute(text(statement.replace(":", "\\:")))).scalars().all()

    assert await told() == ["never"]
    assert await told("50 hours", "31 hours") != ["never"]
    assert await told("29 hours") == []

"""Class × rank × relation, held three times: the pure rule, the SQL wall, the row security."""

import os
from urllib.parse import urlsplit, urlunsplit

import pytest
from sebalai_archive.reader import CLASSES, Reader, enter, enter_as_worker
from sebalai_archive.records import store
from sebalai_archive.records.access import Facts, grounds_to_open, may_know
from sebalai_archive.records.model import Record, RecordNeed
from sebalai_shared.ids import uuid7
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool

from services.archive.tests.conftest import NOW

MINE, OTHER, ME = "dinsos-pmd", "dp3acskb", "orang-1"
LETTERS = dict(zip(CLASSES, "BTRS", strict=True))
# How the record stands to the reader: its agency, unit, creator, and a need given.
RELATIONS = {
    "stranger": (OTHER, None, "x", None),
    "agency": (MINE, "unit-b", "x", None),
    "unit": (MINE, "unit-a", "x", None),
    "creator": (MINE, "unit-b", ME, None),
    "addressee": (OTHER, None, "x", "addressee"),
    "own addressee": (MINE, "unit-b", "x", "addressee"),
    "leave": (OTHER, None, "x", "leave"),
    "case": (OTHER, None, "x", "case"),
}
EXPECTED = {
    #                stranger agency  unit    creator addressee own addr. leave   case
    "policy_maker": ("BTRS", "BTRS", "BTRS", "BTRS", "BTRS", "BTRS", "BTRS", "BTRS"),
    "head": ("B", "BTR", "BTR", "BTRS", "BTR", "BTRS", "BTR", "BTR"),
    "administrator": ("B", "B", "BT", "BT", "BTR", "BTR", "BTR", "BTR"),
    "supervisor": ("B", "B", "B", "BT", "BT", "BT", "BT", "BT"),
    "staff": ("B", "B", "B", "BT", "BT", "BT", "BT", "BT"),
    "archivist": ("B", "BT", "BT", "BT", "BT", "BT", "BT", "BT"),
    "inspector": ("BTRS",) * 8,
    "inspector without letter": ("B", "B", "B", "BT", "BT", "BT", "BT", "BT"),
    "external": ("B", "B", "B", "BT", "B", "B", "B", "BTRS"),
    "system": ("B", "BT", "BT", "BTRS", "BTR", "BTR", "BTR", "BTR"),
    "operator": ("BT",) * 8,
    "public": ("B",) * 8,
}
READERS = {
    "archivist": Reader("staff", NOW, ME, MINE, "unit-a", is_archivist=True),
    "inspector": Reader("staff", NOW, ME, MINE, "unit-a", assignment="ST-1/2026"),
    "inspector without letter": Reader("staff", NOW, ME, MINE, "unit-a"),
    "operator": Reader("operator", NOW, "op", ""),
    "public": Reader("public", NOW),
}


def reader_of(who):
    return READERS.get(who) or Reader(who, NOW, ME, MINE, "unit-a")


def facts_of(relation, security_class):
    agency, unit, subject, need = RELATIONS[relation]
    return Facts(
        agency, unit, security_class, True, subject, frozenset({need}) if need else frozenset()
    )


@pytest.mark.parametrize("who", EXPECTED)
def test_the_rule_says_what_the_table_says(who):
    for relation, classes in zip(RELATIONS, EXPECTED[who], strict=True):
        for security_class in CLASSES:
            is_open = grounds_to_open(reader_of(who), facts_of(relation, security_class))
            assert (is_open is not None) == (LETTERS[security_class] in classes), (
                relation,
                security_class,
            )


@pytest.fixture
async def admin_session(archive_url, postgres_admin_url):
    """As a superuser, who passes the row security: so each wall is seen alone."""
    url = urlunsplit(urlsplit(postgres_admin_url)._replace(path=urlsplit(archive_url).path))
    engine = create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://", 1), poolclass=NullPool
    )
    async with engine.connect() as connection, AsyncSession(connection) as session:
        yield session
    await engine.dispose()


async def keep(session, relation, security_class):
    agency, unit, subject, need = RELATIONS[relation]
    record = Record(
        id=uuid7(),
        agency=agency,
        application="a",
        subject=subject,
        title="t",
        classification_code="000.1.5",
        security_class=security_class,
        unit=unit,
        state="declared",
        created_at=NOW,
        content_sha256="0" * 64,
        content_bytes=0,
        content_type="a/b",
        content_at=NOW,
        declared_at=NOW,
        event_id=uuid7(),
        statement="{}",
        salt=os.urandom(32),
        commitment="0" * 64,
        development_level="asli",
        medium="elektronik",
        language="id",
        condition="baik",
        protection="biasa",
        retention=None,
    )
    session.add(record)
    await session.flush()
    if need:
        session.add(
            RecordNeed(
                id=uuid7(),
                record_id=record.id,
                kind=need,
                agency=MINE,
                reason="r",
                reference="1",
                given_by="x",
                valid_from=NOW,
            )
        )
        await session.flush()
    return record.id


async def test_both_walls_of_the_database_say_what_the_rule_says(admin_session):
    session = admin_session
    await enter_as_worker(session, NOW)
    kept = {
        await keep(session, relation, one): (relation, one)
        for relation in RELATIONS
        for one in CLASSES
    }
    for who in EXPECTED:
        reader = reader_of(who)
        expected = {key for key in kept.values() if may_know(reader, facts_of(*key))}
        ids = store.visible_to(reader).with_only_columns(Record.id).where(Record.id.in_(kept))
        sql = {kept[one] for one in await session.scalars(ids)}
        assert sql == expected, who
        await enter(session, reader)
        await session.execute(text("SET LOCAL ROLE archive_tests"))
        rows = await session.scalars(select(Record.id).where(Record.id.in_(kept)))
        wall = {kept[one] for one in rows}
        await session.execute(text("RESET ROLE"))
        assert wall == expected, who


async def test_a_transaction_that_did_not_say_who_reads_sees_nothing(admin_session):
    await enter_as_worker(admin_session, NOW)
    await keep(admin_session, "stranger", "biasa")
    for name in ("rank", "subject", "agency", "unit", "archivist", "assigned"):
        await admin_session.execute(text(f"SET LOCAL archive.{name} = ''"))
    await admin_session.execute(text("SET LOCAL ROLE archive_tests"))
    assert (await admin_session.scalars(select(Record.id))).all() == []


def test_an_archivist_knows_of_what_it_may_not_open():
    secret = facts_of("agency", "rahasia")
    archivist = reader_of("archivist")
    assert may_know(archivist, secret)
    assert grounds_to_open(archivist, secret) is None


@pytest.mark.parametrize("who", EXPECTED)
def test_a_draft_is_never_open_outside_its_agency(who):
    if who == "operator":
        return
    for security_class in CLASSES:
        facts = Facts(OTHER, None, security_class, False, "x", frozenset({"addressee", "case"}))
        assert not may_know(reader_of(who), facts)

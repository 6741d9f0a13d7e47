"""A keeper of credentials on the rolled-back database, and one person with an account."""

import pytest
from argon2 import PasswordHasher
from sebalai_identity.credentials import actions, store
from sebalai_identity.credentials.hashing import PasswordWorkers
from sebalai_identity.credentials.keeper import Keeper, Origin
from sebalai_identity.credentials.secrets import Secrets
from sebalai_identity.keys.sealing import Sealer
from sebalai_shared.ids import uuid7
from sqlalchemy import text

PASSWORD = "tepung garam jembatan biru"
LOGIN = "siti.rahma"
HOME = Origin("192.0.2.0/24")
AWAY = Origin("198.51.100.0/24")


@pytest.fixture(scope="session")
def workers():
    workers = PasswordWorkers(2, PasswordHasher(1, 8, 1))
    yield workers
    workers.close()


@pytest.fixture
def keeper(database, clock, workers):
    return Keeper(database, clock, workers, Secrets(Sealer(b"s" * 32), b"i" * 32))


PERSON = text(
    "INSERT INTO person (id, name, assurance, source, state, valid_until, version, created_at,"
    " changed_at) VALUES (:id, 'Siti', 1, 'synthetic', 'active', '2100-01-01Z', 1, now(), now())"
)


@pytest.fixture
def somebody(database):
    """`await somebody()`: the id of a person without an account."""

    async def somebody(database=database):
        subject = uuid7()
        async with database.transaction() as session:
            await session.execute(PERSON, {"id": subject})
        return subject

    return somebody


@pytest.fixture
async def person(keeper, somebody):
    subject = await somebody()
    async with keeper.database.transaction() as session:
        assert await store.keep_account(session, subject, LOGIN, None, keeper.clock.now())
        await actions.set_password(session, keeper, subject=subject, password=PASSWORD)
    return subject

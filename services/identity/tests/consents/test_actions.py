"""A consent covers what was agreed, for a time, until it is taken back."""

from datetime import timedelta

import pytest
from sebalai_identity.consents import actions
from sebalai_shared.ids import uuid7
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

PERSON, CLIENT = uuid7(), uuid7()


@pytest.fixture
async def session(database):
    async with database.transaction() as session:
        yield session


@pytest.fixture
def covers(session, clock):
    async def covers(*scopes, subject=PERSON, client_id=CLIENT):
        return await actions.covers(
            session, clock, subject=subject, client_id=client_id, scopes=scopes
        )

    return covers


@pytest.fixture
def grant(session, clock):
    async def grant(*scopes):
        await actions.grant(session, clock, subject=PERSON, client_id=CLIENT, scopes=scopes)

    return grant


async def test_consent_covers_what_was_agreed_and_no_more(covers, grant):
    assert not await covers("openid")
    await grant("openid", "profile")
    assert await covers("openid")
    assert await covers("profile", "openid")
    assert not await covers("openid", "email")
    assert not await covers("openid", subject=uuid7())
    assert not await covers("openid", client_id=uuid7())


async def test_consents_add_up(covers, grant):
    await grant("openid")
    await grant("email")
    assert await covers("openid", "email")


async def test_consent_ends_by_itself(covers, grant, clock):
    await grant("openid")
    clock.move(actions.LIFETIME)
    assert not await covers("openid")


async def test_withdrawn_consent_covers_nothing_and_stays_as_proof(covers, grant, session, clock):
    await grant("openid")
    await grant("email")
    assert await actions.withdraw(session, clock, subject=PERSON, client_id=CLIENT)
    assert not await covers("openid")
    assert not await actions.withdraw(session, clock, subject=PERSON, client_id=CLIENT)
    assert await session.scalar(text("SELECT count(*) FROM consent")) == 2


async def test_person_sees_one_entry_an_application(grant, session, clock):
    await grant("openid")
    began = clock.now()
    clock.move(timedelta(days=1))
    await grant("email")
    (agreed,) = await actions.list_consents(session, clock, subject=PERSON)
    assert agreed.scopes == {"openid", "email"}
    assert (agreed.since, agreed.expires_at) == (began, clock.now() + actions.LIFETIME)


async def test_giving_and_taking_back_are_facts(grant, session, clock):
    await grant("openid")
    await actions.withdraw(session, clock, subject=PERSON, client_id=CLIENT)
    told = " ".join((await session.execute(text("SELECT o::text FROM outbox o"))).scalars())
    assert "identity.consent.granted.v1" in told
    assert "identity.consent.revoked.v1" in told


async def test_consent_stands_until_what_was_given_by_it_is_kept(committed, clock):
    """Otherwise who takes it back finds no token, and one comes to be behind their back."""
    names = {"subject": uuid7(), "client_id": uuid7()}
    async with committed.transaction() as session:
        await actions.grant(session, clock, **names, scopes=["openid"])
    try:
        async with committed.transaction() as giving:
            assert await actions.hold(giving, clock, **names, scopes=["openid"])
            async with committed.sessions() as session:
                await session.execute(text("SET LOCAL lock_timeout = '100ms'"))
                with pytest.raises(DBAPIError, match="lock timeout"):
                    await actions.withdraw(session, clock, **names)
    finally:
        async with committed.transaction() as session:
            await session.execute(text("TRUNCATE consent, outbox"))

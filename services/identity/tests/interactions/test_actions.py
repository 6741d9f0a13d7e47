"""An interaction lives between a client's request and its answer."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_identity.interactions import actions
from sebalai_identity.interactions.actions import InteractionUnknown, Wanted
from sebalai_identity.rounds import SLOTS, Round
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.clock import FixedClock
from sqlalchemy import text

ROUND = Round("interaction", timedelta(hours=1))
WANTED = Wanted(
    client_id=uuid7(),
    client_name="Perizinan",
    agency="dpmptsp",
    scopes=("openid", "profile"),
    claims={"id_token": {"acr": {"essential": True}}},
    acr_values=("urn:sebalai:acr:2",),
    max_age=60,
    prompt=("login",),
    login_hint="budi",
    ui_locales=("id", "en"),
    extra={"state": "s"},
)


@pytest.fixture
async def session(database):
    async with database.transaction() as session:
        yield session


@pytest.fixture
async def opened(session, clock):
    return await actions.open_interaction(session, clock, wanted=WANTED)


async def test_page_reads_all_that_the_client_asked(session, clock, opened):
    found = await actions.get_interaction(session, opened, at=clock.now())
    assert {name: getattr(found, name) for name in vars(WANTED)} == vars(WANTED)
    assert (found.id, found.consented_by, found.refusal) == (opened, None, None)


async def test_database_alone_opens_no_interaction(session, opened):
    kept = (await session.execute(text("SELECT * FROM interaction"))).all()
    assert opened not in str(kept)


async def test_interaction_ends_after_ten_minutes(session, clock, opened):
    late = clock.now() + timedelta(minutes=10)
    with pytest.raises(InteractionUnknown):
        await actions.get_interaction(session, opened, at=late)
    assert not await actions.close_interaction(session, FixedClock(late), interaction_id=opened)


async def test_interaction_is_closed_once(session, clock, opened):
    assert await actions.close_interaction(session, clock, interaction_id=opened)
    assert not await actions.close_interaction(session, clock, interaction_id=opened)
    with pytest.raises(InteractionUnknown):
        await actions.get_interaction(session, opened)


async def test_page_notes_consent_and_refusal(session, clock, opened):
    person = uuid7()
    await actions.note_consent(session, clock, interaction_id=opened, subject=person)
    await actions.refuse_interaction(session, clock, interaction_id=opened, refusal="access_denied")
    found = await actions.get_interaction(session, opened)
    assert (found.consented_by, found.refusal) == (person, "access_denied")


@pytest.mark.parametrize("wrong", ["", "x" * 43, "x" * 5000, "\x00" * 43])
async def test_unknown_id_opens_nothing(session, clock, wrong):
    with pytest.raises(InteractionUnknown):
        await actions.get_interaction(session, wrong)
    with pytest.raises(InteractionUnknown):
        await actions.note_consent(session, clock, interaction_id=wrong, subject=uuid7())
    with pytest.raises(InteractionUnknown):
        await actions.refuse_interaction(
            session, clock, interaction_id=wrong, refusal="access_denied"
        )


@given(now=st.datetimes(min_value=datetime(2026, 1, 1)), ahead=st.floats(0, 2))
def test_the_slot_that_is_emptied_never_holds_a_living_row(now, ahead):
    end = now + ROUND.width * ahead if now.year < 9999 else now
    assert 0 <= ROUND.slot(end) < SLOTS
    assert ROUND.slot(end) != ROUND.past(now)


async def test_past_slot_is_emptied_and_the_living_stay(session, clock, opened):
    assert not await ROUND.empty_past(session, clock.now())
    assert await actions.get_interaction(session, opened)
    assert await ROUND.empty_past(session, clock.now() + timedelta(hours=1))
    with pytest.raises(InteractionUnknown):
        await actions.get_interaction(session, opened)

"""A session is opened by its cookie alone, is worth less as it ages, and ends when told."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_identity.assurance import LIMITS, acr_of, level_by, level_of
from sebalai_identity.sessions import access, actions, store
from sebalai_identity.sessions.actions import Device
from sebalai_identity.sessions.model import SignedIn
from sebalai_shared.ids import uuid7
from sqlalchemy import text

DEVICE = Device("Firefox, Linux", "192.0.2.0/24")
STRONG = ("swk", "user")
BOUND = ("hwk", "user")


@pytest.fixture
async def session(database):
    async with database.transaction() as session:
        yield session


@pytest.fixture
def start(session, clock):
    async def start(subject=None, methods=("pwd",), replaces=None):
        return await actions.start(
            session,
            clock,
            subject=subject or uuid7(),
            methods=methods,
            device=DEVICE,
            replaces=replaces,
        )

    return start


@pytest.fixture
def current(session, clock):
    async def current(cookie):
        return await actions.current(session, clock, cookie=cookie)

    return current


async def test_browser_is_recognised_by_its_cookie(start, current, clock):
    opened = await start(methods=("pwd", "otp"))
    found = await current(opened.cookie)
    assert found == opened.session
    assert (found.acr, found.amr) == (acr_of(2), ("otp", "pwd"))
    assert found.auth_time == clock.now()


@pytest.mark.parametrize("cookie", [None, "", "x", "x" * 43, "x" * 5_000])
async def test_made_up_cookie_opens_nothing(start, current, cookie):
    await start()
    assert await current(cookie) is None


async def test_database_holds_no_cookie_that_opens_a_session(start, session):
    opened = await start()
    dumped = await session.scalar(text("SELECT string_agg(s::text, ' ') FROM session s"))
    assert str(opened.session.id) in dumped
    assert opened.cookie not in dumped


async def test_sign_in_answers_a_new_cookie_and_ends_the_one_it_came_with(start, current):
    planted = await start()
    fresh = await start(replaces=planted.cookie)
    assert await current(planted.cookie) is None
    assert fresh.session.id != planted.session.id
    assert await current(fresh.cookie)


async def test_step_up_keeps_the_session_and_changes_the_cookie(start, current, session, clock):
    opened = await start()
    clock.move(timedelta(minutes=10))
    raised = await actions.raise_session(session, clock, cookie=opened.cookie, methods=STRONG)
    assert raised.session.id == opened.session.id
    assert (raised.session.acr, raised.session.auth_time) == (acr_of(2), clock.now())
    assert await current(opened.cookie) is None
    assert (await current(raised.cookie)).acr == acr_of(2)


async def test_weaker_proof_anew_does_not_keep_the_higher_level(start, session, clock):
    opened = await start(methods=BOUND)
    raised = await actions.raise_session(session, clock, cookie=opened.cookie, methods=("pwd",))
    assert raised.session.acr == acr_of(1)


async def test_lapsed_step_up_leaves_the_level_below(start, current, session, clock):
    opened = await start()
    raised = await actions.raise_session(session, clock, cookie=opened.cookie, methods=BOUND)
    assert (await current(raised.cookie)).acr == acr_of(3)
    clock.move(LIMITS[3].idle)
    assert (await current(raised.cookie)).acr == acr_of(1)
    # Looking at it is a sign of life, and must not bring the higher level back.
    assert (await current(raised.cookie)).acr == acr_of(1)


@pytest.mark.parametrize(("methods", "level"), [(("pwd",), 1), (STRONG, 2), (BOUND, 3)])
async def test_idle_session_is_over(start, current, clock, methods, level):
    opened = await start(methods=methods)
    clock.move(LIMITS[level].idle - timedelta(seconds=1))
    assert await current(opened.cookie)
    clock.move(LIMITS[level].idle)
    assert await current(opened.cookie) is None


async def test_session_in_constant_use_ends_at_the_whole_limit(start, current, clock):
    opened, seen = await start(methods=BOUND), 0
    while await current(opened.cookie):
        seen += 1
        clock.move(timedelta(minutes=14))
    assert seen == LIMITS[3].whole // timedelta(minutes=14) + 1


async def test_ended_session_cannot_be_raised(start, session, clock):
    opened = await start()
    assert await actions.end_by_cookie(session, clock, cookie=opened.cookie) == opened.session.id
    assert await actions.end_by_cookie(session, clock, cookie=opened.cookie) is None
    assert await actions.raise_session(session, clock, cookie=opened.cookie, methods=STRONG) is None


async def test_person_sees_and_ends_only_own_sessions(start, current, session, clock):
    person, other = uuid7(), uuid7()
    own, foreign = [await start(person), await start(person)], await start(other)
    listed = await actions.list_sessions(session, clock, subject=person)
    assert {found.id for found in listed} == {opened.session.id for opened in own}
    assert listed[0].device == DEVICE
    ids = [foreign.session.id, own[0].session.id]
    gone = await actions.end(session, clock, subject=person, session_ids=ids, reason="signed-out")
    assert list(gone) == [own[0].session.id]
    assert await current(foreign.cookie)


async def test_signing_out_everywhere_leaves_none(start, session, clock, current):
    person = uuid7()
    cookies = [(await start(person)).cookie for _ in range(3)]
    await actions.end(session, clock, subject=person, session_ids=None, reason="everywhere")
    assert [await current(cookie) for cookie in cookies] == [None, None, None]


async def test_oldest_session_gives_way_to_the_newest(start, current, session, clock):
    person = uuid7()
    first = await start(person)
    for _ in range(store.LISTED_MAX):
        clock.move(timedelta(seconds=1))
        await start(person)
    assert await current(first.cookie) is None
    listed = await actions.list_sessions(session, clock, subject=person)
    assert len(listed) == store.LISTED_MAX


async def test_every_beginning_and_end_is_a_fact_without_device_or_address(start, session, clock):
    opened = await start()
    raised = await actions.raise_session(session, clock, cookie=opened.cookie, methods=STRONG)
    await actions.end_by_cookie(session, clock, cookie=raised.cookie)
    rows = await session.execute(text("SELECT o::text FROM outbox o ORDER BY 1"))
    told = " ".join(rows.scalars())
    for kind in ("started", "raised", "ended"):
        assert f"identity.session.{kind}.v1" in told
    assert "Firefox" not in told
    assert "192.0.2" not in told


async def test_sweep_forgets_what_is_long_over(start, session, clock):
    await start()
    clock.move(LIMITS[1].whole + actions.KEPT)
    await actions.sweep_sessions(session, clock)
    assert await session.scalar(text("SELECT count(*) FROM session")) == 1
    clock.move(timedelta(seconds=1))
    await actions.sweep_sessions(session, clock)
    assert await session.scalar(text("SELECT count(*) FROM session")) == 0


@pytest.mark.parametrize(
    ("url", "name"),
    [("https://bus.example", "__Host-sebalai-session"), ("http://127.0.0.1", "sebalai-session")],
)
def test_cookie_is_bound_to_its_host_where_it_can_be(url, name):
    assert actions.cookie_name(url) == name


METHODS = st.sets(st.sampled_from(["pwd", "otp", "rcv", "swk", "hwk", "user", "fed"]), min_size=1)


@given(METHODS, METHODS)
def test_more_proof_is_never_worth_less(some, more):
    assert level_by(some) <= level_by(some | more)


@pytest.mark.parametrize("name", ["", "1", "urn:sebalai:acr:0", "urn:sebalai:acr:4", "x"])
def test_unknown_acr_is_worth_nothing(name):
    assert level_of(name) == 0


@given(
    st.integers(1, 3), st.integers(1, 3), st.timedeltas(timedelta(0), timedelta(days=40)), st.data()
)
def test_level_never_rises_while_nothing_happens(level, floor, later, data):
    from datetime import UTC, datetime  # noqa: PLC0415

    began = datetime(2026, 1, 1, tzinfo=UTC)
    row = SignedIn(
        level=max(level, floor), auth_time=began, floor_level=min(level, floor),
        floor_since=began, seen_at=began, ended_at=None, expires_at=began,
    )  # fmt: skip
    row.expires_at = access.ends_at(row)
    earlier = data.draw(st.timedeltas(timedelta(0), later))
    assert access.level_now(row, began + later) <= access.level_now(row, began + earlier)
    assert access.level_now(row, row.expires_at) == 0

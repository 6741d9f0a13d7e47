"""A second factor counts once; an invitation begins an account once."""

import asyncio
from datetime import timedelta

import pytest
from sebalai_identity.credentials import actions, store
from sebalai_identity.credentials.actions import InvitationUnknown, LoginInvalid, PasswordWeak
from sebalai_identity.credentials.factors import STEP_SECONDS, TOTP
from sebalai_identity.credentials.invitations import LIFETIME
from sebalai_identity.credentials.keeper import Keeper, Origin
from sebalai_identity.credentials.throttle import FREE_PLACE
from sebalai_identity.roles.model import RoleGrant
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import FieldInvalid
from sqlalchemy import select, text

HOME = Origin("192.0.2.0/24")
PASSWORD = "tepung garam jembatan biru"


@pytest.fixture
async def session(database):
    async with database.transaction() as session:
        yield session


@pytest.fixture
async def begun(session, keeper, person):
    return TOTP(await actions.begin_one_time(session, keeper, subject=person))


@pytest.fixture
def at(begun, clock):
    def at(steps=0):
        return begun.generate_otp(int(clock.now().timestamp()) // STEP_SECONDS + steps)

    return at


@pytest.fixture
async def codes(session, keeper, person, at):
    codes = await actions.confirm_one_time(session, keeper, subject=person, code=at(-1))
    assert len(codes) == 10
    return codes


@pytest.fixture
def second(keeper, person):
    async def second(typed, subject=None, origin=HOME):
        return await actions.check_second(
            keeper, subject=subject or person, typed=typed, origin=origin
        )

    return second


async def test_guesses_at_a_second_factor_do_not_stop_a_browser_known_before(
    session, keeper, person, codes, second
):
    await actions.remember_device(session, keeper, subject=person, device="own browser")
    for network in range(4):
        for _ in range(FREE_PLACE):
            await second("000000", origin=Origin(f"203.0.{network}.0/24"))
    assert (await second(codes[0])).wait
    assert (await second(codes[0], origin=Origin(HOME.network, "a stranger's"))).wait
    own = Origin(HOME.network, "own browser")
    assert (await second(codes[0], origin=own)).subject == person


async def test_seed_counts_only_after_its_first_code(session, keeper, person, at, second):
    assert (await second(at())).subject is None
    assert not await actions.has_one_time(session, subject=person)
    wrong = "000000" if at() != "000000" else "111111"
    assert await actions.confirm_one_time(session, keeper, subject=person, code=wrong) is None
    assert await actions.confirm_one_time(session, keeper, subject=person, code=at())
    assert await actions.has_one_time(session, subject=person)


@pytest.mark.parametrize("steps", [0, 1])
async def test_code_of_a_neighbouring_step_is_taken_once(codes, second, at, person, steps):
    assert (await second(at(steps))).subject == person
    assert (await second(at(steps))).subject is None


async def test_earlier_step_does_not_count_after_a_later_one(codes, second, at):
    assert (await second(at(1))).subject
    assert (await second(at(0))).subject is None


@pytest.mark.parametrize("steps", [-2, 2])
async def test_code_out_of_time_is_refused(codes, second, at, steps):
    assert (await second(at(steps))).subject is None


async def test_two_who_send_one_code_at_once_are_one(committed, workers, clock, keeper, somebody):
    person = await somebody(committed)
    keeper = Keeper(committed, clock, workers, keeper.sealed_by)
    async with committed.transaction() as session:
        await session.execute(
            text("INSERT INTO account VALUES (:id, 'at-once', NULL, now())"), {"id": person}
        )
        seed = TOTP(await actions.begin_one_time(session, keeper, subject=person))
        step = int(clock.now().timestamp()) // STEP_SECONDS
        assert await actions.confirm_one_time(
            session, keeper, subject=person, code=seed.generate_otp(step - 1)
        )
    try:
        checks = [
            actions.check_second(keeper, subject=person, typed=seed.generate_otp(step), origin=HOME)
            for _ in range(5)
        ]
        outcomes = await asyncio.gather(*checks)
    finally:
        async with committed.transaction() as session:
            for table in (
                "outbox",
                "attempt_count",
                "recovery_code",
                "one_time",
                "account",
                "person",
            ):
                await session.execute(text(f"DELETE FROM {table}"))  # noqa: S608
    assert sum(outcome.subject is not None for outcome in outcomes) == 1


async def test_recovery_code_counts_once_however_it_is_typed(codes, second, person, session):
    assert (await second(codes[0].lower().replace("-", " "))).subject == person
    assert (await second(codes[0])).subject is None
    assert await actions.codes_left(session, subject=person) == 9


async def test_new_recovery_codes_end_the_old(codes, second, session, person, keeper):
    fresh = await actions.renew_codes(session, keeper, subject=person)
    assert (await second(codes[1])).subject is None
    assert (await second(fresh[1])).subject == person


async def test_database_tells_no_seed_and_no_code(codes, begun, session):
    for table in ("one_time", "recovery_code"):
        query = f"SELECT string_agg(t::text, ' ') FROM {table} t"  # noqa: S608
        dumped = await session.scalar(text(query))
        assert dumped
        assert begun.secret not in dumped
        assert codes[2].replace("-", "") not in dumped


async def test_guessing_codes_is_slowed_down(codes, second, clock, at, person):
    for _ in range(FREE_PLACE):
        assert not (await second("AAAA-BBBB-CCCC-DDDD")).wait
    assert (await second(at())).wait
    clock.move(timedelta(seconds=1))
    assert (await second(at())).subject == person


async def test_code_of_somebody_else_proves_nothing(codes, second, at):
    assert (await second(at(), uuid7())).subject is None
    assert (await second(codes[0], uuid7())).subject is None


async def test_app_in_use_is_not_replaced_unseen(codes, session, keeper, person):
    with pytest.raises(actions.OneTimeKnown):
        await actions.begin_one_time(session, keeper, subject=person)
    await actions.remove_one_time(session, keeper, subject=person)
    assert await actions.begin_one_time(session, keeper, subject=person)


@pytest.fixture
def invite(session, keeper):
    async def invite(subject, issued_by="operator", **more):
        terms = actions.Terms(**more)
        return await actions.invite(
            session, keeper, subject=subject, issued_by=issued_by, terms=terms
        )

    return invite


@pytest.fixture
def accept(session, keeper):
    async def accept(code, login="budi", password=PASSWORD):
        return await actions.accept(session, keeper, code=code, login=login, password=password)

    return accept


async def test_invitation_begins_an_account_once(invite, accept, keeper, somebody):
    person = await somebody()
    invited = await invite(person)
    assert await accept(invited.code.lower()) == person
    checked = await actions.check_password(keeper, login="budi", password=PASSWORD, origin=HOME)
    assert checked.subject == person
    with pytest.raises(InvitationUnknown):
        await accept(invited.code)


async def test_invitation_ends(invite, accept, clock, somebody):
    invited = await invite(await somebody())
    clock.move(LIFETIME)
    with pytest.raises(InvitationUnknown):
        await accept(invited.code)


async def test_later_invitation_ends_the_earlier(invite, accept, somebody):
    person = await somebody()
    earlier, later = await invite(person), await invite(person)
    with pytest.raises(InvitationUnknown):
        await accept(earlier.code)
    assert await accept(later.code) == person


async def test_of_invitations_made_at_once_one_is_left(committed, workers, clock, keeper, somebody):
    person, keeper = await somebody(committed), Keeper(committed, clock, workers, keeper.sealed_by)

    async def invite():
        async with committed.transaction() as session:
            await actions.invite(session, keeper, subject=person, issued_by="operator")

    try:
        await asyncio.gather(*(invite() for _ in range(4)))
        async with committed.transaction() as session:
            assert await session.scalar(text("SELECT count(*) FROM invitation")) == 1
    finally:
        async with committed.transaction() as session:
            await session.execute(text("DELETE FROM invitation"))
            await session.execute(text("DELETE FROM person"))


async def test_mistake_leaves_the_invitation_usable(invite, accept, somebody):
    invited = await invite(await somebody())
    for mistake, login, password in (
        (PasswordWeak, "budi", "short"),
        (LoginInvalid, "x", PASSWORD),
    ):
        with pytest.raises(mistake):
            await accept(invited.code, login, password)
    assert await accept(invited.code)


async def test_name_of_somebody_else_is_not_taken_over(invite, accept, person, somebody):
    invited = await invite(await somebody())
    with pytest.raises(LoginInvalid):
        await accept(invited.code, "siti.rahma")


async def test_of_two_who_choose_one_name_at_once_one_gets_it(committed, clock, somebody):
    async def choose(subject):
        async with committed.transaction() as session:
            return await store.keep_account(session, subject, "at-once", None, clock.now())

    people = [await somebody(committed) for _ in range(4)]
    try:
        assert sorted(await asyncio.gather(*map(choose, people))) == [False] * 3 + [True]
    finally:
        async with committed.transaction() as session:
            await session.execute(text("DELETE FROM account"))
            await session.execute(text("DELETE FROM person"))


async def test_invitation_gives_a_new_password_to_who_forgot_it(invite, accept, person, keeper):
    invited = await invite(person)
    fresh = "layar kompas teluk sauh"
    assert await accept(invited.code, "siti.rahma", fresh) == person
    checked = await actions.check_password(
        keeper, login="siti.rahma", password=PASSWORD, origin=HOME
    )
    assert checked.subject is None


@pytest.mark.parametrize("lifetime", [timedelta(0), timedelta(days=15)])
async def test_invitation_for_ever_is_refused(invite, lifetime, somebody):
    with pytest.raises(FieldInvalid):
        await invite(await somebody(), lifetime=lifetime)


async def test_plain_invitation_leaves_the_second_factor(codes, invite, accept, person, session):
    invited = await invite(person)
    await accept(invited.code, "siti.rahma")
    assert await actions.has_one_time(session, subject=person)


@pytest.fixture
def granted(session, clock):
    async def granted(subject, *roles):
        for role in roles:
            row = RoleGrant(
                id=uuid7(), person_id=subject, role=role, state="active", decree="SK 1/2026",
                valid_from=clock.now(), asked_by="first", decided_by="second",
                recorded_at=clock.now(), changed_at=clock.now(),
            )  # fmt: skip
            session.add(row)
        await session.flush()

    return granted


@pytest.fixture
def states(session):
    async def states(subject):
        query = select(RoleGrant).where(RoleGrant.person_id == subject)
        rows = await session.scalars(query.execution_options(populate_existing=True))
        return {row.role: (row.state, row.asked_by, row.decided_by) for row in rows}

    return states


async def test_keeper_who_invites_another_keeper_anew_gets_none_of_their_powers(
    granted, states, invite, accept, person
):
    await granted(person, "role-keeper", "service-editor")
    invited = await invite(person, issued_by="a-keeper")
    assert (await states(person))["role-keeper"] == ("active", "first", "second")
    await accept(invited.code, "siti.rahma")
    assert await states(person) == {
        "role-keeper": ("requested", "a-keeper", None),
        "service-editor": ("active", "first", "second"),
    }


async def test_keeper_who_comes_by_the_first_invitation_of_another_gets_none_of_their_powers(
    granted, states, invite, accept, somebody
):
    """A role may be granted before its person ever signed in, and the code is the issuer's to use:
    who keeps people would hold, alone, what two keepers of roles gave to somebody else.
    """
    newcomer = await somebody()
    await granted(newcomer, "role-keeper", "service-editor")
    invited = await invite(newcomer, issued_by="a-keeper")
    await accept(invited.code, "budi.santoso")
    assert await states(newcomer) == {
        "role-keeper": ("requested", "a-keeper", None),
        "service-editor": ("active", "first", "second"),
    }


async def test_role_that_is_granted_after_the_first_sign_in_holds(
    granted, states, invite, accept, somebody
):
    newcomer = await somebody()
    invited = await invite(newcomer, issued_by="a-keeper")
    await accept(invited.code, "budi.santoso")
    await granted(newcomer, "role-keeper")
    assert (await states(newcomer))["role-keeper"] == ("active", "first", "second")


async def test_invitation_of_the_machine_itself_leaves_roles(
    granted, states, invite, accept, person, somebody
):
    for number, subject in enumerate((await somebody(), person)):
        await granted(subject, "role-keeper")
        invited = await invite(subject, issued_by="command-line")
        await accept(invited.code, f"name-{number}")
        assert (await states(subject))["role-keeper"] == ("active", "first", "second")


async def test_person_who_lost_all_begins_anew(codes, invite, accept, person, session):
    invited = await invite(person, forgets=True)
    assert await actions.has_one_time(session, subject=person)
    await accept(invited.code, "siti.rahma")
    assert not await actions.has_strong_means(session, subject=person)
    assert await actions.codes_left(session, subject=person) == 0

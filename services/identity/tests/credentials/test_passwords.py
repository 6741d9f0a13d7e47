"""A password proves its person; guessing is slow, tells nothing and locks nobody out."""

import asyncio
import hashlib
import threading
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from hypothesis import given, settings
from hypothesis import strategies as st
from sebalai_identity.credentials import actions, store, throttle
from sebalai_identity.credentials.actions import PasswordsBusy, PasswordWeak
from sebalai_identity.credentials.hashing import QUEUE_MAX, PasswordWorkers
from sebalai_identity.credentials.keeper import Keeper, Origin
from sebalai_identity.credentials.passwords import LoginInvalid, login_of
from sebalai_identity.credentials.strength import Breached, weakness
from sqlalchemy import text

PASSWORD = "tepung garam jembatan biru"
LOGIN = "siti.rahma"
HOME = Origin("192.0.2.0/24")
AWAY = Origin("198.51.100.0/24")


@pytest.fixture
def check(keeper, person):
    async def check(password=PASSWORD, login=LOGIN, origin=HOME):
        checked = await actions.check_password(
            keeper, login=login, password=password, origin=origin
        )
        async with keeper.database.transaction() as session:
            await actions.still_stands(session, keeper, checked)
        return checked

    return check


@pytest.fixture
def fail(check):
    async def fail(times, **more):
        for _ in range(times):
            assert not (await check("wrong", **more)).wait

    return fail


async def test_right_password_names_the_person(check, person):
    assert (await check()).subject == person
    assert (await check(login="  SITI.Rahma ")).subject == person


@pytest.mark.parametrize(
    ("login", "password"),
    [(LOGIN, "wrong"), (LOGIN, ""), ("nobody", PASSWORD), ("", ""), (LOGIN, PASSWORD * 9)],
)
async def test_wrong_name_or_password_proves_nothing(check, login, password):
    assert (await check(password, login)) == actions.Checked()


async def test_unknown_name_costs_the_same_work(check, workers, monkeypatch):
    # Counted, not timed: both ways through hash exactly once, with the same parameters.
    work = []
    run = workers._run
    monkeypatch.setattr(workers, "_run", lambda job: work.append(job) or run(job))
    await check("wrong")
    await check("wrong", "nobody")
    assert len(work) == 2
    assert workers._nobody.split("$")[:4] == (await workers.hash("x")).split("$")[:4]


async def test_unknown_names_are_slowed_like_known_ones(check, fail):
    await fail(5)
    await fail(5, login="nobody", origin=AWAY)
    assert (await check(origin=HOME)).wait == (await check(login="nobody", origin=AWAY)).wait


async def test_fifth_failure_makes_the_next_guess_wait(check, fail, clock, person):
    await fail(4)
    assert (await check()).subject == person
    await fail(5)
    refused = await check()
    assert refused.wait == timedelta(seconds=1)
    assert refused.subject is None
    clock.move(timedelta(seconds=1))
    assert (await check()).subject == person


async def test_waits_double_up_to_a_quarter_of_an_hour(check, fail, clock):
    waits = []
    await fail(5)
    for _ in range(14):
        wait = (await check()).wait
        waits.append(wait)
        clock.move(wait)
        await fail(1)
    assert waits[:4] == [timedelta(seconds=2**n) for n in range(4)]
    assert waits[-1] == throttle.DELAY_MAX


async def test_guesses_from_elsewhere_do_not_stop_the_person_at_home(check, fail, person):
    await fail(5, origin=AWAY)
    assert (await check(origin=AWAY)).wait
    assert (await check(origin=HOME)).subject == person


async def test_guesses_from_everywhere_do_not_stop_a_browser_known_before(
    check, fail, person, keeper
):
    async with keeper.database.transaction() as session:
        await actions.remember_device(session, keeper, subject=person, device="own browser")
    for network in range(5):
        await fail(4, origin=Origin(f"203.0.{network}.0/24"))
    assert (await check(origin=HOME)).wait
    assert (await check(origin=Origin("192.0.2.0/24", "own browser"))).subject == person
    assert (await check(origin=Origin("192.0.2.0/24", "a stranger's"))).wait


async def test_success_between_failures_gives_the_network_no_more_of_them(check, fail, person):
    for number in range(throttle.FREE_NETWORK):
        await fail(1, login=f"guess{number}")
        if number % 3 == 0:
            await check()
    assert (await check()).wait


async def test_failures_are_forgotten_after_an_hour(check, fail, clock):
    await fail(4)
    clock.move(throttle.FORGOTTEN_AFTER + timedelta(seconds=1))
    await fail(4)
    assert not (await check()).wait


async def test_office_whose_people_sign_in_is_not_slowed(check, person):
    for _ in range(throttle.FREE_NETWORK + 5):
        assert (await check()).subject == person


async def test_network_is_counted_hour_by_hour(check, fail, clock):
    for hour in range(3):
        for number in range(throttle.FREE_NETWORK - 1):
            await fail(1, login=f"typo{hour}{number}")
            clock.move(timedelta(seconds=36))
        clock.move(timedelta(seconds=36))
    for number in range(throttle.FREE_NETWORK):
        await fail(1, login=f"guess{number}")
    assert (await check(origin=HOME)).wait


async def test_counts_tell_no_name(check, fail, keeper):
    await fail(1, login="3173012345678901")
    async with keeper.database.transaction() as session:
        rows = (await session.execute(text("SELECT key FROM attempt_count"))).scalars().all()
    assert len(rows) == 3
    assert not any(b"3173" in key for key in rows)


async def test_parallel_guesses_are_counted_like_serial_ones(committed, keeper, clock):
    keeper = Keeper(committed, clock, keeper.workers, keeper.sealed_by)

    async def guess():
        return await actions.check_password(keeper, login="many", password="x", origin=HOME)

    try:
        outcomes = await asyncio.gather(*[guess() for _ in range(20)])
    finally:
        async with committed.transaction() as session:
            await session.execute(text("DELETE FROM attempt_count"))
    assert sum(not outcome.wait for outcome in outcomes) == throttle.FREE_PLACE


async def test_old_parameters_are_replaced_at_the_next_sign_in(check, keeper, person):
    old = PasswordHasher(2, 16, 1).hash(PASSWORD)
    async with keeper.database.transaction() as session:
        await store.keep_hash(session, person, old, keeper.clock.now())
    assert (await check()).subject == person
    async with keeper.database.transaction() as session:
        assert "m=8,t=1,p=1" in await store.hash_of(session, person)


async def test_password_changed_while_the_old_one_is_hashed_anew_stays_changed(
    check, keeper, person, workers, monkeypatch
):
    old, newer = PasswordHasher(2, 16, 1).hash(PASSWORD), await workers.hash("another one")

    async def keep(stored):
        async with keeper.database.transaction() as session:
            await store.keep_hash(session, person, stored, keeper.clock.now())

    async def changed_meanwhile(_):
        await keep(newer)
        return "of the old password"

    await keep(old)
    monkeypatch.setattr(workers, "hash", changed_meanwhile)
    assert (await check()).subject == person
    async with keeper.database.transaction() as session:
        assert await store.hash_of(session, person) == newer


async def test_crowd_does_not_stop_who_only_needs_a_new_hash(
    check, keeper, person, workers, monkeypatch
):
    async def busy(_):
        raise PasswordsBusy("later")

    async with keeper.database.transaction() as session:
        old = PasswordHasher(2, 16, 1).hash(PASSWORD)
        await store.keep_hash(session, person, old, keeper.clock.now())
    monkeypatch.setattr(workers, "hash", busy)
    assert (await check()).subject == person


async def test_hashes_cost_what_owasp_asks():
    workers = PasswordWorkers(1)
    assert "$argon2id$v=19$m=19456,t=2,p=1$" in await workers.hash(PASSWORD)
    workers.close()


async def test_the_same_letters_typed_otherwise_are_the_same_password(workers):
    stored = await workers.hash("cafe\u0301 di tanjung kelayang")
    assert await workers.matches(stored, "caf\u00e9 di tanjung kelayang")


async def test_more_than_the_queue_holds_is_refused_at_once():
    workers, gate = PasswordWorkers(2), threading.Event()
    blocked = [asyncio.ensure_future(workers._run(gate.wait)) for _ in range(2 + QUEUE_MAX)]
    await asyncio.sleep(0)
    assert workers.under_way == 2 + QUEUE_MAX
    with pytest.raises(PasswordsBusy) as refused:
        await workers.matches(None, "x")
    assert refused.value.status == 503
    assert refused.value.headers["Retry-After"]
    gate.set()
    await asyncio.gather(*blocked)
    assert not await workers.matches(None, "x")
    workers.close()


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("empat belas ha", "short"),
        ("x" * 129, "long"),
        ("password12345678", "guessable"),
        ("bangkabelitung2026", "guessable"),
        ("rahasiarahasiarahasia", "guessable"),
        ("aaaaaaaaaaaaaaaaaaaa", "guessable"),
        ("siti.rahma.siti.rahma", "guessable"),
        (PASSWORD, None),
    ],
)
def test_weak_password_is_refused_for_its_reason(password, why):
    assert weakness(password, ["siti.rahma"]) == why


@settings(max_examples=30)
@given(st.sets(st.text(min_size=15, max_size=40), min_size=1, max_size=20), st.data())
def test_breached_password_is_found_in_the_file_and_others_are_not(tmp_path_factory, words, data):
    listed = data.draw(st.sets(st.sampled_from(sorted(words))))
    digests = sorted(
        hashlib.sha1(word.encode(), usedforsecurity=False).hexdigest().upper() for word in listed
    )
    path = tmp_path_factory.mktemp("breached") / "list.txt"
    path.write_text("".join(f"{digest}:{len(digest)}\n" for digest in digests), encoding="ascii")
    assert {word for word in words if Breached(path).holds(word)} == listed


async def test_breached_password_is_not_kept(keeper, person, tmp_path):
    path = tmp_path / "breached.txt"
    path.write_text(
        hashlib.sha1(PASSWORD.encode(), usedforsecurity=False).hexdigest().upper() + ":3\n",
        encoding="ascii",
    )
    keeper = Keeper(keeper.database, keeper.clock, keeper.workers, keeper.sealed_by, Breached(path))
    async with keeper.database.transaction() as session:
        with pytest.raises(PasswordWeak) as refused:
            await actions.set_password(session, keeper, subject=person, password=PASSWORD)
    assert refused.value.why == "breached"


@pytest.mark.parametrize("typed", ["ab", "", "-x-", "a b c", "3173012345678901", "x" * 65, "é-x"])
def test_name_that_may_be_a_nik_or_cannot_be_typed_is_refused(typed):
    with pytest.raises(LoginInvalid):
        login_of(typed)

"""Nobody is starved, nothing waits for ever, and never more than the limit is inside."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_gateway.forwarding import gate as module
from sebalai_gateway.forwarding.gate import QUEUED_A_CONSUMER, Full, Gate


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_consumer_alone_never_holds_all_the_room():
    gate = Gate(8)
    waiting = [asyncio.create_task(gate.enter("flood")) for _ in range(20)]
    await settle()
    assert gate.active == 6
    await gate.enter("other")
    assert gate.active == 7
    for task in waiting:
        task.cancel()


async def test_consumers_who_wait_are_let_in_by_turns():
    gate, order = Gate(1), []

    async def call(consumer):
        await gate.enter(consumer)
        order.append(consumer)

    await gate.enter("first")
    tasks = [asyncio.create_task(call(c)) for c in ["a", "a", "a", "b", "c"]]
    await settle()
    for consumer in ["first", "a", "b", "c", "a"]:
        gate.leave(consumer)
        await settle()
    assert order == ["a", "b", "c", "a", "a"]
    await asyncio.gather(*tasks)
    gate.leave("a")
    assert gate.active == 0


async def test_one_who_waits_too_long_is_told_and_leaves_nothing_behind(monkeypatch):
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.01)
    gate = Gate(1)
    await gate.enter("a")
    with pytest.raises(Full):
        await gate.enter("b")
    gate.leave("a")
    await gate.enter("b")
    gate.leave("b")
    assert (gate.active, gate._waiting, gate._queues) == (0, 0, {})


async def test_queue_of_a_consumer_is_bounded_and_others_still_queue():
    gate = Gate(1)
    await gate.enter("x")
    tasks = [asyncio.create_task(gate.enter("flood")) for _ in range(QUEUED_A_CONSUMER)]
    await settle()
    with pytest.raises(Full):
        await gate.enter("flood")
    other = asyncio.create_task(gate.enter("other"))
    await settle()
    assert not other.done()
    for task in [*tasks, other]:
        task.cancel()
    await asyncio.gather(*tasks, other, return_exceptions=True)
    gate.leave("x")
    assert (gate.active, gate._waiting) == (0, 0)


@given(
    st.integers(1, 5),
    st.lists(st.tuples(st.sampled_from(["enter", "leave", "cancel"]), st.sampled_from("abc"))),
)
async def test_whatever_comes_and_goes_the_limit_holds_and_room_is_used(limit, steps):
    gate, inside, waiting = Gate(limit), [], []
    for step, consumer in steps:
        if step == "enter":
            waiting.append((consumer, asyncio.create_task(gate.enter(consumer))))
        elif step == "leave" and inside:
            gate.leave(inside.pop())
        elif step == "cancel" and waiting:
            waiting.pop()[1].cancel()
        await settle()
        inside += [c for c, task in waiting if task.done() and not task.cancelled()]
        waiting = [(c, task) for c, task in waiting if not task.done()]
        assert gate.active == len(inside) <= limit
        assert not any(gate._has_room(c) for c, _ in waiting)
    for _, task in waiting:
        task.cancel()
    await asyncio.gather(*(task for _, task in waiting), return_exceptions=True)
    for consumer in inside:
        gate.leave(consumer)
    assert (gate.active, gate._waiting, gate._active) == (0, 0, {})


async def test_one_who_gives_up_at_the_moment_of_his_turn_takes_nobodys_room():
    gate = Gate(1)
    await gate.enter("a")
    gone, stays = (asyncio.create_task(gate.enter(consumer)) for consumer in "bc")
    await settle()
    gone.cancel()
    gate.leave("a")
    await asyncio.gather(gone, return_exceptions=True)
    async with asyncio.timeout(10):
        await stays
    gate.leave("c")
    assert (gate.active, gate.waiting, gate._queues) == (0, 0, {})

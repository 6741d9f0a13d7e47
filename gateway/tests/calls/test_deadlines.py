"""Bounds on whole exchanges: as asyncio.timeout, which they stand for, but by one timer."""

import asyncio

import pytest
from sebalai_gateway.calls.deadlines import Deadlines


async def test_block_that_takes_too_long_ends_in_timeout_and_its_task_goes_on():
    with pytest.raises(TimeoutError), Deadlines().within(0.01):
        await asyncio.sleep(30)
    await asyncio.sleep(0)
    assert not asyncio.current_task().cancelling()


async def test_block_that_ends_in_time_is_left_alone_and_forgotten():
    deadlines = Deadlines()
    with deadlines.within(0.05):
        await asyncio.sleep(0)
    await asyncio.sleep(0.3)
    assert not deadlines.bounds


async def test_inner_bound_does_not_end_the_outer_one():
    deadlines = Deadlines()
    with deadlines.within(30):
        with pytest.raises(TimeoutError), deadlines.within(0.01):
            await asyncio.sleep(30)
        await asyncio.sleep(0)


async def test_cancellation_by_another_stays_one_even_when_the_bound_is_cut_with_it():
    deadlines = Deadlines()

    async def work():
        with deadlines.within(30):
            await asyncio.sleep(30)

    for cut_too in (False, True):
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        if cut_too:
            next(iter(deadlines.bounds)).cut()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert not deadlines.bounds


async def test_what_the_block_raises_passes_through():
    with pytest.raises(KeyError), Deadlines().within(30):
        raise KeyError

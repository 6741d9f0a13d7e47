import asyncio

from sebalai_gateway.routing.pulse import STILL_SECONDS, Pulse


class Watch:
    """A clock that is set, and what was asked anew."""

    def __init__(self):
        self.now, self.asked, self.told = 100.0, 0, asyncio.Event()
        self.pulse = Pulse(self.word, lambda: self.now)

    async def word(self):
        self.asked += 1
        await self.told.wait()


async def stood_still():
    """And a call that waits for the word since."""
    watch = Watch()
    watch.pulse.look()
    watch.now += STILL_SECONDS + 1
    assert not watch.pulse.is_even
    waiting = asyncio.create_task(watch.pulse.even())
    await asyncio.sleep(0)
    return watch, waiting


async def test_process_that_goes_on_is_even():
    watch = Watch()
    assert watch.pulse.is_even
    for _ in range(3):
        watch.pulse.look()
        watch.now += STILL_SECONDS
        assert watch.pulse.is_even
    await watch.pulse.even()
    assert watch.asked == 0


async def test_standstill_is_over_when_it_was_asked_anew():
    watch, waiting = await stood_still()
    watch.pulse.look()
    assert (waiting.done(), watch.pulse.is_even, watch.asked) == (False, False, 1)
    watch.told.set()
    await waiting
    assert watch.pulse.is_even


async def test_who_stands_still_while_asking_asks_again():
    watch = Watch()
    watch.pulse.look()
    for _ in range(2):
        watch.now += STILL_SECONDS + 1
        assert not watch.pulse.is_even
        await asyncio.sleep(0)
    watch.told.set()
    await watch.pulse.even()
    assert watch.asked == 2


async def test_call_that_gives_up_does_not_end_the_asking():
    watch, waiting = await stood_still()
    waiting.cancel()
    await asyncio.wait({waiting})
    assert not watch.pulse.is_even
    watch.told.set()
    await watch.pulse.even()
    assert watch.asked == 1


async def test_its_run_looks_and_ends_what_it_asked():
    watch = Watch()
    running = asyncio.create_task(watch.pulse.run())
    await asyncio.sleep(0)
    watch.now += STILL_SECONDS + 1
    async with asyncio.timeout(10):
        while not watch.asked:
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait({running})
    async with asyncio.timeout(10):
        while not watch.pulse.is_even:
            await asyncio.sleep(0)

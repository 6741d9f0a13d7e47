"""Direct subscribers while exchange's clock and the broker's differ: the broker judges by its own."""

from datetime import timedelta

import pytest

from services.exchange.tests.deliveries.direct.conftest import (
    TYPE,
    connected,
    fetch,
    subscribed,
    until_connected,
    until_shaped,
)

# Longer than a credential opens the door for.
SKEWS = [timedelta(minutes=10), timedelta(hours=3), -timedelta(hours=3)]


@pytest.mark.parametrize("skew", SKEWS, ids=str)
async def test_a_subscriber_is_let_in_and_hears_all_from_its_subscription_on(
    bus, server, stream, agreed
):
    one = await subscribed(bus)
    await stream.publish()
    await until_connected(bus, server, one)
    await until_shaped(bus, stream, one)
    await stream.publish()
    async with connected(server, one) as told:
        assert await fetch(told, one, 2) == [f"sebalai.{TYPE}"] * 2


@pytest.mark.parametrize("skew", SKEWS, ids=str)
async def test_a_start_once_placed_stays_whatever_the_clocks_do_then(bus, stream, agreed):
    one = await subscribed(bus)
    before = await until_shaped(bus, stream, one)
    bus.app.state.clock.by += timedelta(minutes=30)
    await stream.broker.api(f"CONSUMER.DELETE.EVENTS.{one.consumer}")
    async with stream.working():
        after = await until_shaped(bus, stream, one)
    assert after["config"]["opt_start_time"] == before["config"]["opt_start_time"]

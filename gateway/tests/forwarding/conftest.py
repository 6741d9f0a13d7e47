"""The seam is tested on the product's own loop, whose transports are other classes than asyncio's."""

import uvloop


def pytest_asyncio_loop_factories():
    return {"uvloop": uvloop.new_event_loop}

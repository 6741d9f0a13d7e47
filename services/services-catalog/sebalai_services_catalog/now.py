"""The injected clock as a parameter of a route."""

from typing import Annotated

from fastapi import Depends, Request
from sebalai_shared.clock import Clock


async def _clock(request: Request) -> Clock:
    return request.app.state.clock


Now = Annotated[Clock, Depends(_clock)]

"""What a step on the register is given: the request, who asks, and its transaction."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Response
from sebalai_shared.caller import Caller, IdentifiedAccess
from sebalai_shared.clock import Clock
from sebalai_shared.database import Transaction
from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True)
class Given:
    request: Request
    response: Response
    caller: Caller
    session: AsyncSession

    @property
    def clock(self) -> Clock:
        return self.request.app.state.clock


async def _given(
    request: Request, response: Response, caller: IdentifiedAccess, session: Transaction
) -> Given:
    return Given(request, response, caller, session)


Asked = Annotated[Given, Depends(_given)]

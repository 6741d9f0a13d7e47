"""Who acts and when: what every action on people and posts is handed."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import Depends, Request
from sebalai_shared.caller import OPERATE, Caller, IdentifiedAccess
from sebalai_shared.clock import Clock

from sebalai_identity.keys.actions import NoSealingKey
from sebalai_identity.vault import NumberVault

OPERATOR = Caller(kind="system", subject="command-line", scopes=frozenset({OPERATE}))
"""The command line on the platform's own machine."""


@dataclass(frozen=True)
class Desk:
    """`vault` is absent where no sealing key is set: then no number can be kept or found."""

    caller: Caller
    clock: Clock
    vault: NumberVault | None = None

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @property
    def today(self) -> date:
        return self.now.date()

    @property
    def numbers(self) -> NumberVault:
        """Raises `NoSealingKey`."""
        if self.vault is None:
            raise NoSealingKey("Set SEBALAI_SEALING_KEY_FILE of identity and start it again.")
        return self.vault

    @property
    def actor(self) -> str:
        """The person's or application's id that stands in the audit trail."""
        return self.caller.subject or self.caller.kind


async def _desk(request: Request, caller: IdentifiedAccess) -> Desk:
    return Desk(caller, request.app.state.clock, request.app.state.vault)


AtDesk = Annotated[Desk, Depends(_desk)]
"""An identified caller at the desk; the action decides what it may."""

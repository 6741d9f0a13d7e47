"""Sessions as other slices see them."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sebalai_identity.assurance import acr_of


@dataclass(frozen=True)
class Device:
    """Where a session lives: the browser in a few words, and the network (/24 or /48), no more."""

    name: str = ""
    network: str = ""


@dataclass(frozen=True)
class Session:
    """A live session. `level` is what it is worth now, lapsed step-ups left out."""

    id: UUID
    subject: UUID
    level: int
    auth_time: datetime
    amr: tuple[str, ...]
    started_at: datetime
    seen_at: datetime
    expires_at: datetime
    device: Device = field(default_factory=Device)

    @property
    def acr(self) -> str:
        return acr_of(self.level)


@dataclass(frozen=True)
class Opened:
    """A session and the cookie value that opens it: told once, to that browser only."""

    session: Session
    cookie: str

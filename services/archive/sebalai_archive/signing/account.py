"""What an outside service knows this archive by."""

import base64
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Account:
    user: str
    password: str = field(repr=False)

    @property
    def header(self) -> str:
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

"""Whose calls all proxies carry, and what they are to decide by: 2,000 interfaces, 51,000 agreements
of 1,000 consumers, a token for each consumer, calls by each of them in turn.

Every consumer calls one interface and has agreements with 50 others it does not call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

CONSUMERS, INTERFACES, AGREEMENTS_EACH = 1_000, 2_000, 51
STRIDE, AGENCIES, PURPOSES = 39, 60, 40
CONSUMER, PROVIDER = "ID-BB/GOV/dinsos-pmd/bansos", "ID-BB/GOV/dp3acskb/kependudukan"
INTERFACE, SINK, PURPOSE = f"{PROVIDER}/bench", f"{PROVIDER}/sink", "uji-beban"

# Written before the clock runs, so that the load costs the other core no more than one call's would.
SCRIPT = """
local calls, at = {}, 0
init = function()
  for line in io.lines("@file@") do
    local path, purpose, token = line:match("^(%S+) (%S+) (%S+)$")
    calls[#calls + 1] = wrk.format("GET", path, {
      ["Host"] = wrk.headers["Host"], ["sebalai-purpose"] = purpose,
      ["authorization"] = "Bearer " .. token,
    })
  end
end
request = function()
  at = at % #calls + 1
  return calls[at]
end
"""


class Agreed(NamedTuple):
    consumer: str
    interface: str
    purpose: str


class Call(NamedTuple):
    """One call as a consumer makes it."""

    path: str
    purpose: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}", "sebalai-purpose": self.purpose}


def consumer(number: int) -> str:
    if number == 0:
        return CONSUMER
    return f"ID-BB/GOV/agency-{number % AGENCIES}/application-{number}"


def interface(number: int) -> str:
    if number == 0:
        return INTERFACE
    return f"ID-BB/GOV/provider-{number % AGENCIES}/register/interface-{number}"


def called(number: int) -> Agreed:
    """What the consumer of this number calls, and for what."""
    return _agreed(number, number)


def agreed() -> Iterator[Agreed]:
    """All agreements; and one more, for the bodies of the suite `large`."""
    for one in range(CONSUMERS):
        for step in range(AGREEMENTS_EACH):
            yield _agreed(one, (one + step * STRIDE) % INTERFACES)
    yield Agreed(CONSUMER, SINK, PURPOSE)


def interfaces() -> list[str]:
    return [*map(interface, range(INTERFACES)), SINK]


def script(folder: Path, calls: Iterable[Call]) -> Path:
    """Has wrk make the calls in turn, over and over."""
    (folder / "calls").write_text("\n".join(" ".join(call) for call in calls))
    file = folder / "calls.lua"
    file.write_text(SCRIPT.replace("@file@", str(folder / "calls")))
    return file


def _agreed(one: int, other: int) -> Agreed:
    code = (one + other) % PURPOSES
    return Agreed(consumer(one), interface(other), f"tujuan-{code}" if code else PURPOSE)

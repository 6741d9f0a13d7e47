"""Where an interface's calls go: its addresses, their health, and the room it has.

An address that fails repeatedly is left out for a while; when all are, calls are refused at once
instead of piling up (a circuit breaker of one address is the same thing). One call at a time then
tries whether it is back. Does not own how a request is sent (`forwarder`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sebalai_gateway.forwarding.gate import Gate

FAILURES_TO_EJECT = 5
EJECT_SECONDS = 2.0
EJECT_SECONDS_LIMIT = 60.0
CONCURRENCY = 512
RETRY_SHARE = 0.2
RETRIES_SAVED = 10.0
DESTINATIONS_LIMIT = 10_000


class Ejected(Exception):
    """Every address has failed lately; try again after `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass(slots=True)
class Address:
    """One base URL and how it behaved; `until` is when it is tried again."""

    url: str
    failures: int = 0
    ejections: int = 0
    until: float = 0.0
    is_probed: bool = False

    def worked(self) -> None:
        self.failures = self.ejections = 0
        self.until, self.is_probed = 0.0, False

    def failed(self, now: float) -> bool:
        """Counts a failure of the connection; what a provider answers is its own matter. Whether
        it is left out from now on.
        """
        self.failures += 1
        self.is_probed = False
        if self.failures >= FAILURES_TO_EJECT or self.ejections:
            seconds = min(EJECT_SECONDS_LIMIT, EJECT_SECONDS * 2**self.ejections)
            self.ejections, self.until = min(self.ejections + 1, 16), now + seconds
            return True
        return False

    def is_open(self, now: float) -> bool:
        """Whether a call may go there: it is well, or its time is over and nobody tries it yet."""
        return not self.ejections or (now >= self.until and not self.is_probed)


@dataclass(slots=True)
class Destination:
    """One interface's addresses, gate and saved-up retries."""

    addresses: list[Address]
    gate: Gate
    clock: Callable[[], float]
    told: Sequence[str] = ()
    _only: Address | None = None
    _turn: int = 0
    _retries: float = field(default=RETRIES_SAVED)

    def adjust(self, urls: Sequence[str], limit: int) -> None:
        """Takes a new table's addresses; those that stay keep their health."""
        self.told = urls
        known = {address.url: address for address in self.addresses}
        self.addresses = [known.get(url) or Address(url) for url in urls]
        self._only = self.addresses[0] if len(urls) == 1 else None
        self.gate.limit = limit

    def pick(self, tried: Sequence[Address] = ()) -> Address:
        """The next address by turns. Raises: Ejected."""
        if self._only is not None and not tried and not self._only.ejections:
            return self._only
        now = self.clock()
        count = len(self.addresses)
        for step in range(count):
            address = self.addresses[(self._turn + step) % count]
            if address not in tried and address.is_open(now):
                self._turn = (self._turn + step + 1) % count
                address.is_probed = bool(address.ejections)
                return address
        raise Ejected(self._wait(now))

    def check(self) -> None:
        """Raises: Ejected, when no address would be picked."""
        if self._only is not None and not self._only.ejections:
            return
        now = self.clock()
        for address in self.addresses:
            if address.is_open(now):
                return
        raise Ejected(self._wait(now))

    def _wait(self, now: float) -> float:
        return max(0.0, min((a.until for a in self.addresses), default=now) - now)

    def earn_retry(self) -> None:
        if self._retries < RETRIES_SAVED:
            self._retries = min(RETRIES_SAVED, self._retries + RETRY_SHARE)

    def spend_retry(self) -> bool:
        """Whether a failed call may be sent again: at most RETRY_SHARE of all calls are."""
        if self._retries < 1:
            return False
        self._retries -= 1
        return True


class Destinations:
    """By interface id; kept when tables change, bounded."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[str, Destination] = {}

    def of(self, number: str, urls: Sequence[str], limit: int) -> Destination:
        found = self._known.get(number)
        if found is None:
            if len(self._known) >= DESTINATIONS_LIMIT:
                self._drop_idle()
            found = Destination([], Gate(limit), self._clock)
            self._known[number] = found
        if urls is not found.told or limit != found.gate.limit:
            found.adjust(urls, limit)
        return found

    @property
    def exchanges(self) -> tuple[int, int]:
        """Under way, and waiting for room."""
        gates = [found.gate for found in self._known.values()]
        return sum(gate.active for gate in gates), sum(gate.waiting for gate in gates)

    @property
    def left_out(self) -> tuple[int, int]:
        """Addresses that are left out, and interfaces that have no other."""
        now = self._clock()
        bad = [[not a.is_open(now) for a in found.addresses] for found in self._known.values()]
        return sum(map(sum, bad)), sum(bool(one) and all(one) for one in bad)

    def _drop_idle(self) -> None:
        self._known = {n: d for n, d in self._known.items() if d.gate.active}

"""argon2id in a bounded pool of workers: as many at once as there are cores, a short queue, and a
clear refusal beyond. Owns cost and admission; what a password must be stands in `strength`.

Parameters: OWASP Password Storage Cheat Sheet (m=19 MiB, t=2, p=1), 28 ms of one core.
"""

import asyncio
import os
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sebalai_shared.problems import Unavailable

MEMORY_KIB = 19 * 1024
ROUNDS = 2
LANES = 1
QUEUE_MAX = 70
RETRY_AFTER_SECONDS = 3

Answer = TypeVar("Answer")


class PasswordsBusy(Unavailable):
    slug, title = "passwords-busy", "Too many sign-ins by password at this moment"


class PasswordWorkers:
    """One per process. At most QUEUE_MAX checks wait; the next is refused at once (503)."""

    def __init__(self, workers: int | None = None, hasher: PasswordHasher | None = None) -> None:
        """`hasher` only to make tests of other things quick."""
        self._hasher = hasher or PasswordHasher(ROUNDS, MEMORY_KIB, LANES)
        self._workers = workers or os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self._workers, thread_name_prefix="argon2")
        self._under_way = 0
        # Whoever is unknown is checked against this: the same work, and never a match.
        self._nobody = self._hasher.hash(os.urandom(32))

    @property
    def under_way(self) -> int:
        """Checks that run or wait."""
        return self._under_way

    async def hash(self, password: str) -> str:
        """Raises `PasswordsBusy`."""
        return await self._run(lambda: self._hasher.hash(spelled(password)))

    async def matches(self, stored: str | None, password: str) -> bool:
        """Takes the same time with `stored` None, and is False. Raises `PasswordsBusy`."""
        return await self._run(lambda: self._verify(stored, password))

    def is_outdated(self, stored: str) -> bool:
        """Whether it was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _verify(self, stored: str | None, password: str) -> bool:
        try:
            is_match = self._hasher.verify(stored or self._nobody, spelled(password))
        except (VerificationError, InvalidHashError):
            return False
        return is_match and stored is not None

    async def _run(self, work: Callable[[], Answer]) -> Answer:
        if self._under_way >= self._workers + QUEUE_MAX:
            raise PasswordsBusy(
                "Wait a moment, or use a passkey: it needs no queue.",
                headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
            )
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._under_way -= 1


def spelled(password: str) -> bytes:
    """One spelling whatever the keyboard made of it (NIST SP 800-63B-4: normalise, then hash)."""
    return unicodedata.normalize("NFKC", password).encode()

"""Where stored bytes lie, by the digest of the bytes as they lie there: what a backend must do."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

Named = Callable[[Sequence[str]], Awaitable[set[str]]]
"""Answers which of these stored digests something names."""

WRITE_BYTES = 1024 * 1024
SWEEP_AFTER_SECONDS = 24 * 3600
SWEEP_BATCH = 1_000
ERASE_AFTER_SECONDS = 900


class Place(Protocol):
    """Write once, read often; every digest here is of the bytes as stored.

    All of them raise OSError when the place does not answer, FileNotFoundError for what it lacks.
    """

    name: str
    stage: Path
    """A folder on this machine from which `keep` takes what is written there."""

    async def check(self) -> None: ...

    async def keep(self, staged: Path, digest: str, *, is_ours: bool = True) -> None:
        """Durable under its digest when it returns; then the staged name goes, if it is ours."""
        ...

    async def keep_all(self, staged: Mapping[Path, str]) -> None:
        """The same for several of ours by their digests, in fewer turns to the disk."""
        ...

    async def size(self, digest: str) -> int | None: ...

    async def read(self, digest: str, start: int, end: int) -> bytes: ...

    async def erase(self, digest: str) -> bool:
        """False when it is young: whoever stored it may be about to name it."""
        ...

    async def set_aside(self, digest: str, name: str) -> bool:
        """Moves damaged bytes out of the way under `quarantine`; False where there are none."""
        ...

    async def forget_aside(self, digest: str) -> None: ...

    async def has_aside(self, digest: str) -> bool: ...

    async def sweep(self, named: Named) -> int:
        """Removes old bytes that nothing names; answers how many."""
        ...

"""Which passwords are refused: too short, too long, known from breaches, or easily guessed.

No rule about kinds of characters and no forced change (NIST SP 800-63B-4, section 3.1.1.2). The
lists lie with the program: the 30,000 passwords most found in breaches (zxcvbn's data), Indonesian
words of our own, and whatever file of breached passwords the operator names.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import IO, Literal

from zxcvbn import zxcvbn

LENGTH_MIN = 15
LENGTH_MAX = 128
SCORE_MIN = 3
# zxcvbn's effort grows with the square of the length; what is longer is judged by its beginning.
JUDGED_MAX = 64
WORD_MIN = 4
REST_MIN = 8
DIGEST_HEX = 40

Weakness = Literal["short", "long", "breached", "guessable"]


@cache
def common_words() -> tuple[str, ...]:
    text = (resources.files("sebalai_identity") / "credentials/data/common-id.txt").read_text(
        "utf-8"
    )
    return tuple(line for line in text.split("\n") if line and not line.startswith("#"))


class Breached:
    """Upper-case SHA-1 of breached passwords, sorted, one a line (`HASH` or `HASH:COUNT`), as
    haveibeenpwned.com gives them out; searched in the file, so its size costs no memory.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def holds(self, password: str) -> bool:
        """Raises OSError when the file cannot be read: unsure is not safe."""
        if self._path is None:
            return False
        digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
        with self._path.open("rb") as file:
            return _Lines(file, self._path.stat().st_size).has(digest.encode())


class _Lines(Sequence[bytes]):
    """Reads a sorted file as a sequence of first-line-after-offset, for a binary search."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._size = file, size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, offset: int) -> bytes:  # pyright: ignore[reportIncompatibleMethodOverride]
        self._file.seek(max(offset - 1, 0))
        if offset:
            self._file.readline()
        return self._file.readline()[:DIGEST_HEX]

    def has(self, digest: bytes) -> bool:
        # The last offsets have no line after them: they count as greater than any digest.
        found = bisect_left(self, digest, key=lambda line: line or b"~")
        return found < self._size and self[found] == digest


def weakness(
    password: str, known: Iterable[str] = (), breached: Breached | None = None
) -> Weakness | None:
    """Why it is refused, or None. `known`: what others know of the person (login, name, dates)."""
    if len(password) < LENGTH_MIN:
        return "short"
    if len(password) > LENGTH_MAX:
        return "long"
    if breached is not None and breached.holds(password):
        return "breached"
    words = [*known, *common_words()]
    judged = zxcvbn(password[:JUDGED_MAX], user_inputs=words)
    is_weak = judged["score"] < SCORE_MIN or len(_rest(password, words)) < REST_MIN
    return "guessable" if is_weak else None


def _rest(password: str, words: Iterable[str]) -> str:
    """What is left when known words and everything but letters and digits are taken away."""
    rest = "".join(filter(str.isalnum, password.casefold()))
    spelled = {"".join(filter(str.isalnum, word.casefold())) for word in words}
    for word in sorted(spelled, key=len, reverse=True):
        if len(word) >= WORD_MIN:
            rest = rest.replace(word, "")
    return rest

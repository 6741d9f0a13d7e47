"""What a run of `mutate.py` found, kept in a file, so that hours of it can go in pieces: each goes on
where the one before stopped, and the last prints the sum. What was found of other code is forgotten.
"""

import hashlib
import json
import time

import sebalai_gateway
import sebalai_identity
from mutation_table import source_of


def state():
    """Changes with every line of the packages that mutations are made in."""
    digest = hashlib.sha256()
    for package in (sebalai_identity, sebalai_gateway):
        for place in sorted(source_of(package).rglob("*")):
            if place.is_file() and "__pycache__" not in place.parts:
                digest.update(str(place).encode() + b"\0" + place.read_bytes())
    return digest.hexdigest()


class Log:
    """`path` None keeps nothing; `seconds` is when a piece should stop."""

    def __init__(self, path=None, seconds=float("inf")):
        self._path, self._ends = path, time.monotonic() + seconds
        self._state, self._found, self.is_whole = state(), {}, True
        lines = path.read_text().splitlines() if path is not None and path.exists() else []
        for line in map(json.loads, lines):
            if line["state"] == self._state:
                self._found[tuple(line["what"])] = line["said"]

    def is_over(self):
        """Whether to stop; then what is left was not judged."""
        if time.monotonic() >= self._ends:
            self.is_whole = False
        return not self.is_whole

    def knows(self, *what):
        return what in self._found

    def note(self, said, *what):
        self._found[what] = said
        if self._path is not None:
            line = {"state": self._state, "what": what, "said": said}
            with self._path.open("a") as file:
                file.write(json.dumps(line) + "\n")

    def count(self, standing):
        """(killed, total) of the mutations that stand in the tables still: the file also keeps what
        was found of rows that have left them since, and that a check is green without one.
        """
        said = [said for what, said in self._found.items() if what in standing]
        return sum(one is not None for one in said), len(said)

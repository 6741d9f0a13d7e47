"""A failure a person can act on: what is wrong, and what to do next."""

from __future__ import annotations


class Failure(Exception):
    """Printed as two lines, without a trace."""

    exit_code = 1

    def __init__(self, what: str, do: str = "") -> None:
        super().__init__(what)
        self.what, self.do = what, do

    def __str__(self) -> str:
        return f"{self.what}\n{self.do}" if self.do else self.what


class Misuse(Failure):
    """What was asked for does not exist; the message lists what does."""

    exit_code = 2

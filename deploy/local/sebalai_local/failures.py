"""A failure a person can act on: what is wrong, and what to do next."""

from __future__ import annotations


class Failure(Exception):
    """Printed as two lines, without a trace."""

    def __init__(self, what: str, do: str = "") -> None:
        super().__init__(what)
        self.what, self.do = what, do

    def __str__(self) -> str:
        return f"{self.what}\n{self.do}" if self.do else self.what

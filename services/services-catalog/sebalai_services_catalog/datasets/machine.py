"""The life of a dataset's metadata after Satu Data Indonesia (Perpres 39/2019); pure.

`draft → review → published → withdrawn`. Who produces the data writes, the walidata checks and
publishes. A published dataset is revised beside what everybody reads: that stays until the revision
is published, and goes at once when the dataset is withdrawn, which is final.
"""

from dataclasses import dataclass
from typing import Literal

State = Literal["draft", "review", "published", "withdrawn"]
Act = Literal["submit", "reject", "publish", "revise", "withdraw"]

MOVES: dict[tuple[State, Act], State] = {
    ("draft", "submit"): "review",
    ("review", "reject"): "draft",
    ("review", "publish"): "published",
    ("published", "revise"): "draft",
    ("draft", "withdraw"): "withdrawn",
    ("review", "withdraw"): "withdrawn",
    ("published", "withdraw"): "withdrawn",
}


class NoSuchMove(ValueError):
    def __init__(self, standing: "Standing", act: Act) -> None:
        super().__init__(f"{act} is not possible while {standing.state}")
        self.possible = possible(standing)


@dataclass(frozen=True, slots=True)
class Standing:
    """`is_public`: everybody reads a published version of it, whatever its next one's state."""

    state: State = "draft"
    is_public: bool = False


def after(standing: Standing, act: Act) -> Standing:
    """Raises: NoSuchMove. Nothing is withdrawn that nobody could read."""
    state = MOVES.get((standing.state, act))
    if state is None or (act == "withdraw" and not standing.is_public):
        raise NoSuchMove(standing, act)
    is_public = {"publish": True, "withdraw": False}.get(act, standing.is_public)
    return Standing(state, is_public)


def possible(standing: Standing) -> list[Act]:
    acts: list[Act] = [act for state, act in MOVES if state == standing.state]
    return sorted([act for act in acts if act != "withdraw" or standing.is_public])

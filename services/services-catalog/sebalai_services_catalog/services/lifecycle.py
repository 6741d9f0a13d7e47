"""The states of a service and which act leads from which to which; pure.

`draft → review → published → suspended → retired`; a published service gets a new draft beside it,
which goes through review by itself while citizens keep reading the published version.
"""

from typing import Literal

State = Literal["draft", "review", "published", "suspended", "retired"]
DraftState = Literal["draft", "review"]
Act = Literal["submit", "reject", "publish", "suspend", "resume", "retire"]

MOVES: dict[tuple[State, Act], State] = {
    ("draft", "submit"): "review",
    ("review", "reject"): "draft",
    ("review", "publish"): "published",
    ("published", "publish"): "published",
    ("published", "suspend"): "suspended",
    ("suspended", "publish"): "suspended",
    ("suspended", "resume"): "published",
    ("published", "retire"): "retired",
    ("suspended", "retire"): "retired",
}
"""`publish` of a published or suspended service is its next version: the state stays."""


class NoSuchMove(ValueError):
    def __init__(self, state: State, act: Act) -> None:
        super().__init__(f"{act} is not possible while {state}")
        self.possible = sorted(move for from_, move in MOVES if from_ == state)


def after(state: State, act: Act) -> State:
    """Raises: NoSuchMove, with what is possible."""
    try:
        return MOVES[state, act]
    except KeyError as error:
        raise NoSuchMove(state, act) from error

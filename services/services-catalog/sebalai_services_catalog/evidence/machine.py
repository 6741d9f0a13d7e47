"""The life of a consent: given for one request, used once, or ended; pure.

After the EU's once-only system (Regulation (EU) 2022/1463): explicit request, preview before use,
use is voluntary. Withdrawal ends what is still to come, never what was (UU 27/2022 art. 9).
"""

from typing import Literal

State = Literal["given", "previewed", "used", "declined", "withdrawn", "expired"]
Act = Literal["give", "fetch", "fail", "accept", "decline", "withdraw", "expire"]

OPEN: frozenset[State] = frozenset({"given", "previewed"})
MOVES: dict[tuple[State, Act], State] = {
    ("given", "fetch"): "previewed",
    ("given", "fail"): "given",
    ("previewed", "fetch"): "previewed",
    ("previewed", "fail"): "given",
    ("previewed", "accept"): "used",
    ("previewed", "decline"): "declined",
    ("given", "withdraw"): "withdrawn",
    ("previewed", "withdraw"): "withdrawn",
    ("used", "withdraw"): "withdrawn",
    ("given", "expire"): "expired",
    ("previewed", "expire"): "expired",
    # The holder answered after the consent had ended: told, and thrown away.
    ("withdrawn", "fail"): "withdrawn",
    ("expired", "fail"): "expired",
}


class NoSuchStep(ValueError):
    def __init__(self, state: State, act: Act) -> None:
        super().__init__(f"{act} is not possible while the consent is {state}")


def after(state: State, act: Act) -> State:
    """Raises: NoSuchStep."""
    try:
        return MOVES[state, act]
    except KeyError as error:
        raise NoSuchStep(state, act) from error

"""The life of a request: which act leads from which state to which, who may, what the clock does.

Pure: a case is a value, `step` gives the next one, and folding the recorded acts gives the case
again. Source of the states: `domain.md` 3.1 and the field notes 1.4; appeal after UU 30/2014
articles 75 to 78.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sebalai_services_catalog.requests.promise import Promise

State = Literal[
    "draft", "submitted", "verifying", "returned", "awaiting_payment", "awaiting_evidence",
    "processing", "issued", "refused", "appeal", "withdrawn", "lapsed", "handed_over",
    "discarded",
]  # fmt: skip
Act = Literal[
    "submit", "verify", "accept", "bill", "return", "resubmit", "pay", "ask_evidence",
    "receive_evidence", "fail_evidence", "complete_task", "issue", "refuse", "hand_over", "appeal",
    "uphold", "overturn", "withdraw", "lapse", "discard",
]  # fmt: skip
Role = Literal["applicant", "front_office", "officer", "signer", "superior", "platform"]

HELD_BY_APPLICANT: frozenset[State] = frozenset({"returned", "awaiting_payment"})
CLOSED: frozenset[State] = frozenset(
    {"issued", "refused", "withdrawn", "lapsed", "handed_over", "discarded"}
)
OPEN: frozenset[State] = frozenset(
    {"submitted", "verifying", "awaiting_evidence", "processing", "returned", "awaiting_payment"}
)
BACK: State = "verifying"


@dataclass(frozen=True, slots=True)
class Move:
    """`to` null: back to where the case was before it waited for evidence."""

    to: State | None
    role: Role


def _moves(states: str, act: Act, to: State | None, role: Role) -> dict[tuple[State, Act], Move]:
    return {(state, act): Move(to, role) for state in states.split()}  # type: ignore[misc]


MOVES: dict[tuple[State, Act], Move] = {
    **_moves("draft", "submit", "submitted", "applicant"),
    **_moves("draft", "discard", "discarded", "applicant"),
    **_moves("submitted", "verify", "verifying", "front_office"),
    **_moves("verifying", "accept", "processing", "front_office"),
    **_moves("verifying", "bill", "awaiting_payment", "front_office"),
    **_moves("verifying processing", "return", "returned", "front_office"),
    **_moves("verifying", "hand_over", "handed_over", "front_office"),
    **_moves("returned", "resubmit", "verifying", "applicant"),
    **_moves("awaiting_payment", "pay", "processing", "platform"),
    **_moves("verifying processing", "ask_evidence", "awaiting_evidence", "officer"),
    **_moves("awaiting_evidence", "receive_evidence", None, "platform"),
    **_moves("awaiting_evidence", "fail_evidence", None, "officer"),
    **_moves("processing", "complete_task", "processing", "officer"),
    **_moves("processing", "issue", "issued", "signer"),
    **_moves("verifying processing", "refuse", "refused", "signer"),
    **_moves("refused", "appeal", "appeal", "applicant"),
    **_moves("appeal", "uphold", "refused", "superior"),
    **_moves("appeal", "overturn", "processing", "superior"),
    **_moves(
        "submitted verifying returned awaiting_payment awaiting_evidence processing",
        "withdraw", "withdrawn", "applicant",
    ),
    **_moves("draft returned awaiting_payment", "lapse", "lapsed", "platform"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """`starts`: whether the promise runs from submission or from acceptance as complete.

    `verified` once accepted or billed; `back_to` while evidence is awaited; `appealed` once an
    appeal was made, which is made once.
    """

    promise: Promise
    starts: Literal["submitted", "verified"] = "submitted"
    state: State = "draft"
    back_to: State | None = None
    verified: bool = False
    appealed: bool = False
    version: int = 1


@dataclass(frozen=True, slots=True)
class Done:
    """An act as recorded; replaying all of a request in order gives its case."""

    act: Act
    at: datetime


class NoSuchStep(ValueError):
    def __init__(self, state: State, act: Act) -> None:
        super().__init__(f"{act} is not possible while {state}")


UNASKED: frozenset[Act] = frozenset({"bill"})
"""`accept` bills by itself where a fee is due."""


def possible(case: Case) -> list[Act]:
    """Acts that somebody can ask for here, whoever has the role; not what the platform does."""
    return sorted(
        act
        for (state, act), move in MOVES.items()
        if state == case.state and move.role != "platform" and act not in UNASKED
        if _is_allowed(case, act)
    )


def role_of(case: Case, act: Act) -> Role:
    """Raises: NoSuchStep."""
    return _move(case, act).role


def step(case: Case, done: Done) -> Case:
    """The case after the act. Raises: NoSuchStep, and nothing changed."""
    to = _move(case, done.act).to or case.back_to or BACK
    after = replace(
        case,
        state=to,
        back_to=case.state if done.act == "ask_evidence" else None,
        verified=case.verified or done.act in ("accept", "bill"),
        appealed=case.appealed or done.act == "appeal",
        version=case.version + 1,
    )
    return replace(after, promise=_promise(after, done))


def replay(case: Case, acts: Iterable[Done]) -> Case:
    for done in acts:
        case = step(case, done)
    return case


def _move(case: Case, act: Act) -> Move:
    move = MOVES.get((case.state, act))
    if move is None or not _is_allowed(case, act):
        raise NoSuchStep(case.state, act)
    return move


def _is_allowed(case: Case, act: Act) -> bool:
    return not (act == "appeal" and case.appealed)


def _promise(after: Case, done: Done) -> Promise:
    if done.act == "overturn":
        return after.promise.restart(done.at)
    if after.state in CLOSED or after.state == "appeal":
        return after.promise.stop(done.at)
    if after.state in HELD_BY_APPLICANT:
        return after.promise.pause(done.at)
    if after.starts == "verified" and not after.verified:
        return after.promise
    return after.promise.run(done.at)

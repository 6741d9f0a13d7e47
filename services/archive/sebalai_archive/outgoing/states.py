"""The life of an outgoing letter, as a pure function. What is not written here does not happen."""

from typing import Literal

State = Literal["draft", "submitted", "verified", "numbered", "signed", "sent", "cancelled"]
Act = Literal["submit", "verify", "return", "number", "sign", "send", "cancel"]

DRAFT: State = "draft"
SUBMITTED: State = "submitted"
VERIFIED: State = "verified"
NUMBERED: State = "numbered"
SIGNED: State = "signed"
SENT: State = "sent"
CANCELLED: State = "cancelled"

# `verify` leads on only with the last paraf; until then the letter stays submitted.
_NEXT: dict[tuple[State, Act], State] = {
    (DRAFT, "submit"): SUBMITTED,
    (SUBMITTED, "verify"): VERIFIED,
    (SUBMITTED, "return"): DRAFT,
    (VERIFIED, "return"): DRAFT,
    (VERIFIED, "number"): NUMBERED,
    (NUMBERED, "sign"): SIGNED,
    (SIGNED, "send"): SENT,
    (DRAFT, "cancel"): CANCELLED,
    (SUBMITTED, "cancel"): CANCELLED,
    (VERIFIED, "cancel"): CANCELLED,
    (NUMBERED, "cancel"): CANCELLED,
}


def after(state: State, act: Act) -> State | None:
    """The state that `act` leads to; None when it is not allowed."""
    return _NEXT.get((state, act))

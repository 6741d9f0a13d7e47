"""Why a receipt does not hold: one reason a failure, with a sentence for people.

Owns the closed list of reasons. Scripts may compare the reason; the sentence may change.
"""

from typing import Literal

Reason = Literal[
    "unreadable",
    "malformed",
    "missing-key",
    "malformed-key",
    "unknown-key",
    "signature",
    "checkpoint-mismatch",
    "inclusion",
    "leaf-mismatch",
    "commitment",
    "unsigned",
    "unknown-signer",
    "signed-otherwise",
    "object-differs",
    "object-incomplete",
]


class VerificationError(Exception):
    """The receipt, or the key it was to be checked with, does not hold."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: Reason = reason
        self.detail = detail


def malformed(detail: str) -> VerificationError:
    return VerificationError("malformed", detail)

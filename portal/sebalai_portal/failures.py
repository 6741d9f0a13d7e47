"""Why a part of a page cannot be shown. Machines get a reason; its words stand in the templates."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from sebalai_shared import http


class Reason(StrEnum):
    UNREACHABLE = "unreachable"
    SLOW = "slow"
    NOT_KNOWN = "not-known"
    NOT_ALLOWED = "not-allowed"
    TOO_OFTEN = "too-often"
    FAULT = "fault"
    UNREADABLE = "unreadable"


class Unavailable(Exception):
    """One part cannot be read now. `message_id` names the failed call, if it became one."""

    def __init__(self, reason: Reason, detail: str, message_id: str | None = None) -> None:
        super().__init__(detail)
        self.reason, self.message_id = reason, message_id

    @classmethod
    def from_error(cls, error: http.Error) -> Self:
        if isinstance(error, http.Timeout):
            return cls(Reason.SLOW, "the gateway did not answer in time")
        if isinstance(error, http.AnswerTooLarge):
            return cls(Reason.UNREADABLE, str(error))
        return cls(Reason.UNREACHABLE, type(error).__name__)

    @classmethod
    def from_status(cls, status: int, message_id: str | None) -> Self:
        """The reason for an answer that is not the 200 we asked for."""
        reason = {
            401: Reason.NOT_KNOWN,
            403: Reason.NOT_ALLOWED,
            429: Reason.TOO_OFTEN,
            504: Reason.SLOW,
        }.get(status, Reason.FAULT)
        return cls(reason, f"answered {status}", message_id)


class NotFound(Exception):
    """The platform knows no such thing, or does not show it to the portal."""


class Gone(NotFound):
    """It was there and was ended for good: destroyed by decree."""

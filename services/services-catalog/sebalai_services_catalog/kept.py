"""Answers that strangers all see alike, kept for a moment in each process: a thousand telephones
that ask for one page cost one read of the database. Such an answer may be that old.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import Request, Response
from sebalai_shared.caller import HEADER
from sebalai_shared.clock import Clock

ANSWERS_MAX = 256
ANSWER_BYTES_MAX = 128 * 1024

Key = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Answer:
    """`tag` is the ETag of `body`."""

    tag: str
    body: bytes
    headers: dict[str, str]

    def response(self) -> Response:
        return Response(self.body, headers=self.headers)


class KeptAnswers:
    """At most ANSWERS_MAX of at most ANSWER_BYTES_MAX each; the oldest goes first."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock, self._kept_for = clock, timedelta(seconds=seconds)
        self._answers: dict[Key, tuple[datetime, Answer]] = {}

    def find(self, request: Request) -> Answer | None:
        since, answer = self._answers.get(_key(request), (None, None))
        if since is None or not _is_anybodys(request):
            return None
        # A clock that was put back makes no answer younger.
        return answer if timedelta() <= self._clock.now() - since < self._kept_for else None

    def keep(self, request: Request, answer: Answer) -> None:
        if not self._kept_for or not _is_anybodys(request) or len(answer.body) > ANSWER_BYTES_MAX:
            return
        self._answers.pop(_key(request), None)
        if len(self._answers) >= ANSWERS_MAX:
            self._answers.pop(next(iter(self._answers)))
        self._answers[_key(request)] = self._clock.now(), answer


def _key(request: Request) -> Key:
    return request.scope["path"], request.scope["query_string"]


def _is_anybodys(request: Request) -> bool:
    """A caller who says who it is gets an answer of its own, or its refusal."""
    return request.method == "GET" and HEADER not in request.headers

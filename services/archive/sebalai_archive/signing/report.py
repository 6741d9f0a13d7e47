"""What a report on a signature says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sebalai_archive.signing.signer import Profile

Verdict = Literal["passed", "indeterminate", "failed"]
TimeSource = Literal["signature_timestamp", "document_timestamp", "validation"]


class NotSigned(Exception):
    """The file has no signature that can be read."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """A timestamp over the signature: when, whose, whether it holds, when its certificate ends."""

    at: datetime
    authority: str
    is_trusted: bool
    good_until: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """`reason` is `ok`, `changed`, `signature_invalid`, `timestamp_not_trusted`, or the
    sub-indication of EN 319 102-1 in lower case. `time_used` is the instant as of which the
    signer's certificate was judged, and `time_source` who says that the signature existed then.
    """

    profile: Profile
    verdict: Verdict
    reason: str
    is_intact: bool
    is_trusted: bool
    signer: str
    serial: str
    time_used: datetime
    time_source: TimeSource
    validated_at: datetime
    has_revocation: bool
    timestamps: Sequence[Stamp]

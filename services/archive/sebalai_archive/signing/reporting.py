"""What can be said of the signature in a file: its level, whether it holds and is trusted, why not,
and which time that was judged at. Asks nobody: what is not in the file is not known.

From the last timestamp back to the signature, each is judged as of the time that the one after it
proves (the principle of ETSI EN 319 102-1, 5.6): so a certificate that ended since does no harm,
and one that had ended, or was revoked, before does.
"""

import asyncio
import io
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from asn1crypto import x509
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import (
    DocumentSecurityStore,
    EmbeddedPdfSignature,
    async_validate_pdf_signature,
    async_validate_pdf_timestamp,
)
from pyhanko.sign.validation.errors import NoDSSFoundError, SignatureValidationError
from pyhanko.sign.validation.status import PdfSignatureStatus, TimestampSignatureStatus
from pyhanko_certvalidator import ValidationContext

from sebalai_archive.signing.profiles import (
    certificates_end,
    later_timestamps,
    profile_of,
    time_in,
    token_of,
)
from sebalai_archive.signing.report import NotSigned, Report, Stamp, TimeSource, Verdict

# A file that is not trusted is an answer of the report, not a warning with a trace in our log.
logging.getLogger("pyhanko.sign.validation").setLevel(logging.ERROR)


async def report_on(pdf: bytes, roots: Sequence[x509.Certificate], at: datetime) -> Report:
    """Judged as of `at`, in a thread. Raises: NotSigned."""
    try:
        return await asyncio.to_thread(lambda: asyncio.run(_report(pdf, roots, at)))
    except (PdfError, ValueError, IndexError, SignatureValidationError) as error:
        raise NotSigned(str(error)) from error


class _Evidence:
    """What the file brings along, before the roots that are trusted here."""

    def __init__(self, reader: PdfFileReader, roots: Sequence[x509.Certificate]) -> None:
        self._reader, self._roots = reader, list(roots)
        try:
            self._store = DocumentSecurityStore.read_dss(reader)
        except NoDSSFoundError:
            self._store = None

    def at(self, moment: datetime, *, is_last: bool = False) -> ValidationContext:
        """Revocation answers inside a file grow old: they say nothing about now."""
        options: dict[str, Any] = {
            "trust_roots": self._roots,
            "moment": moment,
            "retroactive_revinfo": True,
        }
        if self._store is None:
            return ValidationContext(**options, revocation_mode="soft-fail")
        if is_last:
            known = list(self._store.load_certs())
            return ValidationContext(**options, revocation_mode="soft-fail", other_certs=known)
        return self._store.as_validation_context({**options, "revocation_mode": "hard-fail"})


async def _report(pdf: bytes, roots: Sequence[x509.Certificate], at: datetime) -> Report:
    reader = PdfFileReader(io.BytesIO(pdf))
    signature = reader.embedded_regular_signatures[-1]
    evidence, profile = _Evidence(reader, roots), profile_of(reader)
    stamps, proven = await _chain(later_timestamps(reader, signature), evidence, at)
    token = token_of(signature)
    status = await _signature(signature, evidence, time_in(token) if token else proven, proven, at)
    has_time = token is not None and _holds(status.timestamp_validity)
    if token is not None and not has_time:
        status = await _signature(signature, evidence, proven, proven, at)
    used = time_in(token) if token is not None and has_time else proven
    is_stamped = all(one.is_trusted for one in stamps) and (token is None or has_time)
    verdict, reason = _judged(status, is_stamped=is_stamped)
    return Report(
        profile=profile,
        verdict=verdict,
        reason=reason,
        is_intact=status.intact and status.valid,
        is_trusted=status.trusted,
        signer=status.signing_cert.subject.human_friendly,
        serial=f"{status.signing_cert.serial_number:x}",
        time_used=used,
        time_source=_source(has_time, used < at),
        validated_at=at,
        has_revocation=profile in {"B-LT", "B-LTA"},
        timestamps=stamps,
    )


async def _signature(
    signature: EmbeddedPdfSignature,
    evidence: _Evidence,
    used: datetime,
    proven: datetime,
    at: datetime,
) -> PdfSignatureStatus:
    """The signer as of `used`, the time inside its signature as of `proven`."""
    return await async_validate_pdf_signature(
        signature,
        evidence.at(used, is_last=used == at),
        ts_validation_context=evidence.at(proven, is_last=proven == at),
    )


def _holds(status: TimestampSignatureStatus | None) -> bool:
    return status is not None and status.valid and status.intact and status.trusted


async def _chain(
    timestamps: Sequence[EmbeddedPdfSignature], evidence: _Evidence, at: datetime
) -> tuple[list[Stamp], datetime]:
    """The timestamps, oldest first, and the time that the oldest of an unbroken chain proves."""
    found, proven, is_whole = list[Stamp](), at, True
    for one in reversed(timestamps):
        status = await async_validate_pdf_timestamp(one, evidence.at(proven, is_last=not found))
        is_trusted = _holds(status)
        is_whole = is_whole and is_trusted
        name = status.signing_cert.subject.human_friendly
        found.append(Stamp(status.timestamp, name, is_trusted, certificates_end(one.signed_data)))
        proven = status.timestamp if is_whole else proven
    return found[::-1], proven


def _source(has_token: bool, is_proven: bool) -> TimeSource:  # noqa: FBT001 - two facts of one file
    if has_token:
        return "signature_timestamp"
    return "document_timestamp" if is_proven else "validation"


def _judged(status: PdfSignatureStatus, *, is_stamped: bool) -> tuple[Verdict, str]:
    if not status.intact or not status.valid:
        return "failed", "signature_invalid" if status.intact else "changed"
    if not status.bottom_line and status.trusted and is_stamped:
        return "failed", "changed"
    if not status.trusted:
        found = status.trust_problem_indic
        name = found.standard_name.lower() if found else "no_certificate_chain_found"
        return "indeterminate", name
    return ("passed", "ok") if is_stamped else ("indeterminate", "timestamp_not_trusted")

"""A report as the wire shows it, with the words that say why."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from sebalai_archive.signing.report import Report, TimeSource, Verdict
from sebalai_archive.signing.signer import Profile

EXPLANATIONS = {
    "ok": "Tanda tangan sah dan tepercaya / The signature is valid and trusted",
    "changed": "Berkas berubah setelah ditandatangani / The file was changed after it was signed",
    "signature_invalid": "Tanda tangan tidak cocok / The signature does not match",
    "timestamp_not_trusted": "Cap waktu tidak lagi dapat dipercaya / "
    "A timestamp cannot be trusted, or no longer",
    "no_certificate_chain_found": "Penerbit sertifikat tidak tepercaya di sini / "
    "The certificate's issuer is not trusted here",
    "revoked": "Sertifikat dicabut / The certificate was revoked",
    "revoked_no_poe": "Sertifikat dicabut sebelum waktu yang terbukti / "
    "The certificate was revoked before any proven time",
    "out_of_bounds_no_poe": "Sertifikat tidak berlaku pada waktu itu / "
    "The certificate was not valid at that time",
    "expired": "Sertifikat berakhir / The certificate has ended",
}
OTHERWISE = "Tidak dapat dipastikan / It cannot be established"


class StampRead(BaseModel):
    """A document timestamp; `good_until` is when its certificate ends."""

    model_config = ConfigDict(from_attributes=True)

    at: datetime
    authority: str
    is_trusted: bool
    good_until: datetime


class ReportRead(BaseModel):
    """Judged by what is in the file and the roots that this archive trusts."""

    model_config = ConfigDict(from_attributes=True)

    profile: Profile
    verdict: Verdict
    reason: str = Field(description="`ok`, or a sub-indication of ETSI EN 319 102-1 in lower case")
    explanation: str
    is_intact: bool
    is_trusted: bool
    signer: str = Field(description="the subject of the signing certificate")
    serial: str
    time_used: datetime = Field(description="the signer's certificate was judged as of then")
    time_source: TimeSource
    validated_at: datetime
    has_revocation: bool = Field(description="revocation answers are inside the file")
    timestamps: list[StampRead]


def read_report(report: Report) -> ReportRead:
    said = EXPLANATIONS.get(report.reason, OTHERWISE)
    facts = {name: getattr(report, name) for name in report.__dataclass_fields__}
    return ReportRead.model_validate(facts | {"explanation": said})

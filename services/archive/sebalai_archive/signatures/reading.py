"""Signatures as the wire shows them."""

from sebalai_archive.signatures.actions import KeptSignature
from sebalai_archive.signatures.schema import SignatureFileRead, SignatureRead
from sebalai_archive.signing.report import Report
from sebalai_archive.signing.report_read import read_report


def read_signature(kept: KeptSignature, report: Report, receipts: str) -> SignatureRead:
    """`receipts` is the address under which the ledger proves facts."""
    files = [SignatureFileRead.model_validate(one) for one in kept.files]
    for shown, one in zip(files, kept.files, strict=True):
        shown.receipt = f"{receipts}/{one.event_id}" if one.event_id else None
    return SignatureRead(
        profile=kept.profile,
        state=kept.state,
        due_at=kept.due_at,
        problem=kept.problem,
        files=files,
        report=read_report(report),
    )

"""Which level of PAdES (ETSI EN 319 142-1, 6) a signed file has, by what is in it; whether it holds
is `reporting`'s to say.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from asn1crypto import cms, x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.general import extract_certificate_info
from pyhanko.sign.validation import EmbeddedPdfSignature

from sebalai_archive.signing.signer import Profile


def document_timestamps(reader: PdfFileReader) -> Sequence[EmbeddedPdfSignature]:
    return reader.embedded_timestamp_signatures


def token_of(signature: EmbeddedPdfSignature) -> cms.SignedData | None:
    """The trusted time inside the signature."""
    attributes: Any = signature.signer_info["unsigned_attrs"]
    for one in attributes or ():
        if one["type"].native == "signature_time_stamp_token":
            return one["values"][0]["content"]
    return None


def place_of(signature: EmbeddedPdfSignature) -> tuple[int, int]:
    """Where the hex digits of the CMS stand in the file."""
    covered: Any = signature.byte_range
    return int(covered[0]) + int(covered[1]) + 1, int(covered[2]) - 1


def time_in(token: cms.SignedData) -> datetime:
    content: Any = token["encap_content_info"]
    return content["content"].parsed["gen_time"].native


def certificates_end(token: cms.SignedData) -> datetime:
    """When the first certificate of the signer's chain ends; roots are trusted by themselves, and
    what else an authority puts in says nothing about its token.
    """
    found = extract_certificate_info(token)
    path, left = [found.signer_cert], [one for one in found.other_certs if one.self_signed == "no"]
    while above := [one for one in left if one.subject == path[-1].issuer]:
        path.append(max(above, key=_end))  # of one name: an older certificate of the same authority
        left = [one for one in left if one not in above]
    return min(map(_end, path))


def _end(certificate: x509.Certificate) -> datetime:
    return certificate.not_valid_after


def later_timestamps(
    reader: PdfFileReader, signature: EmbeddedPdfSignature
) -> Sequence[EmbeddedPdfSignature]:
    """Those over the signature, the oldest first."""
    found = document_timestamps(reader)
    return [one for one in found if one.signed_revision > signature.signed_revision]


def profile_of(reader: PdfFileReader) -> Profile:
    """Of the last signature. Raises: IndexError when there is none."""
    signature = reader.embedded_regular_signatures[-1]
    later = later_timestamps(reader, signature)
    if not later and token_of(signature) is None:
        return "B-B"
    first = _first_revision_with_store(reader)
    if first is None:
        return "B-T"
    return "B-LTA" if any(one.signed_revision >= first for one in later) else "B-LT"


def _first_revision_with_store(reader: PdfFileReader) -> int | None:
    """The revision in which the document got its security store (DSS)."""
    for revision in range(reader.xrefs.total_revisions):
        if "/DSS" in reader.get_historical_root(revision):
            return revision
    return None

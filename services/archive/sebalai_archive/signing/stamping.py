"""Trusted time inside a fresh signature: from PAdES B-B to B-T, before anybody has the file.

Works on the signed PDF, so it is the same for every kind of key. A signature without the room for a
token, and one for which nobody gave one, stays B-B; `augmenting` appends trusted time to it later.
"""

import asyncio
import io
import logging
from dataclasses import replace
from typing import Any

from asn1crypto import cms
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import EmbeddedPdfSignature
from typing_extensions import override

from sebalai_archive.signing.profiles import place_of
from sebalai_archive.signing.signer import Intent, Signed, Signer, TimestampUnavailable, Unlock
from sebalai_archive.signing.timestamps import Timestamper, digest_of

log = logging.getLogger(__name__)


class StampingSigner(Signer):
    """Asks `timestamper` for trusted time after each signature of `inner`."""

    def __init__(self, inner: Signer, timestamper: Timestamper) -> None:
        self._inner, self._timestamper = inner, timestamper

    @override
    async def sign(self, pdf: bytes, intent: Intent, unlock: Unlock | None = None) -> Signed:
        """PAdES B-T, or B-B that is awaiting its timestamp. Raises as `inner`."""
        signed = await self._inner.sign(pdf, intent, unlock)
        try:
            value = await asyncio.to_thread(signature_value, signed.pdf)
            token = await self._timestamper.token(digest_of(value))
            stamped = await asyncio.to_thread(with_token, signed.pdf, token)
        except TimestampUnavailable as error:
            log.warning("a signature goes on without its timestamp: %s", error)
            return replace(signed, is_awaiting=True)
        return replace(signed, pdf=stamped, profile="B-T")


def last_signature(pdf: bytes) -> EmbeddedPdfSignature:
    """The last signature that is none of a timestamp. Raises: IndexError, PdfError."""
    return PdfFileReader(io.BytesIO(pdf)).embedded_regular_signatures[-1]


def signature_value(pdf: bytes) -> bytes:
    """What a timestamp is over (RFC 5126, signature-time-stamp): the value of the signature."""
    signer: Any = last_signature(pdf).signer_info
    return bytes(signer["signature"].native)


def with_token(pdf: bytes, token: cms.ContentInfo) -> bytes:
    """The same file, the token inside its signature. Raises: TimestampUnavailable without room."""
    signature = last_signature(pdf)
    content: Any = cms.ContentInfo.load(signature.pkcs7_content)
    [signer] = content["content"]["signer_infos"]
    attribute = cms.CMSAttribute({"type": "signature_time_stamp_token", "values": [token]})
    signer["unsigned_attrs"] = cms.CMSAttributes([*(signer["unsigned_attrs"] or ()), attribute])
    start, end = place_of(signature)
    written = content.dump().hex().encode()
    if len(written) > end - start:
        raise TimestampUnavailable("the signature has no room for a token")
    return pdf[:start] + written.ljust(end - start, b"0") + pdf[end:]

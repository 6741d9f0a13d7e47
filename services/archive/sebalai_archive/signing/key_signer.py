"""Signs with one P-256 key, wherever it lies: PAdES B-B by pyHanko around one raw signature.

A subclass of pyHanko's `Signer`, because the stock one parses its key for every signature
(5 instead of 30 to 45 signatures a second on one core).
"""

import asyncio
import io
from collections.abc import Callable
from pathlib import Path

from asn1crypto import x509
from asn1crypto.algos import SignedDigestAlgorithm
from pyhanko.keys import load_certs_from_pemder_data
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign import PdfSignatureMetadata, PdfSigner
from pyhanko.sign import signers as pyhanko
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko_certvalidator.registry import SimpleCertificateStore
from typing_extensions import override

from sebalai_archive.signing.signer import FIELD, Intent, Signed, SigningUnavailable, Unlock

DIGEST = "sha256"
SIGNATURE_BYTES = 72  # the longest DER of an ECDSA signature on P-256
RESERVED_BYTES = 24_576  # hex digits, with room for a timestamp token of 8 KiB
RawSign = Callable[[bytes], bytes]
"""DER of an ECDSA signature with SHA-256 over these bytes. Raises: SigningUnavailable."""


class _EcSigner(pyhanko.Signer):
    def __init__(self, sign: RawSign, chain: list[x509.Certificate]) -> None:
        registry = SimpleCertificateStore()
        registry.register_multiple(chain)
        super().__init__(
            signing_cert=chain[0],
            cert_registry=registry,
            signature_mechanism=SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
        )
        self._sign = sign

    @override
    async def async_sign_raw(
        self, data: bytes, digest_algorithm: str, dry_run: bool = False
    ) -> bytes:
        del digest_algorithm
        return bytes(SIGNATURE_BYTES) if dry_run else self._sign(data)


class KeySigner:
    """`chain` has the signer's own certificate first, then those above it."""

    def __init__(self, sign: RawSign, chain: list[x509.Certificate]) -> None:
        self._signer = _EcSigner(sign, chain)
        self._serial = f"{chain[0].serial_number:x}"

    async def sign(self, pdf: bytes, intent: Intent, unlock: Unlock | None = None) -> Signed:
        """PAdES B-B. Raises: SigningUnavailable when the PDF cannot be signed."""
        del unlock  # the key is the archive's own
        return Signed(await asyncio.to_thread(self._sign, pdf, intent), self._serial)

    def _sign(self, pdf: bytes, intent: Intent) -> bytes:
        about = PdfSignatureMetadata(
            field_name=FIELD,
            md_algorithm=DIGEST,
            name=f"{intent.name}, {intent.position}",
            reason=intent.reason,
            location=intent.place,
            subfilter=SigSeedSubFilter.PADES,
        )
        try:
            out = PdfSigner(about, self._signer).sign_pdf(
                IncrementalPdfFileWriter(io.BytesIO(pdf)), bytes_reserved=RESERVED_BYTES
            )
        except PdfError as error:
            raise SigningUnavailable(f"The PDF cannot be signed: {error}") from error
        return bytes(out.getvalue())


def chain_of(certificates: Path) -> list[x509.Certificate]:
    """Raises `OSError`, `ValueError`."""
    return list(load_certs_from_pemder_data(certificates.read_bytes()))

"""Signs with a key from a file: the province's seal, or the test authority's.

A subclass of pyHanko's `Signer`, because the stock one parses its key for every signature
(5 instead of 30 to 45 signatures a second on one core).
"""

import asyncio
import io
from pathlib import Path
from typing import TypeGuard

from asn1crypto import x509
from asn1crypto.algos import SignedDigestAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
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


class _EcSigner(pyhanko.Signer):
    def __init__(self, key: ec.EllipticCurvePrivateKey, chain: list[x509.Certificate]) -> None:
        registry = SimpleCertificateStore()
        registry.register_multiple(chain)
        super().__init__(
            signing_cert=chain[0],
            cert_registry=registry,
            signature_mechanism=SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
        )
        self._key = key

    @override
    async def async_sign_raw(
        self, data: bytes, digest_algorithm: str, dry_run: bool = False
    ) -> bytes:
        del digest_algorithm
        return bytes(SIGNATURE_BYTES) if dry_run else self._key.sign(data, ec.ECDSA(SHA256()))


class FileSigner:
    """`certificates` is a PEM file: the signer's own first, then those above it."""

    def __init__(self, key_file: Path, certificates: Path) -> None:
        """Raises `OSError`, and `ValueError` when key and certificate do not belong together."""
        key = load_pem_private_key(key_file.read_bytes(), None)
        chain = list(load_certs_from_pemder_data(certificates.read_bytes()))
        if not _is_p256(key):
            raise ValueError(f"{key_file} is not a P-256 key")
        if chain[0].public_key.native["public_key"] != _point(key):
            raise ValueError(f"the first certificate of {certificates} is not that of {key_file}")
        self._signer = _EcSigner(key, chain)
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


def _is_p256(key: object) -> TypeGuard[ec.EllipticCurvePrivateKey]:
    return isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)


def _point(key: ec.EllipticCurvePrivateKey) -> bytes:
    numbers = key.public_key().public_numbers()
    return b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")

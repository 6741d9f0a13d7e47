"""Signs with a key from a file: the province's seal, or the test authority's."""

from pathlib import Path
from typing import TypeGuard

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sebalai_archive.signing.key_signer import KeySigner, chain_of


class FileSigner(KeySigner):
    """`certificates` is a PEM file: the signer's own first, then those above it."""

    def __init__(self, key_file: Path, certificates: Path) -> None:
        """Raises `OSError`, and `ValueError` when key and certificate do not belong together."""
        key = load_pem_private_key(key_file.read_bytes(), None)
        chain = chain_of(certificates)
        if not _is_p256(key):
            raise ValueError(f"{key_file} is not a P-256 key")
        if chain[0].public_key.native["public_key"] != _point(key):
            raise ValueError(f"the first certificate of {certificates} is not that of {key_file}")
        super().__init__(lambda data: key.sign(data, ec.ECDSA(SHA256())), chain)


def _is_p256(key: object) -> TypeGuard[ec.EllipticCurvePrivateKey]:
    return isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)


def _point(key: ec.EllipticCurvePrivateKey) -> bytes:
    numbers = key.public_key().public_numbers()
    return b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")

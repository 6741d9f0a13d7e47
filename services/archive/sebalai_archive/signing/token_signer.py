"""Signs with a key that lies in a token or HSM and never leaves it, over PKCS#11 (OASIS, v2.40).

Needs the extra `pkcs11` of this member, and the vendor's module. The token is asked at the first
signature and again after it was away. A PIN that was refused is not tried a second time in the life
of the process: a token counts wrong ones, and locks.
"""

import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pkcs11
from asn1crypto import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pkcs11.exceptions import PinExpired, PinIncorrect, PinInvalid, PinLenRange, PinLocked
from pkcs11.util.ec import encode_ecdsa_signature
from pydantic import SecretStr

from sebalai_archive.signing.key_signer import KeySigner, chain_of
from sebalai_archive.signing.signer import SigningUnavailable

PIN_REFUSED = (PinIncorrect, PinInvalid, PinLenRange, PinLocked, PinExpired)


@dataclass(frozen=True, slots=True)
class Token:
    """`module` is the vendor's library; `label` the token's, `key` the private key's inside it."""

    module: Path
    label: str
    key: str
    pin: SecretStr


class TokenSigner(KeySigner):
    def __init__(self, token: Token, certificates: Path) -> None:
        """Raises `OSError`, and `ValueError` when the certificate's key is not P-256."""
        if not token.module.is_file():
            raise FileNotFoundError(f"{token.module} is no PKCS#11 module")
        chain = chain_of(certificates)
        self._key = _TokenKey(token, chain[0])
        super().__init__(self._key.sign, chain)

    def close(self) -> None:
        """Leaves the token: a process is logged in to it once for all its sessions."""
        self._key.leave()


class _TokenKey:
    """One session, one signature at a time: a session is of one thread (PKCS#11, 5.6)."""

    def __init__(self, token: Token, certificate: x509.Certificate) -> None:
        public = load_der_public_key(certificate.public_key.dump())
        if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name != "secp256r1":
            raise ValueError("the first certificate has no P-256 key")
        self._token, self._public = token, public
        self._lock, self._session, self._refused = threading.Lock(), None, False

    def sign(self, data: bytes) -> bytes:
        """Raises: SigningUnavailable, also when the token's key is not the certificate's."""
        with self._lock:
            raw = self._raw(hashlib.sha256(data).digest())
        signature = encode_ecdsa_signature(raw)
        try:
            self._public.verify(signature, data, ec.ECDSA(SHA256()))
        except InvalidSignature as error:
            raise SigningUnavailable("The token's key is not that of the certificate.") from error
        return signature

    def _raw(self, digest: bytes) -> bytes:
        try:
            return self._key().sign(digest, mechanism=pkcs11.Mechanism.ECDSA)
        except PIN_REFUSED as error:
            self._refused = True
            raise SigningUnavailable("The token refuses the PIN; tell the operator.") from error
        except pkcs11.PKCS11Error as error:
            self.leave()
            name = type(error).__name__
            raise SigningUnavailable(f"The token does not sign: {name}. Ask again.") from error

    def _key(self) -> Any:
        if self._refused:
            raise SigningUnavailable("The token refused the PIN; it is not tried again.")
        if self._session is None:
            found = pkcs11.lib(str(self._token.module)).get_token(token_label=self._token.label)
            self._session = found.open(user_pin=self._token.pin.get_secret_value())
        kind = pkcs11.ObjectClass.PRIVATE_KEY
        return self._session.get_key(object_class=kind, label=self._token.key)

    def leave(self) -> None:
        """The next signature asks the token anew."""
        session, self._session = self._session, None
        if session is not None:
            try:
                session.close()
            except pkcs11.PKCS11Error:
                return  # it is gone already

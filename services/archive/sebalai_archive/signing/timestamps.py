"""Timestamps of RFC 3161: who says, with a signature of its own, that a digest existed at a time.

Does not own where a token goes (stamping, augmenting).
"""

import hashlib
import secrets
from typing import Any, Protocol

from asn1crypto import algos, cms, tsp, x509
from pyhanko.sign.validation.generic_cms import validate_tst_signed_data
from pyhanko_certvalidator import ValidationContext
from sebalai_shared import http

from sebalai_archive.signing.account import Account
from sebalai_archive.signing.outside import ANSWER_SECONDS_MAX, post, within
from sebalai_archive.signing.signer import TimestampUnavailable

DIGEST = "sha256"
TOKEN_BYTES_LIMIT = 64 * 1024
NONCE_BITS = 63
HEADERS = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}


class Timestamper(Protocol):
    async def token(self, digest: bytes) -> cms.ContentInfo:
        """A token over this SHA-256. Raises: TimestampUnavailable."""
        ...


class HttpTimestamper:
    """RFC 3161 over HTTP (its section 3.4). A token is taken only when it is for our digest and
    nonce, its signature holds, and its certificate is for timestamps and leads to one of `roots`.
    """

    def __init__(
        self,
        client: http.Client,
        url: str,
        roots: list[x509.Certificate],
        account: Account | None = None,
        *,
        seconds: float = ANSWER_SECONDS_MAX,
    ) -> None:
        self._seconds = seconds
        self._client, self._url, self._roots = client, url, roots
        self._headers = HEADERS | ({"Authorization": account.header} if account else {})

    async def token(self, digest: bytes) -> cms.ContentInfo:
        nonce = secrets.randbits(NONCE_BITS) | 1
        status, body = await self._ask(query(digest, nonce))
        if status != 200:
            raise TimestampUnavailable(f"the timestamp authority answered {status}")
        try:
            token = _granted(body, nonce)
            await self._check(token, digest)
        except TimestampUnavailable:
            raise
        except Exception as error:  # house: broad - foreign bytes in two parsers
            raise TimestampUnavailable(f"the token does not hold: {error}") from error
        return token

    async def _ask(self, asked: bytes) -> tuple[int, bytes]:
        try:
            done = post(
                self._client, self._url, asked, headers=self._headers, limit=TOKEN_BYTES_LIMIT
            )
            return await within(done, self._seconds)
        except http.Error as error:
            raise TimestampUnavailable("the timestamp authority cannot be reached") from error

    async def _check(self, token: Any, digest: bytes) -> None:
        """Revocation is asked when the file is augmented: it is not needed to take a token."""
        context = ValidationContext(trust_roots=self._roots, revocation_mode="soft-fail")
        found = await validate_tst_signed_data(token["content"], context, lambda _: digest)
        wrong = [name for name in ("valid", "intact") if not found[name]]
        if wrong or found["trust_problem_indic"] is not None:
            raise TimestampUnavailable("the token is not from an authority that is trusted here")


def query(digest: bytes, nonce: int) -> bytes:
    """A TimeStampReq for this SHA-256, asking for the certificate too."""
    imprint = {
        "hash_algorithm": algos.DigestAlgorithm({"algorithm": DIGEST}),
        "hashed_message": digest,
    }
    return tsp.TimeStampReq(
        {"version": 1, "message_imprint": imprint, "nonce": nonce, "cert_req": True}
    ).dump()


def _granted(body: bytes, nonce: int) -> Any:
    """Raises: ValueError, with what the authority says."""
    response: Any = tsp.TimeStampResp.load(body, strict=True)
    status = response["status"]["status"].native
    if status not in {"granted", "granted_with_mods"}:
        raise ValueError(f"it was not granted: {status}")
    token = response["time_stamp_token"]
    info = token["content"]["encap_content_info"]["content"].parsed
    if info["nonce"].native != nonce:
        raise ValueError("its nonce is not ours")
    if info["message_imprint"]["hash_algorithm"]["algorithm"].native != DIGEST:
        raise ValueError("it is over another digest")
    return token


def digest_of(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()

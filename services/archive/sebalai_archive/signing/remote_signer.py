"""Signs at a remote service in the shape of BSrE's eSign API v2: the key never leaves it, and the
signer's passphrase passes through here once, in the body of one call over TLS.

What is public of that interface is what its callers send (`POST /api/v2/sign/pdf`); error numbers
other than 2011 and 2031 are told by their words. The document comes back signed, and is taken only
when it begins with what was sent, and its signature holds and leads to a root that is trusted here.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import orjson
from asn1crypto import x509
from sebalai_shared import http
from sebalai_shared.clock import Clock
from sebalai_shared.problems import FieldInvalid
from typing_extensions import override

from sebalai_archive.signing.account import Account
from sebalai_archive.signing.outside import SIGNING_SECONDS, post, within
from sebalai_archive.signing.report import NotSigned
from sebalai_archive.signing.reporting import report_on
from sebalai_archive.signing.signer import (
    CertificateEnded,
    Intent,
    PassphraseWrong,
    Signed,
    Signer,
    SignerLocked,
    SignerUnknown,
    SigningUnavailable,
    Unlock,
)

PATH = "/api/v2/sign/pdf"
ANSWER_BYTES_LIMIT = 24 * 1024 * 1024
WHOLE_SECONDS = 2 * SIGNING_SECONDS  # a service that drips its answer holds no letter for longer
UNKNOWN, WRONG = 2011, 2031
LOCKED_WORDS = ("terkunci", "blokir", "locked", "suspend")
ENDED_WORDS = ("kedaluwarsa", "kadaluarsa", "expired", "dicabut", "revoked")
AGAIN = "Ask again: the letter keeps its number."


class RemoteSigner(Signer):
    def __init__(
        self,
        client: http.Client,
        url: str,
        account: Account,
        roots: Sequence[x509.Certificate],
        clock: Clock,
    ) -> None:
        self._client, self._url, self._roots, self._clock = client, url + PATH, roots, clock
        self._headers = {
            "Authorization": account.header,
            "Content-Type": "application/json",
            "Accept": "application/json",
        }

    @override
    async def sign(self, pdf: bytes, intent: Intent, unlock: Unlock | None = None) -> Signed:
        """PAdES B-B with the key of the person who signs.

        Raises: FieldInvalid without a passphrase, PassphraseWrong, SignerLocked, SignerUnknown,
        CertificateEnded, SigningUnavailable.
        """
        if unlock is None:
            raise FieldInvalid(
                "/passphrase", "This archive signs with the signer's own passphrase."
            )
        status, body = await self._ask(_wanted(pdf, intent, unlock))
        if status != 200:
            raise _refused(status, body)
        made = _document(body)
        if not made.startswith(pdf):
            raise SigningUnavailable("The signing service answered with another document.")
        return Signed(made, await self._serial_of(made))

    async def _ask(self, content: bytes) -> tuple[int, bytes]:
        try:
            asked = post(
                self._client, self._url, content, headers=self._headers, limit=ANSWER_BYTES_LIMIT
            )
            return await within(asked, WHOLE_SECONDS)
        except http.Timeout as error:
            raise SigningUnavailable(
                f"The signing service did not answer in time. {AGAIN}"
            ) from error
        except http.Error as error:
            raise SigningUnavailable(f"The signing service cannot be reached. {AGAIN}") from error

    async def _serial_of(self, pdf: bytes) -> str:
        try:
            report = await report_on(pdf, self._roots, self._clock.now())
        except NotSigned as error:
            raise SigningUnavailable("What the signing service answered is not signed.") from error
        if report.verdict != "passed":
            raise SigningUnavailable(f"The service's signature is not good here: {report.reason}.")
        return report.serial


def _wanted(pdf: bytes, intent: Intent, unlock: Unlock) -> bytes:
    about = {"tampilan": "INVISIBLE", "reason": intent.reason, "location": intent.place}
    return orjson.dumps(
        {
            "nik": unlock.nik.get_secret_value(),
            "passphrase": unlock.passphrase.get_secret_value(),
            "signatureProperties": [about],
            "file": [base64.b64encode(pdf).decode()],
        }
    )


def _refused(status: int, body: bytes) -> Exception:
    """Ours for theirs. Their words are not passed on: nobody knows what they repeat."""
    code, said = _said(body)
    if code == WRONG or "passphrase" in said:
        return PassphraseWrong("Nothing was signed. Too many wrong ones lock the account.")
    if any(word in said for word in LOCKED_WORDS):
        return SignerLocked("The certificate provider unlocks it, not this archive.")
    if any(word in said for word in ENDED_WORDS):
        return CertificateEnded("Ask the certificate provider for a new one.")
    if code == UNKNOWN:
        return SignerUnknown("The certificate provider knows nobody by this NIK.")
    if status in {401, 403}:
        return SigningUnavailable("The signing service refuses this archive; tell the operator.")
    return SigningUnavailable(f"The signing service answered {status}. {AGAIN}")


def _said(body: bytes) -> tuple[int, str]:
    try:
        found: Any = orjson.loads(body)
        return int(found.get("status_code") or 0), str(found.get("error") or "").lower()
    except (ValueError, TypeError, AttributeError):
        return 0, ""


def _document(body: bytes) -> bytes:
    """Raises: SigningUnavailable."""
    try:
        [file] = orjson.loads(body)["file"]
        return base64.b64decode(file, validate=True)
    except (ValueError, TypeError, KeyError, binascii.Error) as error:
        raise SigningUnavailable("The signing service's answer cannot be read.") from error

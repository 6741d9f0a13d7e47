"""Signed messages where an agreement asks for them: the consumer's request, the gateway's own word
to the provider, the provider's answer.

What is found goes into the record, and with it under the ledger's signature: that is how the
platform countersigns (r1, 4b.7). The base of a signature, which holds the path, stays with who
signed it; the record has its salted digest.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from sebalai_shared import signatures
from sebalai_shared.signatures import Headers, Message, Signature, Terms, Unreadable

from sebalai_gateway.calls.bodies import Measure, expected_digest
from sebalai_gateway.calls.headers import Incoming
from sebalai_gateway.calls.record import Call
from sebalai_gateway.database import StoreUnavailable
from sebalai_gateway.forwarding.forwarder import Answer
from sebalai_gateway.journal.writer import JournalUnavailable
from sebalai_gateway.refusals import Refusal
from sebalai_gateway.routing.snapshot import Agreement
from sebalai_gateway.routing.table import Decision
from sebalai_gateway.signatures import faults, profile
from sebalai_gateway.signatures.nonces import Nonces
from sebalai_gateway.signatures.signers import Signer, Signers


class Seals:
    """`key` is the gateway's own, named by its thumbprint `kid`."""

    def __init__(
        self,
        signers: Signers,
        nonces: Nonces,
        key: EllipticCurvePrivateKey,
        kid: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.signers, self.clock = signers, clock
        self.nonces, self._key, self._kid = nonces, key, kid

    async def open(
        self, call: Call, decision: Decision, incoming: Incoming, request: Message
    ) -> Seal:
        """Of a call under an agreement that asks for signatures.

        Raises: Refusal, for a request that is not signed as agreed; JournalUnavailable.
        """
        agreement = decision.agreement
        consumer = str(call.facts["consumer"])
        found = _read(agreement, request)
        lacking = set(profile.of_request(request.headers, has_body=incoming.has_body))
        lacking -= set(found.components)
        if incoming.has_body and expected_digest(incoming.content_digest) is None:
            # Signed, but of an algorithm that nobody here checks the body by.
            lacking.add('"content-digest" with sha-256')
        if lacking:
            raise faults.incomplete(agreement, sorted(lacking))
        self._check_time(agreement, found)
        signer = self.signers.find(consumer, found.text("keyid"))
        if signer is None:
            raise faults.key_unknown(agreement)
        base = _verified(signer, found, request)
        if base is None:
            raise faults.wrong(agreement)
        await self._use(agreement, consumer, found)
        _note(call, "request", signer, found, base)
        return Seal(self, call, decision)

    def _check_time(self, agreement: Agreement, found: Signature) -> None:
        now, created = self.clock(), found.created
        oldest, newest = now - profile.WINDOW_SECONDS, now + profile.SKEW_SECONDS
        if created is None or not oldest <= created <= newest:
            raise faults.expired(agreement, profile.WINDOW_SECONDS)

    async def _use(self, agreement: Agreement, consumer: str, found: Signature) -> None:
        """Only of a signature that holds: nobody else may fill the table."""
        nonce, until = found.text("nonce"), (found.created or 0) + 2 * profile.WINDOW_SECONDS
        if len(nonce) not in profile.NONCE_LENGTHS:
            raise faults.malformed(agreement, "its nonce must have 16 to 128 characters")
        try:
            is_new = await self.nonces.use(consumer, nonce, until)
        except StoreUnavailable:
            raise JournalUnavailable from None
        if not is_new:
            raise faults.replayed(agreement)

    def sign(self, message: Message) -> Headers:
        """The gateway's own signature, which a provider may ask for (r1, 4b.6)."""
        covered = profile.of_onward(message.headers)
        return self.sign_as(profile.GATEWAY_TAG, covered, message)

    def sign_as(
        self, tag: str, covered: list[str], message: Message, nonce: str = ""
    ) -> list[tuple[bytes, bytes]]:
        """The two fields of a signature by the gateway's key."""
        label = tag.removeprefix("sebalai-")
        terms = Terms(label, self._kid, int(self.clock()), tag, nonce)
        return signatures.sign(self._key, covered, terms, message).headers


class Seal:
    """One exchange under an agreement that asks for signatures."""

    def __init__(self, seals: Seals, call: Call, decision: Decision) -> None:
        self._seals, self._call, self._decision = seals, call, decision
        self._expected: bytes | None = None
        self._asks_answer = decision.agreement.signing == "both"

    def onward(self, url: str, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """The head with the gateway's signature for this address."""
        parts = urlsplit(url)
        message = Message(headers, self._call.method, parts.path or "/", parts.query)
        return [*headers, *self._seals.sign(message)]

    def begin_answer(self, answer: Answer) -> None:
        """Checks the head of an answer that must be signed. Raises: Refusal, 502."""
        if not self._asks_answer:
            return
        headers = answer.headers
        message = Message(headers, status=answer.status)
        wanted = profile.of_answer(self._call.method, answer.status, headers)
        try:
            found = signatures.read(headers, profile.ANSWER_TAG)
        except Unreadable as error:
            raise faults.answer_wrong(str(error)) from None
        lacking = sorted(set(wanted) - set(found.components if found else ()))
        if found is None or lacking:
            raise faults.answer_unsigned(lacking)
        provider = self._decision.interface.provider
        signer = self._seals.signers.find(provider, found.text("keyid"))
        if signer is None:
            raise faults.answer_wrong("its key is none of the provider's")
        number = (b"x-road-request-id", str(self._call.message_id).encode())
        base = _verified(signer, found, message, Message([number], self._call.method))
        if base is None:
            raise faults.answer_wrong("it is not by this key over this answer")
        self._expected = _digest(headers)
        _note(self._call, "response", signer, found, base)

    def end_answer(self, measure: Measure) -> None:
        """The body against the digest that was signed. Raises: Refusal, 502."""
        if not self._asks_answer or (measure.size == 0 and self._expected is None):
            return
        if self._expected != measure.digest():
            raise faults.answer_wrong("the body is not what its digest says")


def _read(agreement: Agreement, request: Message) -> Signature:
    try:
        found = signatures.read(request.headers, profile.REQUEST_TAG)
    except Unreadable as error:
        raise faults.malformed(agreement, str(error)) from None
    if found is None:
        raise faults.missing(agreement)
    return found


def _verified(
    signer: Signer, found: Signature, message: Message, request: Message | None = None
) -> bytes | None:
    """The base, if the signature holds over it."""
    if found.text("alg") not in ("", signatures.ALGORITHM):
        return None
    try:
        base = signatures.base_of(found.components, found.inner, message, request)
        return base if signatures.holds(signer.key, found, base) else None
    except (ValueError, KeyError, TypeError):
        return None


def _digest(headers: Headers) -> bytes | None:
    """The body's SHA-256 as the answer tells it. Raises: Refusal, 502."""
    told = b", ".join(value for name, value in headers if name == b"content-digest")
    try:
        return expected_digest(told)
    except Refusal:
        raise faults.answer_wrong("its Content-Digest cannot be read") from None


def _note(call: Call, side: str, signer: Signer, found: Signature, base: bytes) -> None:
    noted = call.facts.setdefault("signatures", dict[str, object]())
    noted[side] = {
        "key": signer.thumbprint,
        "created": found.created,
        "value": base64.urlsafe_b64encode(found.value).decode().rstrip("="),
        "base_digest": hashlib.sha256(call.salt + base).hexdigest(),
    }

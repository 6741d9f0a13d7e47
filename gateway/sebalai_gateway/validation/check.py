"""One call held against its interface's contract: `off`, `monitor` (noted) or `enforce` (refused).

Bodies up to CHECKED_BYTES_MAX are looked at. Monitoring passes larger ones by; enforcing refuses
them, because what was not checked cannot be vouched for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

from sebalai_gateway.calls.bodies import RequestBody
from sebalai_gateway.refusals import Refusal, unavailable
from sebalai_gateway.routing.paths import Target
from sebalai_gateway.routing.snapshot import Interface
from sebalai_gateway.validation.aside import Aside, Crowded
from sebalai_gateway.validation.contract import Contract, Operation
from sebalai_gateway.validation.contracts import Contracts

CHECKED_BYTES_MAX = 1024 * 1024
CONTRACT_WAIT_SECONDS = 1.0
ENFORCE, OFF = "enforce", "off"


@dataclass(frozen=True, slots=True)
class Head:
    """What a body is checked by besides its bytes."""

    media: str | None = None
    is_encoded: bool = False
    headers: tuple[tuple[bytes, bytes], ...] = ()

    @classmethod
    def of(cls, headers: Iterable[tuple[bytes, bytes]]) -> Head:
        media, encoding, told = list[str](), list[str](), tuple(headers)
        for name, value in told:
            if name.lower() == b"content-type":
                media.append(value.decode("latin-1"))
            elif name.lower() == b"content-encoding":
                encoding.append(value.decode("latin-1").strip().lower())
        # Two of them are neither: the other reader could take the other one.
        return cls(", ".join(media) or None, ", ".join(encoding) not in ("", "identity"), told)


class Check:
    """`deviations` are those found so far, at most five a side."""

    def __init__(self, interface: Interface, contract: Contract | None, aside: Aside) -> None:
        self._interface, self._contract, self._aside = interface, contract, aside
        self._operation: Operation | None = None
        self._chunks: list[bytes] = []
        self._size = 0
        self.deviations: list[str] = []

    @property
    def holds_answer(self) -> bool:
        """Whether no byte of the answer may leave before all of it was checked."""
        return self._interface.validate_responses == ENFORCE

    @property
    def answer(self) -> bytes:
        return b"".join(self._chunks)

    async def request(
        self, method: str, target: Target, query: bytes, head: Head, body: RequestBody
    ) -> None:
        """Raises: Refusal, when requests are enforced and this one deviates."""
        contract, mode = self._contract, self._interface.validate_requests
        if contract is None:
            return
        self._operation = contract.operation(method, target.path)
        if mode == OFF:
            return
        held: bytes | None = b""
        if self._operation is not None:
            held = await body.hold(CHECKED_BYTES_MAX, is_whole_needed=mode == ENFORCE)
        if held is None:
            return
        found = await self._request(contract, target.path, query, head, held)
        self.deviations += found
        if found and mode == ENFORCE:
            raise _request_invalid(found)

    async def _request(
        self, contract: Contract, path: str, query: bytes, head: Head, held: bytes
    ) -> list[str]:
        operation, mode = self._operation, self._interface.validate_requests
        if operation is None:
            return ["request: operation not described"]
        if held and head.is_encoded:
            return ["request.body: encoded, cannot be checked"] if mode == ENFORCE else []
        said = contract.said(operation, path, head.headers, _given(self._interface))
        if not contract.is_heavy(operation, "request", 0, held):
            return contract.request(operation, query, head.media, held, said)
        asked = {"query": query.decode("latin-1"), "media": head.media, "said": said}
        return await self._beside(contract.order(operation, "request", **asked), held, mode)

    async def _beside(self, order: dict[str, Any], body: bytes, mode: str) -> list[str]:
        """Raises: Refusal, where what is not checked must not pass."""
        try:
            return await self._aside.deviations(order, body)
        except Crowded:
            if mode == ENFORCE:
                raise _crowded() from None
            return []

    def see(self, chunk: bytes) -> None:
        """A chunk of the answer. Raises: Refusal, when it is too large to be vouched for."""
        self._size += len(chunk)
        if self._size <= CHECKED_BYTES_MAX:
            self._chunks.append(chunk)
        elif self.holds_answer:
            raise _response_invalid([f"response.body: larger than {CHECKED_BYTES_MAX} bytes"])

    async def response(self, status: int, head: Head) -> None:
        """At the answer's end. Raises: Refusal, when answers are enforced and this one deviates."""
        mode = self._interface.validate_responses
        if self._contract is None or self._operation is None or mode == OFF:
            return
        if self._size > CHECKED_BYTES_MAX:
            return
        if head.is_encoded and self._size:
            found = ["response.body: encoded, cannot be checked"] if mode == ENFORCE else []
        else:
            found = await self._response(self._contract, self._operation, status, head.media)
        self.deviations += found
        if found and mode == ENFORCE:
            raise _response_invalid(found)

    async def _response(
        self, contract: Contract, operation: Operation, status: int, media: str | None
    ) -> list[str]:
        answer = self.answer
        if not contract.is_heavy(operation, "response", status, answer):
            return contract.response(operation, status, media, answer)
        order = contract.order(operation, "response", status=status, media=media)
        return await self._beside(order, answer, self._interface.validate_responses)


async def begin(interface: Interface, contracts: Contracts | None) -> Check | None:
    """None when nothing is to be checked.

    Raises:
        Refusal: checking is enforced and the contract has not arrived.
    """
    modes = {interface.validate_requests, interface.validate_responses}
    if modes == {OFF} or contracts is None:
        return None
    seconds = CONTRACT_WAIT_SECONDS if ENFORCE in modes else 0.0
    contract = await contracts.ready(interface.contract_sha256, seconds)
    if contract is None and ENFORCE in modes:
        raise unavailable(
            "contract-unavailable", "The contract to check this call by has not arrived yet",
            "Nothing was forwarded. Try again in a moment.",
        )  # fmt: skip
    return Check(interface, contract, contracts.aside)


def _given(interface: Interface) -> str | None:
    """The header that carries the gateway's own secret, by which no consumer is judged."""
    credential = interface.credential
    return credential.header.lower() if credential and credential.header else None


def _crowded() -> Refusal:
    return unavailable(
        "contract-unavailable", "Too much waits to be checked against this contract",
        "What is enforced is not passed on unchecked. Try again in a moment.",
    )  # fmt: skip


def _request_invalid(found: list[str]) -> Refusal:
    return Refusal(
        400, "request-invalid", "The request is not what the contract describes",
        f"{'; '.join(found)}. Read the contract: getOpenAPI of the interface.",
    )  # fmt: skip


def _response_invalid(found: list[str]) -> Refusal:
    return Refusal(
        502, "response-invalid", "The provider's answer is not what its contract describes",
        f"{'; '.join(found)}. The provider may have acted; tell its agency the message_id.",
        x_road="server.service_failed",
    )  # fmt: skip


def notices(interface: Interface) -> list[tuple[bytes, bytes]]:
    """The announced end of an interface in its answers (RFC 9745, RFC 8594)."""
    told: list[tuple[bytes, bytes]] = []
    if interface.deprecated_at is not None:
        told.append((b"deprecation", f"@{interface.deprecated_at}".encode()))
    if interface.sunset_at is not None:
        told.append((b"sunset", formatdate(interface.sunset_at, usegmt=True).encode()))
    return told

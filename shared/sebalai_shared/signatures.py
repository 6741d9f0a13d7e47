"""HTTP message signatures (RFC 9421) with keys on P-256 (`ecdsa-p256-sha256`, section 3.3.4).

Owns the two header fields in one spelling, the signature base and the mathematics. Does not own
what a profile asks to be covered, whose key it is, for how long, or whether it was used before.

Less than the RFC allows: of component parameters `req` alone, no trailers, and only the canonical
spelling of structured fields (RFC 9651), so that what was read is byte for byte what was signed.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

Headers = Sequence[tuple[bytes, bytes]]

ALGORITHM = "ecdsa-p256-sha256"
FIELD_BYTES_LIMIT = 8 * 1024
COORDINATE_BYTES = 32
_ECDSA = ECDSA(hashes.SHA256())

_KEY = r"[a-z*][a-z0-9_.*-]*"
_STRING = r'"(?:[ !#-\[\]-~]|\\["\\])*"'
_ITEM = rf"{_STRING}(?:;req)?"
_PARAMETER = rf";({_KEY})=(-?[0-9]{{1,15}}|{_STRING})"
_INPUT = re.compile(
    rf"({_KEY})=(\((?:{_ITEM}(?: {_ITEM})*)?\)(?:;{_KEY}=(?:-?[0-9]{{1,15}}|{_STRING}))*)"
)
_MARK = re.compile(rf"({_KEY})=:([A-Za-z0-9+/]*={{0,2}}):")
_BETWEEN = re.compile(r"[ \t]*,[ \t]*")
_ITEMS, _PARAMETERS = re.compile(_ITEM), re.compile(_PARAMETER)


class Unreadable(ValueError):
    """The fields cannot be read in one way only, or name what the message does not have."""


@dataclass(frozen=True, slots=True)
class Message:
    """A request or a response: header names in lower case, `path` and `query` as on the wire
    (`query` without its question mark), `status` 0 for a request.
    """

    headers: Headers
    method: str = ""
    path: str = ""
    query: str = ""
    authority: str = ""
    status: int = 0


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature as it came. `components` are serialised: `"@method"`, `"x-road-id";req`."""

    label: str
    inner: str
    components: tuple[str, ...]
    parameters: dict[str, str | int]
    value: bytes

    @property
    def created(self) -> int | None:
        found = self.parameters.get("created")
        return found if isinstance(found, int) else None

    def text(self, name: str) -> str:
        """A parameter that is a string; empty when it is missing or a number."""
        found = self.parameters.get(name)
        return found if isinstance(found, str) else ""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a signer says beside the components."""

    label: str
    keyid: str
    created: int
    tag: str
    nonce: str = ""


@dataclass(frozen=True, slots=True)
class Signed:
    """The two header lines, and the base that was signed."""

    headers: list[tuple[bytes, bytes]] = field(repr=False)
    base: bytes


def read(headers: Headers, tag: str) -> Signature | None:
    """The one signature with that tag; None when there is none.

    Raises: Unreadable, also for two of that tag or an input without its signature.
    """
    inputs = _members(headers, b"signature-input", _INPUT)
    found = [(label, _parameters(inner), inner) for label, inner in inputs.items()]
    found = [one for one in found if one[1].get("tag") == tag]
    if not found:
        return None
    if len(found) > 1:
        raise Unreadable(f"two signatures are tagged {tag}")
    label, parameters, inner = found[0]
    mark = _members(headers, b"signature", _MARK).get(label)
    if mark is None:
        raise Unreadable(f"Signature has no {label}")
    components = tuple(_ITEMS.findall(inner[1 : _end(inner)]))
    if len(set(components)) != len(components):
        raise Unreadable("a component stands twice")
    return Signature(label, inner, components, parameters, _decoded(mark))


def _end(inner: str) -> int:
    """Where the list ends: a string of it may hold a bracket."""
    position = 1
    for item in _ITEMS.finditer(inner, 1):
        if item.start() > position + 1:
            break
        position = item.end()
    return position


def _members(headers: Headers, name: bytes, pattern: re.Pattern[str]) -> dict[str, str]:
    text = _joined(headers, name.decode())
    if text is None:
        return {}
    if len(text) > FIELD_BYTES_LIMIT:
        raise Unreadable(f"{name.decode()} has more than {FIELD_BYTES_LIMIT} bytes")
    members, position = dict[str, str](), 0
    while True:
        found = pattern.match(text, position)
        if found is None or found[1] in members:
            raise Unreadable(f"{name.decode()} cannot be read from character {position} on")
        members[found[1]] = found[2]
        if found.end() == len(text):
            return members
        comma = _BETWEEN.match(text, found.end())
        if comma is None:
            raise Unreadable(f"{name.decode()} cannot be read from character {found.end()} on")
        position = comma.end()


def _parameters(inner: str) -> dict[str, str | int]:
    parameters = dict[str, str | int]()
    for name, value in _PARAMETERS.findall(inner, _end(inner) + 1):
        if name in parameters:
            raise Unreadable(f"the parameter {name} stands twice")
        parameters[name] = _unquoted(value) if value.startswith('"') else int(value)
    return parameters


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def _quoted(text: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise Unreadable("the signature is not base64") from error


def _joined(headers: Headers, name: str) -> str | None:
    """A field's value as section 2.1 combines its lines; None when it is not there."""
    wanted = name.encode()
    lines = [value.strip(b" \t") for known, value in headers if known == wanted]
    return b", ".join(lines).decode("latin-1") if lines else None


def base_of(
    components: Iterable[str], inner: str, message: Message, request: Message | None = None
) -> bytes:
    """The signature base (section 2.5); `request` is what a response answers, for `req`.

    Raises: Unreadable.
    """
    lines = [f"{one}: {_value(one, message, request)}" for one in components]
    try:
        return "\n".join([*lines, f'"@signature-params": {inner}']).encode("ascii")
    except UnicodeEncodeError:
        raise Unreadable("a covered component is not ASCII") from None


def _value(component: str, message: Message, request: Message | None) -> str:
    quoted, _, flag = component.partition(";")
    name, source = _unquoted(quoted), request if flag else message
    value = None
    if source is not None:
        value = _derived(name, source) if name.startswith("@") else _joined(source.headers, name)
    if value is None or "\n" in value or "\r" in value:
        raise Unreadable(f"{component} is covered but not there")
    return value


def _derived(name: str, message: Message) -> str | None:
    if message.status:
        return str(message.status) if name == "@status" else None
    return {
        "@method": message.method,
        "@path": message.path,
        "@query": f"?{message.query}",
        "@authority": message.authority,
    }.get(name)


def holds(key: EllipticCurvePublicKey, signature: Signature, base: bytes) -> bool:
    value = signature.value
    if len(value) != 2 * COORDINATE_BYTES:
        return False
    r, s = (int.from_bytes(part) for part in (value[:COORDINATE_BYTES], value[COORDINATE_BYTES:]))
    try:
        key.verify(encode_dss_signature(r, s), base, _ECDSA)
    except InvalidSignature:
        return False
    return True


def sign(
    key: EllipticCurvePrivateKey,
    components: Sequence[str],
    terms: Terms,
    message: Message,
    request: Message | None = None,
) -> Signed:
    """Signs the components, named as `@method` or `x-road-id;req`. Raises: Unreadable."""
    named = [_quoted(one.removesuffix(";req")) + one[len(one.removesuffix(";req")) :]
             for one in components]  # fmt: skip
    nonce = f";nonce={_quoted(terms.nonce)}" if terms.nonce else ""
    inner = (
        f"({' '.join(named)});created={terms.created};keyid={_quoted(terms.keyid)}"
        f'{nonce};alg="{ALGORITHM}";tag={_quoted(terms.tag)}'
    )
    base = base_of(named, inner, message, request)
    r, s = decode_dss_signature(key.sign(base, _ECDSA))
    value = r.to_bytes(COORDINATE_BYTES) + s.to_bytes(COORDINATE_BYTES)
    mark = base64.b64encode(value).decode()
    fields = [
        (b"signature-input", f"{terms.label}={inner}".encode()),
        (b"signature", f"{terms.label}=:{mark}:".encode()),
    ]
    return Signed(fields, base)

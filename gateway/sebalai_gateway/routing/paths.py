"""The path of a call, canonicalised once: what is matched is what is forwarded.

X-Road's 7.7.1 release fixed an access bypass by encoded traversal. Here every segment is decoded
exactly once, anything that a second reader could read differently is refused, and the provider
gets the canonical form that was checked, re-encoded.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote

import msgspec

from sebalai_gateway.refusals import Refusal

PATH_BYTES_LIMIT = 4 * 1024
IDENTIFIERS = 5
# Read once: consumers call the same few paths again and again; at most 16 MiB.
TARGETS_KNOWN = 1_024
PROTOCOL = "r1"
_SLUG = re.compile(r"[a-z0-9-]{1,40}\Z")
_CODE = re.compile(r"[A-Z0-9-]{1,20}\Z")
_BAD_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_ANY_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_RAW_ALLOWED = re.compile(rb"[!-~]*\Z")
# RFC 3986 pchar without `;`, which some servers read as the start of parameters.
_KEPT = "-._~!$&'()*+,=:@"
# Segments of nothing else are their own canonical form: most are, and need no second look.
_PLAIN = re.compile(rf"[A-Za-z0-9{re.escape(_KEPT)}]*\Z")
_CANONICAL = re.compile(rf"(?:/(?!\.\.?(?:/|\Z))[A-Za-z0-9{re.escape(_KEPT)}]+)+/?\Z".encode())


class Target(msgspec.Struct, frozen=True):
    """Where a call goes: r1 identifiers, the decoded `path` that rules match, and its encoded
    form `raw` that is appended to the interface's address.
    """

    application: str
    interface: str
    agency: str
    path: str
    raw: bytes


@lru_cache(TARGETS_KNOWN)
def parse(raw_path: bytes) -> Target:
    """Reads `/r1/{instance}/{class}/{agency}/{application}/{interface}[/path]`.

    Raises:
        Refusal: 400, with a slug that begins with `path-`.
    """
    version, *segments = canonical(raw_path)
    if version != PROTOCOL:
        raise _bad("path-identifier", f"Calls begin with /{PROTOCOL}/.")
    identifiers, rest = segments[:IDENTIFIERS], segments[IDENTIFIERS:]
    _check_identifiers(identifiers)
    instance, group, agency, application, interface = identifiers
    provider = f"{instance}/{group}/{agency}/{application}"
    return Target(
        application=provider,
        interface=f"{provider}/{interface}",
        agency=agency,
        path="/" + "/".join(rest),
        raw=encode(rest),
    )


def canonical(raw_path: bytes) -> list[str]:
    """The segments of a path, each decoded exactly once; a trailing slash leaves a last empty one.

    Raises:
        Refusal: 400, with a slug that begins with `path-`.
    """
    if len(raw_path) > PATH_BYTES_LIMIT:
        raise _bad("path-too-long", f"At most {PATH_BYTES_LIMIT} bytes of path are taken.")
    if _CANONICAL.match(raw_path):
        return raw_path[1:].decode("ascii").split("/")
    if not raw_path.startswith(b"/") or not _RAW_ALLOWED.match(raw_path):
        raise _bad("path-encoding", "Percent-encode everything outside printable ASCII.")
    segments = [_decode(segment) for segment in raw_path[1:].split(b"/")]
    if "" in segments[:-1]:
        raise _bad("path-empty-segment", "Leave out the doubled slash.")
    return segments


def encode(segments: list[str]) -> bytes:
    """The one spelling of these segments; it begins with a slash, so it can only be a path."""
    if not all(map(_PLAIN.match, segments)):
        segments = [quote(segment, safe=_KEPT) for segment in segments]
    return ("/" + "/".join(segments)).encode("ascii")


def _decode(segment: bytes) -> str:
    """One segment, decoded exactly once and checked. Raises: Refusal."""
    if _BAD_PERCENT.search(segment):
        raise _bad("path-encoding", "A percent sign is not followed by two hexadecimal digits.")
    try:
        text = _unquote(segment).decode("utf-8")
    except UnicodeDecodeError:
        raise _bad("path-encoding", "The path is not UTF-8.") from None
    if "/" in text or "\\" in text:
        raise _bad("path-encoded-slash", "A segment may not hold a slash or backslash.")
    if text in {".", ".."}:
        raise _bad("path-traversal", "Name the resource itself, without dot segments.")
    if ";" in text:
        raise _bad("path-parameter", "Path parameters after `;` are not taken; use the query.")
    if not text.isprintable():
        raise _bad("path-control", "A segment may not hold control characters.")
    if _ANY_PERCENT.search(text):
        raise _bad("path-double-encoded", "Encode the path once.")
    return text


def _unquote(segment: bytes) -> bytes:
    head, *parts = segment.split(b"%")
    return head + b"".join(bytes([int(part[:2], 16)]) + part[2:] for part in parts)


def _check_identifiers(identifiers: list[str]) -> None:
    is_whole = len(identifiers) == IDENTIFIERS
    if not is_whole or not all(map(_CODE.match, identifiers[:2])):
        raise _bad("path-identifier", "Call /r1/{instance}/{class}/{agency}/{application}/…")
    if not all(map(_SLUG.match, identifiers[2:])):
        raise _bad("path-identifier", "Agencies, applications and interfaces are [a-z0-9-]{1,40}.")


def _bad(slug: str, detail: str) -> Refusal:
    return Refusal(400, slug, "The path cannot be read in one way only", detail)

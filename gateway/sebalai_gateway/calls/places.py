"""Where an answer says something is: below the provider's own address it is below the interface.

A consumer cannot reach the provider past the gateway, and a resumable upload goes on at the place
it was told (r1, 1.7 and 4c).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from sebalai_gateway.calls.headers import Headers
from sebalai_gateway.routing.snapshot import Interface

_PLACES = frozenset({b"location", b"content-location"})


def translated(headers: Headers, interface: Interface) -> Headers:
    """The headers with places of this provider as places of its interface; others untouched."""
    if _PLACES.isdisjoint([name for name, _ in headers]):
        return headers
    return [(n, _here(v, interface) if n in _PLACES else v) for n, v in headers]


def _here(value: bytes, interface: Interface) -> bytes:
    told = value.decode("latin-1")
    # The longest first: where one address has a path before it, that is the nearer one.
    for address in sorted(interface.addresses, key=len, reverse=True):
        base = address.rstrip("/")
        below = _below(told, base)
        if below is None and not told.startswith("//"):
            below = _below(told, urlsplit(base).path)
        if below is not None:
            return f"/r1/{interface.name}{below}".encode("latin-1")
    return value


def _below(told: str, base: str) -> str | None:
    """What follows `base`, if `told` lies there and not only begins with the same letters."""
    rest = told.removeprefix(base)
    is_below = told.startswith(base) and rest[:1] in ("", "/", "?", "#")
    return rest if is_below and (base or rest.startswith("/")) else None

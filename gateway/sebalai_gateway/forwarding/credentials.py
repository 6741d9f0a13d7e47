"""The secrets by which the gateway appears before providers: files, read again when they change.

An interface names a credential by kind and id; the secret itself lies in a folder at the gateway,
in the file `{application with dots}.{id}`, so that no application can name another's. It is never
in a routing snapshot, the journal, a log, an error or a metric. Does not own TLS (`tls`).
"""

from __future__ import annotations

import base64
import hashlib
import logging
import re
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

log = logging.getLogger(__name__)

LOOK_EACH_SECONDS = 1.0
SECRET_BYTES_LIMIT = 64 * 1024
CREDENTIALS_LIMIT = 4_096
CERTIFICATE = "client_certificate"

_OWNER = re.compile(r"[A-Za-z0-9-]{1,60}(/[A-Za-z0-9-]{1,60}){3}\Z")
_ID = re.compile(r"[a-z0-9-]{1,40}\Z")
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,60}\Z")
_BEARER = re.compile(rb"[A-Za-z0-9\-._~+/]+=*\Z")  # b64token, RFC 6750, section 2.1
_VALUE = re.compile(rb"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?\Z")
_BASIC = re.compile(rb"[^:\x00-\x1f\x7f]+:[^\x00-\x1f\x7f]*\Z")  # RFC 7617, section 2


class CredentialUnavailable(Exception):
    """The secret is missing, unreadable or none of its kind; the reason holds nothing of it."""


@dataclass(frozen=True, slots=True)
class Named:
    """What an interface says of its credential; `owner` is the application that provides it."""

    owner: str
    kind: str
    id: str
    header: str | None = None

    @property
    def file_name(self) -> str:
        """Raises: CredentialUnavailable, for names that could lead out of the folder."""
        if not (_OWNER.match(self.owner) and _ID.match(self.id)):
            raise CredentialUnavailable("the name is none")
        return f"{self.owner.replace('/', '.')}.{self.id}"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A file with certificate, chain and key, and the SHA-256 of what it held when it was read."""

    file: Path
    digest: str = field(repr=False)

    def load_into(self, context: ssl.SSLContext) -> None:
        """An encrypted key is refused, where the library would ask at the terminal. After an
        exception the context may hold another certificate, and is to be thrown away.

        Raises: ssl.SSLError, OSError, ValueError; CredentialUnavailable, when the file has changed.
        """
        context.load_cert_chain(self.file, password=lambda: "")
        # The library reads the file itself: what it found there is known only afterwards.
        if hashlib.sha256(_content(self.file)).hexdigest() != self.digest:
            raise CredentialUnavailable("the file changed while it was read")


@dataclass(frozen=True, slots=True)
class Secret:
    """What is shown to a provider: one header, or a certificate. `digest` tells one
    content from another and is kept to itself, because a short secret could be guessed by it.
    """

    digest: str = field(repr=False)
    header: tuple[bytes, bytes] | None = field(default=None, repr=False)
    certificate: Certificate | None = None


@dataclass(slots=True)
class _Held:
    stamp: tuple[int, int, int] | None
    secret: Secret | None
    why: str
    looked: float


class Credentials:
    """One a process. A look is a `stat` of a local file, at most one a second for each."""

    def __init__(
        self, folder: Path | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder, self._clock = folder, clock
        self._held: dict[Named, _Held] = {}

    def of(self, named: Named) -> Secret:
        """Raises: CredentialUnavailable."""
        held, now = self._held.get(named), self._clock()
        if held is None or now - held.looked >= LOOK_EACH_SECONDS:
            before, held = held, self._look(named, held, now)
            self._keep(named, before, held)
        if held.secret is None:
            raise CredentialUnavailable(held.why)
        return held.secret

    def _keep(self, named: Named, before: _Held | None, held: _Held) -> None:
        if held.why and (before is None or before.why != held.why):
            fields = {"owner": named.owner, "credential": named.id, "why": held.why}
            log.warning("a provider's credential is not available", extra={"fields": fields})
        if before is None and len(self._held) >= CREDENTIALS_LIMIT:
            del self._held[next(iter(self._held))]
        self._held[named] = held

    def _file(self, named: Named) -> Path:
        """Raises: CredentialUnavailable."""
        if self._folder is None:
            raise CredentialUnavailable("the gateway has no folder of credentials")
        return self._folder / named.file_name

    def _look(self, named: Named, held: _Held | None, now: float) -> _Held:
        try:
            file = self._file(named)
            stamp = _stamp(file)
            if held is not None and held.stamp == stamp and held.secret is not None:
                return _Held(stamp, held.secret, "", now)
            return _Held(stamp, _read(named, file), "", now)
        except OSError as error:
            # Its text names a path of this machine.
            return _Held(None, None, f"the file cannot be read ({type(error).__name__})", now)
        except CredentialUnavailable as error:
            return _Held(None, None, str(error), now)


def _stamp(file: Path) -> tuple[int, int, int]:
    found = file.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino


def _content(file: Path) -> bytes:
    """Raises: OSError, CredentialUnavailable."""
    with file.open("rb") as opened:
        content = opened.read(SECRET_BYTES_LIMIT + 1)
    if len(content) > SECRET_BYTES_LIMIT:
        raise CredentialUnavailable(f"the file has more than {SECRET_BYTES_LIMIT} bytes")
    return content


def _read(named: Named, file: Path) -> Secret:
    """Raises: OSError, CredentialUnavailable."""
    content = _content(file)
    digest = hashlib.sha256(repr((named, content)).encode()).hexdigest()
    if named.kind == CERTIFICATE:
        return Secret(digest, certificate=_checked(file, content))
    return Secret(digest, header=_header(named, content.rstrip(b"\r\n")))


def _header(named: Named, value: bytes) -> tuple[bytes, bytes]:
    """The one line a provider is shown. Raises: CredentialUnavailable."""
    match named.kind:
        case "bearer" if _BEARER.match(value):
            return b"authorization", b"Bearer " + value
        case "basic" if _BASIC.match(value):
            return b"authorization", b"Basic " + base64.b64encode(value)
        case "header" if _HEADER_NAME.match(named.header or "") and _VALUE.match(value):
            return (named.header or "").lower().encode(), value
        case _:
            raise CredentialUnavailable(f"the content is no secret of kind {named.kind}")


def _checked(file: Path, content: bytes) -> Certificate:
    """A certificate with its chain and key. Raises: OSError, CredentialUnavailable."""
    found = Certificate(file, hashlib.sha256(content).hexdigest())
    try:
        found.load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    except (ssl.SSLError, ValueError):
        raise CredentialUnavailable("the content is no certificate with its key") from None
    return found

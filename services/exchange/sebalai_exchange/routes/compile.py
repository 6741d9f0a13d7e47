"""The routing snapshot as text: what it says and how it is signed (wiring, section 7).

Pure: rows come in, a JWS goes out. Does not own what is granted, nor how it travels.
"""

import base64
import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from joserfc import jws
from joserfc.jwk import ECKey
from sebalai_shared.clock import to_text

TYPE = "routes+jws"
ALGORITHM = "ES256"
KV_INLINE_LIMIT_BYTES = 512 * 1024
PLAIN_BYTES_MAX = 256 * 1024
GZIP_LEVEL = 1


@dataclass(frozen=True)
class Snapshot:
    version: int
    jws: str


class RouteSigner:
    """Signs snapshots with the one key gateways hold the public half of."""

    def __init__(self, key: ECKey) -> None:
        self._key = key

    @classmethod
    def from_file(cls, path: Path) -> "RouteSigner":
        return cls(ECKey.import_key(orjson.loads(path.read_bytes())))

    def sign(self, payload: bytes) -> str:
        """Above PLAIN_BYTES_MAX the payload is gzip, and the header says so (`cty`)."""
        header = {"alg": ALGORITHM, "typ": TYPE, "kid": self._key.thumbprint()}
        if len(payload) > PLAIN_BYTES_MAX:
            header["cty"] = "gzip"
            payload = gzip.compress(payload, GZIP_LEVEL, mtime=0)
        return jws.serialize_compact(header, payload, self._key)


@dataclass(frozen=True)
class Content:
    """What a snapshot says, as JSON texts; whole when `after` is 0, else what changed since."""

    interfaces: Sequence[str]
    agreements: Sequence[str]
    groups: Sequence[str] = ()
    after: int = 0
    gone_interfaces: Sequence[str] = ()
    gone_agreements: Sequence[str] = ()
    peers: Sequence[str] = ()
    gone_peers: Sequence[str] = ()


def snapshot_document(version: int, issued_at: datetime, instance: str, content: Content) -> bytes:
    """The payload. Texts are joined, not parsed: a whole table may have 100,000 agreements."""
    head: dict[str, Any] = {
        "version": version,
        "issued_at": to_text(issued_at),
        "instance": instance,
    }
    if content.after:
        head["after"] = content.after
        head["gone"] = {
            "interfaces": list(content.gone_interfaces),
            "agreements": list(content.gone_agreements),
            "peers": list(content.gone_peers),
        }
    lists = [
        f'"{name}":[{",".join(getattr(content, name))}]'
        for name in ("interfaces", "agreements", "groups", "peers")
    ]
    return orjson.dumps(head)[:-1] + b"," + ",".join(lists).encode() + b"}"


def kv_value(snapshot: Snapshot) -> bytes:
    """What stands in the bucket: the snapshot itself, or above the limit its version alone."""
    document: dict[str, Any] = {"version": snapshot.version}
    if not snapshot.jws:
        return orjson.dumps(document)
    packed = gzip.compress(snapshot.jws.encode(), mtime=0)
    inline = {**document, "gzip": base64.b64encode(packed).decode()}
    value = orjson.dumps(inline)
    return value if len(value) <= KV_INLINE_LIMIT_BYTES else orjson.dumps(document)

"""The routing snapshot as text: what it says and how it is signed (wiring, section 7).

Pure: rows come in, a JWS goes out. Does not own what is granted, nor how it travels.
"""

import base64
import gzip
from collections.abc import Mapping, Sequence
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

    def sign(self, document: Mapping[str, Any]) -> str:
        header = {"alg": ALGORITHM, "typ": TYPE, "kid": self._key.thumbprint()}
        return jws.serialize_compact(header, orjson.dumps(document), self._key)


def snapshot_document(
    version: int,
    issued_at: datetime,
    instance: str,
    interfaces: Sequence[Mapping[str, Any]],
    agreements: Sequence[Mapping[str, Any]],
    groups: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Agreements of interfaces that are not in the snapshot are left out: nothing could route."""
    names = {interface["name"] for interface in interfaces}
    return {
        "version": version,
        "issued_at": to_text(issued_at),
        "instance": instance,
        "interfaces": list(interfaces),
        "agreements": [item for item in agreements if item["interface"] in names],
        "groups": list(groups),
    }


def kv_value(snapshot: Snapshot) -> bytes:
    """What stands in the bucket: the snapshot itself, or above the limit its version alone."""
    packed = gzip.compress(snapshot.jws.encode(), mtime=0)
    document: dict[str, Any] = {"version": snapshot.version}
    inline = {**document, "gzip": base64.b64encode(packed).decode()}
    value = orjson.dumps(inline)
    return value if len(value) <= KV_INLINE_LIMIT_BYTES else orjson.dumps(document)

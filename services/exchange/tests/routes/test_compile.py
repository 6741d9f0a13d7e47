"""The snapshot as gateways read it."""

import base64
import gzip
import json
from datetime import UTC, datetime

from joserfc import jws
from joserfc.jwk import ECKey
from sebalai_exchange.routes.compile import (
    KV_INLINE_LIMIT_BYTES,
    PLAIN_BYTES_MAX,
    Content,
    RouteSigner,
    Snapshot,
    kv_value,
    snapshot_document,
)

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def test_whole_snapshot_and_change_say_which_they_are():
    whole = json.loads(snapshot_document(3, AT, "ID-BB", Content(['{"a":1}'], [])))
    assert whole == {
        "version": 3,
        "issued_at": "2026-11-24T08:00:00.000Z",
        "instance": "ID-BB",
        "interfaces": [{"a": 1}],
        "agreements": [],
        "groups": [],
        "peers": [],
    }
    change = Content(
        [], ['{"b":1}', '{"b":2}'], ["{}"], 2, ["x"], ["y"], ['{"c":1}'], gone_peers=["ID-BK"]
    )
    document = json.loads(snapshot_document(3, AT, "ID-BB", change))
    assert document["after"] == 2
    gone = {"interfaces": ["x"], "agreements": ["y"], "peers": ["ID-BK"]}
    assert document["gone"] == gone
    assert (document["agreements"], document["groups"]) == ([{"b": 1}, {"b": 2}], [{}])
    assert document["peers"] == [{"c": 1}]


def test_large_payload_is_packed_and_says_so():
    key, payload = ECKey.generate_key("P-256"), b"x" * (PLAIN_BYTES_MAX + 1)
    signed = jws.deserialize_compact(RouteSigner(key).sign(payload), key)
    assert signed.headers()["cty"] == "gzip"
    assert gzip.decompress(signed.payload) == payload


def test_signature_names_type_algorithm_and_key():
    key = ECKey.generate_key("P-256")
    signed = jws.deserialize_compact(RouteSigner(key).sign(b'{"version": 1}'), key)
    assert signed.headers() == {"alg": "ES256", "typ": "routes+jws", "kid": key.thumbprint()}
    assert json.loads(signed.payload) == {"version": 1}


def test_small_snapshot_travels_inline_and_a_large_one_by_its_version():
    small = json.loads(kv_value(Snapshot(4, "jws")))
    assert gzip.decompress(base64.b64decode(small["gzip"])) == b"jws"
    assert small["version"] == 4
    noise = base64.b64encode(bytes(range(256)) * 10).decode()
    large = "".join(str(hash((noise, n))) for n in range(60_000))
    assert json.loads(kv_value(Snapshot(5, large))) == {"version": 5}
    assert len(kv_value(Snapshot(5, large))) < KV_INLINE_LIMIT_BYTES

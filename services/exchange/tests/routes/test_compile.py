"""The snapshot as gateways read it."""

import base64
import gzip
import json
from datetime import UTC, datetime

from joserfc import jws
from joserfc.jwk import ECKey
from sebalai_exchange.routes.compile import (
    KV_INLINE_LIMIT_BYTES,
    RouteSigner,
    Snapshot,
    kv_value,
    snapshot_document,
)

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def test_agreement_without_its_interface_is_left_out():
    document = snapshot_document(
        3, AT, "ID-BB", [{"name": "a"}], [{"interface": "a"}, {"interface": "b"}]
    )
    assert document == {
        "version": 3,
        "issued_at": "2026-11-24T08:00:00.000Z",
        "instance": "ID-BB",
        "interfaces": [{"name": "a"}],
        "agreements": [{"interface": "a"}],
        "groups": [],
    }


def test_signature_names_type_algorithm_and_key():
    key = ECKey.generate_key("P-256")
    signed = jws.deserialize_compact(RouteSigner(key).sign({"version": 1}), key)
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

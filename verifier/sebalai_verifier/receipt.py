"""A call or event receipt: its shape, and whether it holds under a pinned key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import Any, cast

import rfc8785

from sebalai_verifier.checkpoint import open_checkpoint
from sebalai_verifier.failures import VerificationError, malformed
from sebalai_verifier.inclusion import PROOF_LENGTH_LIMIT, root_from_proof
from sebalai_verifier.keys import PinnedKey
from sebalai_verifier.strict import (
    exact_object,
    from_base64url,
    hash_from_hex,
    read_json,
    string,
    whole_number,
)

RECEIPT_BYTES_LIMIT = 1024 * 1024
LEAF_CHARACTERS_LIMIT = 1024
SALT_BYTES = 32
LEAF_VERSION = 1


@dataclass(frozen=True)
class _Kind:
    """Which fields of the payload the leaf repeats."""

    leaf: str
    id_field: str
    time_field: str


KINDS: Mapping[str, _Kind] = {
    "sebalai-call-receipt/1": _Kind("call", "message_id", "completed_at"),
    "sebalai-event-receipt/1": _Kind("event", "id", "time"),
}


@dataclass(frozen=True)
class Receipt:
    kind: _Kind
    payload: dict[str, Any]
    salt: bytes
    leaf: str
    origin: str
    index: int
    size: int
    proof: list[bytes]
    checkpoint: str


@dataclass(frozen=True)
class Verified:
    """What now stands proved."""

    kind: str
    id: str
    time: str
    payload: dict[str, Any]
    origin: str
    index: int
    size: int
    signed_by: str
    salt: bytes


def parse_receipt(content: bytes) -> Receipt:
    if len(content) > RECEIPT_BYTES_LIMIT:
        raise malformed(f"a receipt has at most {RECEIPT_BYTES_LIMIT} bytes")
    document = exact_object(
        read_json(content, "the receipt"),
        {"format", "payload", "salt", "leaf", "log"},
        "the receipt",
    )
    log = exact_object(
        document["log"], {"origin", "index", "size", "proof", "checkpoint"}, "the receipt's log"
    )
    kind = KINDS.get(string(document["format"], "format"))
    if kind is None:
        raise malformed(f"format must be one of {', '.join(KINDS)}")
    return Receipt(
        kind=kind,
        payload=_payload(document["payload"], kind),
        salt=from_base64url(string(document["salt"], "salt"), SALT_BYTES, "salt"),
        leaf=string(document["leaf"], "leaf"),
        origin=string(log["origin"], "origin"),
        index=whole_number(log["index"], "index"),
        size=whole_number(log["size"], "size"),
        proof=_proof(log["proof"]),
        checkpoint=string(log["checkpoint"], "checkpoint"),
    )


def verify_receipt(content: bytes, keys: Sequence[PinnedKey]) -> Verified:
    """Everything a receipt claims, checked from the pinned key down to the payload.

    Raises `VerificationError` with the first reason found.
    """
    receipt = parse_receipt(content)
    checkpoint = open_checkpoint(receipt.checkpoint, keys)
    if (checkpoint.origin, checkpoint.size) != (receipt.origin, receipt.size):
        raise VerificationError(
            "checkpoint-mismatch", "the checkpoint is of another log or another size"
        )
    leaf = _leaf(receipt)
    if receipt.index >= receipt.size:
        raise VerificationError("inclusion", "the index lies beyond the log's size")
    root = root_from_proof(receipt.leaf.encode(), receipt.index, receipt.size, receipt.proof)
    if root is None or not compare_digest(root, checkpoint.root):
        raise VerificationError("inclusion", "the proof does not lead from the leaf to the root")
    _check_commitment(receipt, leaf)
    return Verified(
        kind=receipt.kind.leaf,
        id=leaf["id"],
        time=leaf["time"],
        payload=receipt.payload,
        origin=checkpoint.origin,
        index=receipt.index,
        size=receipt.size,
        signed_by=checkpoint.signed_by,
        salt=receipt.salt,
    )


def _payload(value: Any, kind: _Kind) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise malformed("the payload is not an object")
    payload = cast("dict[str, Any]", value)
    for field in (kind.id_field, kind.time_field):
        string(payload.get(field), f"payload {field}")
    return payload


def _proof(value: Any) -> list[bytes]:
    if not isinstance(value, list):
        raise malformed("the proof is not a list")
    hashes = cast("list[Any]", value)
    if len(hashes) > PROOF_LENGTH_LIMIT:
        raise malformed(f"the proof has more than {PROOF_LENGTH_LIMIT} hashes")
    return [hash_from_hex(item, "a hash of the proof") for item in hashes]


def _leaf(receipt: Receipt) -> dict[str, Any]:
    if len(receipt.leaf) > LEAF_CHARACTERS_LIMIT:
        raise malformed(f"a leaf has at most {LEAF_CHARACTERS_LIMIT} characters")
    leaf = exact_object(
        read_json(receipt.leaf, "the leaf"), {"v", "kind", "time", "id", "commitment"}, "the leaf"
    )
    if whole_number(leaf["v"], "the leaf's version") != LEAF_VERSION:
        raise malformed("the leaf has an unknown version")
    if _canonical(leaf, "the leaf") != receipt.leaf.encode():
        raise malformed("the leaf is not in canonical JSON")
    expected = {
        "kind": receipt.kind.leaf,
        "id": receipt.payload[receipt.kind.id_field],
        "time": receipt.payload[receipt.kind.time_field],
    }
    for field, value in expected.items():
        if leaf[field] != value:
            raise VerificationError("leaf-mismatch", f"{field} of leaf and payload differ")
    return leaf


def _check_commitment(receipt: Receipt, leaf: dict[str, Any]) -> None:
    committed = hash_from_hex(leaf["commitment"], "the leaf's commitment")
    actual = sha256(receipt.salt + _canonical(receipt.payload, "the payload")).digest()
    if not compare_digest(actual, committed):
        raise VerificationError(
            "commitment", "payload and salt are not what the log committed to: one was changed"
        )


def _canonical(value: dict[str, Any], what: str) -> bytes:
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, RecursionError, UnicodeError) as error:
        raise malformed(f"{what} cannot be written as canonical JSON") from error

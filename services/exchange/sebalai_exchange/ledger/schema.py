"""Wire shapes of the ledger."""

from typing import Any

from pydantic import BaseModel


class LogRead(BaseModel):
    """`key` is the C2SP verifier key under which this log signs."""

    name: str
    size: int
    key: str | None


class LogList(BaseModel):
    items: list[LogRead]
    next: None = None


class ProofRead(BaseModel):
    """Hashes in hex, in the order of RFC 9162."""

    log: str
    size: int
    proof: list[str]


class ReceiptLog(BaseModel):
    origin: str
    index: int
    size: int
    proof: list[str]
    checkpoint: str


class Receipt(BaseModel):
    """`sebalai-verify` checks it offline."""

    format: str
    payload: dict[str, Any]
    salt: str
    leaf: str
    log: ReceiptLog

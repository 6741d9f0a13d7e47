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


class CallTrace(BaseModel):
    """The portal sees neither `consumer` nor `correlation_id`. Times are null where not reached."""

    message_id: str
    requested_at: str | None
    forwarded_at: str | None
    responded_at: str | None
    completed_at: str
    consumer_agency: str | None
    interface: str | None
    provider: str | None
    method: str | None
    outcome: str | None
    status: int | None
    problem: str | None
    agreement: str | None
    rule: str | None
    purpose: str | None
    legal_basis: str | None
    trace_id: str | None
    consumer: str | None = None
    correlation_id: str | None = None


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

"""What the call path is made of, and the one way its answer may fail to end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry
from sebalai_shared.caller import AssertionSigner

from sebalai_gateway.admission.token import TokenVerifier
from sebalai_gateway.calls.record import Call
from sebalai_gateway.forwarding.credentials import Credentials
from sebalai_gateway.forwarding.forwarder import Forwarder
from sebalai_gateway.journal.writer import Journal
from sebalai_gateway.metering.meter import Meter
from sebalai_gateway.quotas.leases import Quotas
from sebalai_gateway.repeats.claims import Claims
from sebalai_gateway.routing.pulse import Pulse
from sebalai_gateway.routing.table import Table
from sebalai_gateway.signatures.seals import Seals
from sebalai_gateway.validation.contracts import Contracts


@dataclass(frozen=True, slots=True)
class Parts:
    """`table` answers the present routing table, if there is one."""

    verifier: TokenVerifier
    table: Callable[[], Table | None]
    journal: Journal
    forwarder: Forwarder
    signer: AssertionSigner
    claims: Claims
    quotas: Quotas
    seals: Seals
    public_url: str
    log: Callable[[dict[str, object]], None]
    contracts: Contracts | None = None
    credentials: Credentials = field(default_factory=Credentials)
    meter: Meter = field(default_factory=lambda: Meter(CollectorRegistry()))
    spans: Callable[[Call, int], None] | None = None
    pulse: Pulse = field(default_factory=Pulse)


class Withheld(Exception):
    """The end of the answer cannot be given, because its journal entry could not be written."""

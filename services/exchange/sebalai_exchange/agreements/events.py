"""Facts about agreements. Each becomes a leaf of the log `records`."""

from sebalai_shared.clock import Clock, to_text
from sebalai_shared.events import Event

from sebalai_exchange.agreements.model import Agreement

PREFIX = "exchange.agreement."
REQUESTED = f"{PREFIX}requested.v1"
GRANTED = f"{PREFIX}granted.v1"
SUSPENDED = f"{PREFIX}suspended.v1"
RESUMED = f"{PREFIX}resumed.v1"
REVOKED = f"{PREFIX}revoked.v1"
APPROVED = f"{PREFIX}approved.v1"
REPLACED = f"{PREFIX}replaced.v1"
SOURCE = "urn:sebalai:exchange"


def fact(kind: str, agreement: Agreement, by: str, clock: Clock) -> Event:
    """Identifiers and codes alone: reasons are free text and stay in the agreement."""
    data = {
        "agreement_id": str(agreement.id),
        "series": str(agreement.series),
        "version": agreement.version,
        "consumer": agreement.consumer,
        "provider": agreement.provider,
        "interface": agreement.interface,
        "rules": agreement.rules,
        "purposes": [purpose["code"] for purpose in agreement.purposes],
        "data_categories": list(agreement.data_categories),
        "valid_from": to_text(agreement.valid_from),
        "valid_until": to_text(agreement.valid_until),
        "by": by,
    }
    return Event(kind, SOURCE, str(agreement.id), data, clock.now())

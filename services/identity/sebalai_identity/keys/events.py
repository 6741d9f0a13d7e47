"""Facts about signing keys: names only."""

from datetime import datetime

from sebalai_shared.events import Event

ROTATED = "identity.key.rotated.v1"
COMPROMISED = "identity.key.compromised.v1"
"""It leaked: no token it signed is good any more."""
SOURCE = "urn:sebalai:identity"


def rotated(kid: str, previous: str | None, version: int, at: datetime) -> Event:
    data = {"kid": kid, "previous": previous, "version": version}
    return Event(ROTATED, SOURCE, "signing-ring", data, at)

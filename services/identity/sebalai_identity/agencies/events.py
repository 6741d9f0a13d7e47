"""Facts about agencies."""

from datetime import datetime

from sebalai_shared.events import Event

from sebalai_identity.agencies.model import Agency

REGISTERED = "identity.agency.registered.v1"
SOURCE = "urn:sebalai:identity"


RENAMED = "identity.agency.renamed.v1"
ENDED = "identity.agency.ended.v1"


def registered(agency: Agency, at: datetime) -> Event:
    data = {"agency_id": str(agency.id), "agency": agency.slug, "kind": agency.kind}
    return Event(REGISTERED, SOURCE, agency.slug, data, at)

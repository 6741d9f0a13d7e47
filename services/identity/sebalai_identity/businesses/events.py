"""Facts about businesses and who represents them: ids and capacities, never a NIB."""

REGISTERED = "identity.business.registered.v1"
CLOSED = "identity.business.closed.v1"
REPRESENTED = "identity.representation.recorded.v1"
REPRESENTATION_ENDED = "identity.representation.ended.v1"
LOOKED_UP = "identity.business.looked-up"

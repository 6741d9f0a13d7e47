"""Facts about requests for a client: ids and the agency."""

REQUESTED = "identity.client.requested.v1"
APPROVED = "identity.client.approved.v1"
CONFIRMED = "identity.client.confirmed"
"""In the trail alone: by the first of two; the wish waits on."""
REFUSED = "identity.client.refused.v1"
RETRACTED = "identity.client.retracted.v1"
"""By the client that registered itself: it wants something else, or nothing."""

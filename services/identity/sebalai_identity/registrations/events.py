"""Facts about initial tokens and what clients change of themselves: ids, never a token."""

ISSUED = "identity.initial-token.issued.v1"
REVOKED = "identity.initial-token.revoked.v1"
CHANGED = "identity.client.changed.v1"
"""A client changed what it may change alone."""

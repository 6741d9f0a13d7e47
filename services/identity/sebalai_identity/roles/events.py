"""Facts about roles: ids, codes, period."""

REQUESTED = "identity.role.requested.v1"
GRANTED = "identity.role.granted.v1"
REFUSED = "identity.role.refused.v1"
REVOKED = "identity.role.revoked.v1"

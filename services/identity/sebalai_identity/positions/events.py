"""Facts about positions."""

ESTABLISHED = "identity.position.established.v1"
ABOLISHED = "identity.position.abolished.v1"

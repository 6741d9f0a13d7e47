"""Facts about civil servants: the person's id, the agency and the kind of employment."""

ENLISTED = "identity.civil-servant.enlisted.v1"
DISCHARGED = "identity.civil-servant.discharged.v1"
LOOKED_UP = "identity.civil-servant.looked-up"

"""What sign-ins gave to clients: refresh families, and who wants to hear of a session's end."""

from datetime import timedelta

from sebalai_identity.rounds import Round

FAMILIES = Round("refresh_family", timedelta(days=16))

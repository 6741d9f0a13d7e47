"""What the provider remembers between a client's request and its answer: minutes, never more."""

from datetime import timedelta

from sebalai_identity.rounds import Round

LIFETIME = timedelta(minutes=10)
ID_BYTES = 32
ID_LENGTH = 43

INTERACTIONS = Round("interaction", timedelta(hours=1))

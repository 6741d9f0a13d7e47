"""The tables of the provider, each a round of partitions."""

from datetime import timedelta

from sebalai_identity.rounds import Round

PROOFS = Round("used_proof", timedelta(minutes=10))
CODES = Round("authorization_code", timedelta(hours=12))
PUSHED = Round("pushed_request", timedelta(hours=1))
DEVICES = Round("device_code", timedelta(hours=1))

"""What is revoked, for as long as a token that shows it may live."""

from datetime import timedelta
from typing import Literal

from sebalai_identity.rounds import Round

# The longest life of an access token (300 s), and what clocks may differ.
KEPT = timedelta(seconds=360)
# One answer; a single transaction that revokes more would be cut, so none may.
ROWS_MAX = 100_000
CHANNEL = "revocation"

Kind = Literal["jti", "sid", "sub", "cli", "pst", "rep", "kid"]

REVOCATIONS = Round("revocation", timedelta(minutes=10))

"""What the worker may use of the provider: the tables whose past is emptied."""

from sebalai_identity.grants.actions import FAMILIES
from sebalai_identity.oauth.model import CODES, DEVICES, PROOFS, PUSHED

__all__ = ["ROUNDS"]

ROUNDS = (PROOFS, PUSHED, CODES, DEVICES, FAMILIES)

"""The declared statement: what exactly was frozen, as text that never changes, and its commitment.

The text is canonical JSON (RFC 8785; all values are strings, integers or null, so sorted keys and
no spaces are all it takes). The salt keeps a guessable title from being guessed out of the ledger.
"""

import hashlib
import json
from typing import Any

SALT_BYTES = 32
FORMAT = "sebalai-record/2"


def statement_of(facts: dict[str, str | int | None]) -> str:
    document: dict[str, Any] = {"format": FORMAT, **facts}
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def commitment_of(salt: bytes, statement: str) -> str:
    return hashlib.sha256(salt + statement.encode()).hexdigest()

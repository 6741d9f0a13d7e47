"""Settings of exchange beyond those of every member."""

from pathlib import Path
from urllib.parse import urlsplit

from sebalai_shared.settings import MemberSettings


class ExchangeSettings(MemberSettings):
    """Keys are files: the API signs routes, the worker signs routes and checkpoints."""

    routes_key_file: Path | None = None
    ledger_key_file: Path | None = None
    ledger_origin: str = ""

    def origin(self) -> str:
        """What every log's name begins with, without a scheme (C2SP tlog-checkpoint)."""
        return self.ledger_origin or f"{urlsplit(self.public_url).netloc}/ledger"

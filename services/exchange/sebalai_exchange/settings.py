"""Settings of exchange beyond those of every member."""

from pathlib import Path
from urllib.parse import urlsplit

from sebalai_shared.addresses import Reach
from sebalai_shared.settings import MemberSettings


class ExchangeSettings(MemberSettings):
    """Keys are files: the API signs routes, the worker signs routes and checkpoints."""

    routes_key_file: Path | None = None
    ledger_key_file: Path | None = None
    ledger_origin: str = ""
    # Where the last signed checkpoints lie, apart from the database; unset: nothing is compared.
    ledger_heads_dir: Path | None = None
    # Webhook secrets follow from it; without one, from the routes key.
    webhook_key_file: Path | None = None
    # Comma list of hosts and CIDR blocks inside, where webhooks may stand (and on http too).
    private_webhooks: str = ""
    # The key that admits direct subscribers to the broker (`SA…`); without one there are none.
    nats_issuer_key_file: Path | None = None
    # Where they connect; left out, where exchange does.
    nats_public_url: str = ""
    # What members have published of their own facts: `<event type>.json`.
    event_types_dir: Path = Path("docs/contracts/events")

    def origin(self) -> str:
        """What every log's name begins with, without a scheme (C2SP tlog-checkpoint)."""
        return self.ledger_origin or f"{urlsplit(self.public_url).netloc}/ledger"

    def webhook_root(self) -> Path | None:
        return self.webhook_key_file or self.routes_key_file

    def nats_servers(self) -> str:
        """Without a user, as subscribers are told."""
        parts = urlsplit(self.nats_public_url or self.nats_url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    def webhook_reach(self) -> Reach:
        return Reach.parse(self.private_webhooks.split(","))

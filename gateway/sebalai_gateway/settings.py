"""The gateway's settings; everything else it knows comes from snapshots."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from sebalai_shared.settings import MemberSettings


class GatewaySettings(MemberSettings):
    """Addresses of the members behind the edge, keys, and where providers may stand.

    `proxy_secret`: what the proxy that ends TLS shows to be believed, from one of `proxy_addresses`
    (CIDR, by comma); `mtls_url`: where it asks clients for certificates, if elsewhere than at
    `public_url`. `otlp_url`: the operator's collector of traces, if there is one.
    """

    caller_key_file: Path
    routes_keys_file: Path
    snapshot_dir: Path = Path(".run/snapshots")
    identity_url: str = "http://127.0.0.1:8802"
    catalog_url: str = "http://127.0.0.1:8803"
    archive_url: str = "http://127.0.0.1:8804"
    exchange_url: str = "http://127.0.0.1:8805"
    portal_url: str = "http://127.0.0.1:8801"
    private_providers: str = ""
    proxy_secret: SecretStr | None = None
    proxy_addresses: str = "127.0.0.0/8,::1/128"
    mtls_url: str = ""
    credentials_dir: Path | None = None
    snapshot_stale_seconds: float = 900.0
    metrics_host: str = "127.0.0.1"
    metrics_port: int = Field(default=0, ge=0, le=65_535)
    otlp_url: str = ""
    workers: int = Field(default=1, ge=1, le=64)
    lane: Literal["asgi", "fast"] = "fast"

    @property
    def audience(self) -> str:
        """What an access token for this gateway names, and the issuer of caller assertions."""
        return f"urn:sebalai:gateway:{self.instance}"

    def member_urls(self) -> dict[str, str]:
        return {
            "identity": self.identity_url,
            "catalog": self.catalog_url,
            "archive": self.archive_url,
            "exchange": self.exchange_url,
        }

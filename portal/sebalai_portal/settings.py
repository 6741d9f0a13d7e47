"""What the portal must be told. It has no database and no broker: one gateway and one key."""

from __future__ import annotations

from pathlib import Path

from sebalai_shared.settings import MemberSettings


class PortalSettings(MemberSettings):
    """`gateway_url` is the gateway as this process reaches it; `public_url` is its issuer name."""

    gateway_url: str = "http://127.0.0.1:8800"
    client_id: str
    client_key_file: Path

"""Settings of identity beyond those of every member."""

from pathlib import Path

from sebalai_shared.settings import MemberSettings


class IdentitySettings(MemberSettings):
    """The sealing key is a file: 32 random bytes, base64url. Without it no key can be made.

    `breached_passwords_file`: sorted SHA-1 of breached passwords, as haveibeenpwned.com gives them
    out; without it the list that is shipped must do. `private_clients`: hosts or CIDR inside
    private ranges where clients may be told of a logout, by comma. `outside_keys_dir`: private JWKs
    towards outside providers; `private_outside_providers`: those that stand inside private ranges.
    `mtls_url`: where the proxy asks clients for certificates, empty: nowhere;
    `client_authorities_file`: PEM of those whose certificates may prove a client.
    """

    sealing_key_file: Path | None = None
    breached_passwords_file: Path | None = None
    private_clients: str = ""
    outside_keys_dir: Path | None = None
    private_outside_providers: str = ""
    mtls_url: str = ""
    client_authorities_file: Path | None = None

    @property
    def audience(self) -> str:
        """What access tokens are for: the gateway of this instance."""
        return f"urn:sebalai:gateway:{self.instance}"

"""Settings of the services catalogue."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator
from sebalai_shared.settings import MemberSettings


class CatalogSettings(MemberSettings):
    """`lapor_url` empty: complaints stay here. `private_systems`: hosts or networks that outside
    systems of ours may stand on inside private ranges (comma list).

    `payments_url` empty: fees are paid at the counter. With it go `payments_partner` (our number
    there), `payments_prefix` (of our accounts, up to 8 digits) and `payments_secret`, which signs
    our calls and the gateway's notices. A gateway that asks for SNAP's access token (B2B) knows us
    by `payments_client_key` and the RSA key (PEM) of `payments_key_file`. `payments_merchant`: our
    number as a merchant of QRIS; empty: nobody pays by QRIS.

    `gateway_url` (as this process reaches it) empty: no evidence is fetched, and no list of
    exchange. With it go `client_id_file` and `client_key_file` (private JWK) of the application
    with the agreements.

    `public_answers_kept_seconds`: how old an answer may be that everybody sees alike; 0 for never.
    """

    lapor_url: str = ""
    lapor_token: SecretStr | None = None
    private_systems: str = ""
    payments_url: str = ""
    payments_partner: str = ""
    payments_prefix: Annotated[str, Field(pattern=r"^[0-9]{0,8}$")] = ""
    payments_secret: SecretStr | None = None
    payments_client_key: str = ""
    payments_merchant: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{0,64}$")] = ""
    payments_key_file: Path | None = None
    gateway_url: str = ""
    public_answers_kept_seconds: Annotated[float, Field(ge=0, le=60)] = 1.0
    client_id_file: Path | None = None
    client_key_file: Path | None = None

    @model_validator(mode="after")
    def _systems_are_whole(self) -> Self:
        names = ("payments_partner", "payments_prefix", "payments_secret")
        missing = [name for name in names if not getattr(self, name)]
        if self.payments_url and missing:
            raise ValueError(f"payments_url needs {', '.join(missing)} too")
        if bool(self.payments_key_file) != bool(self.payments_client_key):
            raise ValueError("payments_client_key and payments_key_file go together")
        if self.gateway_url and not (self.client_id_file and self.client_key_file):
            raise ValueError("gateway_url needs client_id_file and client_key_file too")
        return self

"""Settings of the services catalogue."""

from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator
from sebalai_shared.settings import MemberSettings


class CatalogSettings(MemberSettings):
    """`lapor_url` empty: complaints stay here. `private_systems`: hosts or networks that outside
    systems of ours may stand on inside private ranges (comma list).

    `payments_url` empty: fees are paid at the counter. With it go `payments_partner` (our number
    there), `payments_prefix` (of our accounts, up to 8 digits) and `payments_secret`, which signs
    our calls and the gateway's notices.
    """

    lapor_url: str = ""
    lapor_token: SecretStr | None = None
    private_systems: str = ""
    payments_url: str = ""
    payments_partner: str = ""
    payments_prefix: Annotated[str, Field(pattern=r"^[0-9]{0,8}$")] = ""
    payments_secret: SecretStr | None = None

    @model_validator(mode="after")
    def _payments_are_whole(self) -> Self:
        names = ("payments_partner", "payments_prefix", "payments_secret")
        missing = [name for name in names if not getattr(self, name)]
        if self.payments_url and missing:
            raise ValueError(f"payments_url needs {', '.join(missing)} too")
        return self

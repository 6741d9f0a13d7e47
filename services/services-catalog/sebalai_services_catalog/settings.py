"""Settings of the services catalogue."""

from pydantic import SecretStr
from sebalai_shared.settings import MemberSettings


class CatalogSettings(MemberSettings):
    """`lapor_url` empty: complaints stay here. `private_systems`: hosts or networks that outside
    systems of ours may stand on inside private ranges (comma list).
    """

    lapor_url: str = ""
    lapor_token: SecretStr | None = None
    private_systems: str = ""

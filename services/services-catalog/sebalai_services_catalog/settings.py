"""Settings of the services catalogue: none of its own yet."""

from sebalai_shared.settings import MemberSettings


class CatalogSettings(MemberSettings):
    pass

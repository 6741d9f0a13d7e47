"""Settings every member has. One class per member derives from `MemberSettings`,
is built in its `__main__` and handed down; nothing reads the environment elsewhere.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "SEBALAI_"


class MemberSettings(BaseSettings):
    """Environment `SEBALAI_X`, or the content of the file that `SEBALAI_X_FILE` names.

    A secret comes by file (compose secrets, 0600 files), so it never stands in a process list.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    port: int = 0
    log_level: str = "INFO"
    public_url: str = "http://127.0.0.1:8800"
    instance: str = "ID-BB"
    database_url: str = ""
    database_password: SecretStr | None = None
    nats_url: str = "nats://127.0.0.1:4222"
    nats_token: SecretStr | None = None
    caller_keys_file: Path | None = None
    reference_dir: Path = Path("deploy/reference")
    heartbeat_file: Path | None = None
    pool_connections: int = 10

    @classmethod
    def from_environment(cls) -> Self:
        """Reads the environment and the files it names.

        Raises:
            OSError: a named file cannot be read.
            pydantic.ValidationError: a value is missing or malformed.

        """
        return cls(**_from_files(set(cls.model_fields)))

    def database_dsn(self, scheme: str = "postgresql") -> str:
        """The database address with its password set, for a driver."""
        parts = urlsplit(self.database_url)
        if self.database_password is None:
            return urlunsplit(parts._replace(scheme=scheme))
        user, _, place = parts.netloc.rpartition("@")
        password = quote(self.database_password.get_secret_value(), safe="")
        return urlunsplit(parts._replace(scheme=scheme, netloc=f"{user}:{password}@{place}"))


def _from_files(fields: set[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in fields:
        # A field that itself ends in _file is a path, not a secret behind a path.
        path = os.environ.get(f"{PREFIX}{field.upper()}_FILE")
        if path and f"{field}_file" not in fields:
            found[field] = Path(path).read_text(encoding="utf-8").strip()
    return found

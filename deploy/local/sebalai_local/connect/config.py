"""The one file of `sebalai connect`: who the application is, what it calls, what it answers."""

from __future__ import annotations

import tomllib
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from sebalai_local.failures import Failure

CONFIG_BYTES_LIMIT = 256 * 1024
CALLS_MAX = 500
NAMES_MAX = 10
BODY_BYTES = 16 * 1024 * 1024
BODY_BYTES_MAX = 256 * 1024 * 1024


def _place(text: str) -> str:
    host, colon, port = text.rpartition(":")
    ip_address(host.strip("[]"))
    if not colon or not port.isdigit() or not 0 < int(port) < 65_536:
        raise ValueError("must be an address and a port, e.g. 127.0.0.1:8701")
    return text


def _loopback(text: str) -> str:
    if not ip_address(text.rpartition(":")[0].strip("[]")).is_loopback:
        raise ValueError("must be a loopback address: whoever reaches it calls as you")
    return text


def _origin(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    return text.rstrip("/")


Name = Annotated[str, Field(pattern=r"^[a-z0-9.-]{1,253}$")]
Place = Annotated[str, AfterValidator(_place)]
Loopback = Annotated[Place, AfterValidator(_loopback)]
Url = Annotated[str, AfterValidator(_origin)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Call(_Part):
    """What `http://{listen}/{name}/…` stands for."""

    interface: str = Field(pattern=r"^[A-Z]{2}-[A-Z0-9-]{1,17}/[A-Z]+(/[a-z0-9-]{1,40}){3}$")
    purpose: str = Field(pattern=r"^[a-z0-9-]{1,40}$")


class Consume(_Part):
    """From the legacy system to the bus. `sign`: for agreements that ask for it. `names` are those
    that the system knows this machine by, besides the address and `localhost`.
    """

    listen: Loopback
    names: list[Name] = Field(default_factory=list[str], max_length=NAMES_MAX)
    sign: bool = False
    verify_receipts: bool = False
    calls: dict[str, Call] = Field(min_length=1, max_length=CALLS_MAX)


class Provide(_Part):
    """From the bus to the legacy system. `require_gateway`: take only what the gateway signed,
    which it does under agreements that ask for signatures.
    """

    listen: Place
    forward_to: Url
    sign: bool = True
    require_gateway: bool = True


class Config(_Part):
    gateway: Url
    client_id: str
    key_file: Path
    dpop: bool = False
    ledger_key_file: Path | None = None
    exchanges_dir: Path | None = None
    max_body_bytes: int = Field(default=BODY_BYTES, ge=0, le=BODY_BYTES_MAX)
    consume: Consume | None = None
    provide: Provide | None = None

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if self.consume is None and self.provide is None:
            raise ValueError("needs [consume] or [provide]")
        if self.consume and self.consume.verify_receipts and self.ledger_key_file is None:
            raise ValueError("verify_receipts needs ledger_key_file, the key you trust")
        return self


def read(file: Path) -> Config:
    """Raises: Failure, with each field that is wrong."""
    try:
        with file.open("rb") as opened:
            document = tomllib.loads(opened.read(CONFIG_BYTES_LIMIT).decode())
        return Config.model_validate(document)
    except ValidationError as error:
        wrong = [
            f"{'.'.join(map(str, one['loc'])) or 'file'}: {one['msg']}" for one in error.errors()
        ]
        raise Failure(f"{file}: " + "; ".join(wrong)) from None
    except (OSError, ValueError) as error:
        raise Failure(f"{file} cannot be read: {error}") from error

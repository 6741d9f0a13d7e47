"""The seed as typed data, and names in it: `agency/application[/interface]` in short."""

from __future__ import annotations

import os
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from sebalai_local.home import INSTANCE, Home

PLATFORM_AGENCY = "diskominfo"
SCOPE_VARIABLE = "SEBALAI_SEED"  # "platform" leaves out the demonstration
FILE = Path(__file__).with_name("seed.toml")


class SeedApplication(BaseModel):
    """`kind` as a client, and `back`, the path people come back to who signed in to it: of those
    that sign people in.
    """

    agency: str
    name: str
    scopes: list[str]
    kind: str | None = None
    back: str = ""

    @property
    def short(self) -> str:
        return f"{self.agency}/{self.name}"

    def client_at(self, issuer: str) -> dict[str, Any] | None:
        """What identity is told of it as a client; None where it signs nobody in."""
        if self.kind is None:
            return None
        return {"kind": self.kind, "redirect_uris": [issuer.rstrip("/") + self.back]}


class SeedInterface(BaseModel):
    provider: str
    name: str
    title: str
    address: str
    member: str | None = None

    def address_in(self, home: Home) -> str:
        return home.url(self.address.strip("{}"))


class SeedAgreement(BaseModel):
    consumer: str
    interface: str
    rules: list[dict[str, str]]
    purposes: list[dict[str, str]]
    data_categories: list[str] = []
    limits: dict[str, int] = {}

    @property
    def provider(self) -> str:
        return self.interface.rpartition("/")[0]


class SeedExample(BaseModel):
    consumer: str
    stranger: str
    interface: str
    purpose: str
    path: str


class Seed(BaseModel):
    applications: list[SeedApplication]
    interfaces: list[SeedInterface]
    agreements: list[SeedAgreement]
    example: SeedExample

    @property
    def has_example(self) -> bool:
        return any(one.short == self.example.consumer for one in self.applications)

    def platform_only(self) -> Seed:
        """Without the demonstration: the platform's own applications, interfaces and agreements."""
        ours = [one for one in self.applications if one.agency == PLATFORM_AGENCY]
        names = {one.short for one in ours}
        kept = {
            "applications": ours,
            "interfaces": [one for one in self.interfaces if one.provider in names],
            "agreements": [one for one in self.agreements if {one.consumer, one.provider} <= names],
        }
        return self.model_copy(update=kept)


@cache
def seed() -> Seed:
    content: dict[str, Any] = tomllib.loads(FILE.read_text(encoding="utf-8"))
    found = Seed.model_validate(content)
    return found.platform_only() if os.environ.get(SCOPE_VARIABLE) == "platform" else found


def full(short: str) -> str:
    """The r1 identifier of `agency/application` or `agency/application/interface`."""
    return f"{INSTANCE}/GOV/{short}"

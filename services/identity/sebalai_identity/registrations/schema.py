"""Wire shapes of initial access tokens, and what a client registered as a plan."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from sebalai_identity.applications.actions import ClientSettings, PublicKey
from sebalai_identity.names import Slug
from sebalai_identity.wording import Instant, Reason

REGISTRATIONS_MAX = 100


class InitialTokenIssue(BaseModel):
    """`registrations`: how many clients may register with it. `handed_to`: who is given it, a
    person or the client_id of a system; they approve nothing that registers by it.
    """

    model_config = ConfigDict(extra="forbid")

    agency: Slug
    purpose: Reason
    handed_to: UUID
    registrations: Annotated[int, Field(ge=1, le=REGISTRATIONS_MAX)] = 1
    valid_until: Instant


class InitialTokenRead(BaseModel):
    id: UUID
    agency: str
    purpose: str
    handed_to: str | None
    registrations: int
    used: int
    valid_until: datetime
    issued_by: str
    issued_at: datetime
    revoked_at: datetime | None


class InitialTokenIssued(InitialTokenRead):
    """`token` is told this once."""

    token: str


@dataclass(frozen=True)
class Plan:
    """What a client registered, read and checked: what it means to us, and `metadata` as it is told
    again (RFC 7591 section 3.2.1), without `scope`, keys and what is ours to say.
    """

    scopes: frozenset[str]
    client: ClientSettings
    keys: tuple[PublicKey, ...]
    metadata: dict[str, Any]

    def document(self) -> dict[str, Any]:
        return {
            "scopes": sorted(self.scopes),
            "client": self.client.model_dump(mode="json", exclude_defaults=True),
            "keys": [key.model_dump(exclude_none=True) for key in self.keys],
            "metadata": self.metadata,
        }

    @classmethod
    def read(cls, document: dict[str, Any]) -> "Plan":
        return cls(
            frozenset(document["scopes"]),
            ClientSettings.model_validate(document["client"]),
            tuple(PublicKey.model_validate(key) for key in document["keys"]),
            document["metadata"],
        )

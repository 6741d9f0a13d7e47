"""Wire shapes of applications, and what a public key of theirs may be."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints, model_validator

from sebalai_identity.applications.clients import ClientSettings
from sebalai_identity.names import TEXT_PATTERN, Slug

Scope = Literal[
    "bus.call",
    "exchange.manage",
    "archive.write",
    "catalog.write",
    "catalog.decide",
    "identity.people",
    "identity.compare",
    "identity.audit",
    "identity.roles",
    "identity.clients",
    "identity.scim",
    "platform.operate",
    "openid",
    "profile",
    "email",
    "phone",
    "address",
    "offline_access",
    "business",
]
BASIC_SCOPE: Scope = "bus.call"
SENSITIVE_SCOPES: frozenset[Scope] = frozenset(
    {
        "identity.people",
        "identity.compare",
        "identity.audit",
        "identity.roles",
        "identity.clients",
        "identity.scim",
        "platform.operate",
    }
)
"""What opens people, rights or the platform itself: given by two, never by one alone."""
BY_REGISTRATION = ("grants", "jwks_uri", "sector_identifier_uri")
COORDINATE_PATTERN = r"^[A-Za-z0-9_-]{43}$"
KID_LENGTH_MAX = 128

Coordinate = Annotated[str, StringConstraints(pattern=COORDINATE_PATTERN)]
Kid = Annotated[
    str, StringConstraints(min_length=1, max_length=KID_LENGTH_MAX, pattern=TEXT_PATTERN)
]
Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=3, max_length=300, pattern=TEXT_PATTERN),
]


class PublicKey(BaseModel):
    """A public JWK on P-256. Any other member, a private one above all, is refused."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: Coordinate
    y: Coordinate
    kid: Kid | None = None
    alg: Literal["ES256"] | None = None
    use: Literal["sig"] | None = None

    @model_validator(mode="after")
    def _is_on_the_curve(self) -> "PublicKey":
        try:
            # The point is checked when the number is built, not when the text is read.
            _ = ECKey.import_key(self.material()).public_key
        except (JoseError, ValueError) as error:
            raise ValueError("x and y are not a point of P-256") from error
        return self

    def material(self) -> dict[str, Any]:
        return {"kty": self.kty, "crv": self.crv, "x": self.x, "y": self.y}

    def thumbprint(self) -> str:
        return ECKey.import_key(self.material()).thumbprint()


class ApplicationRegister(BaseModel):
    """An application of `agency`; the name of a known one adds the key to it.

    Of a known one, scopes and end change only when they are given; so does the end of its key.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    agency: Slug
    name: Slug
    public_key: PublicKey | None = None
    scopes: frozenset[Scope] = frozenset({BASIC_SCOPE})
    valid_until: AwareDatetime | None = None
    key_valid_until: AwareDatetime | None = None
    client: ClientSettings = ClientSettings()

    is_registration: ClassVar[bool] = False

    @model_validator(mode="after")
    def _names_nothing_unchecked(self) -> "ApplicationRegister":
        """What an address says is fetched and held against the rules where a client registers."""
        named = [name for name in BY_REGISTRATION if getattr(self.client, name) is not None]
        if named and not self.is_registration:
            raise ValueError(f"{named[0]} comes by registration alone (/oauth/register)")
        return self

    @model_validator(mode="after")
    def _can_prove_itself(self) -> "ApplicationRegister":
        proves = self.public_key is not None or self.client.has_certificate
        if not proves and self.client.kind != "public":
            raise ValueError("public_key is missing; only a public client has none")
        if self.public_key is not None and self.client.kind == "public":
            raise ValueError("a public client holds no key of its own")
        return self


class ClientRegister(ApplicationRegister):
    """What a client asked for at the registration endpoint (RFC 7591), already checked there; its
    keys lie beside it.
    """

    is_registration: ClassVar[bool] = True

    @model_validator(mode="after")
    def _can_prove_itself(self) -> "ClientRegister":
        return self


class ApplicationSuspend(BaseModel):
    reason: Reason


class ApplicationRead(BaseModel):
    id: UUID
    client_id: UUID
    identifier: str
    agency: str
    name: str
    scopes: list[str]
    state: str
    reason: str | None
    valid_until: datetime | None
    client: ClientSettings
    registered_at: datetime
    changed_at: datetime

"""What a client may say of itself when it registers (RFC 7591 section 2, OpenID Connect
Registration 1.0 section 2), read strictly: what we do not know is ignored as they say, what we know
and do not serve is refused. Pure; what stands at addresses is `registering`'s to fetch.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from sebalai_identity.applications.actions import (
    URIS_MAX,
    RedirectUri,
    ShownName,
    WebUri,
    printable,
)
from sebalai_identity.numbers import NumberInvalid, read_nik
from sebalai_identity.oauth.errors import OAuthError
from sebalai_identity.oauth.policy import CODE

SCOPE_LENGTH_MAX = 500
CONTACTS_MAX, TEXT_LENGTH_MAX = 5, 200
GRANTS_MAX = 10
NAMED = "client_name"
# Known, and not served: to ignore them would leave the client with less than it believes.
NOT_SERVED = (
    "client_secret",
    "id_token_encrypted_response_alg",
    "userinfo_encrypted_response_alg",
    "request_object_encryption_alg",
    "introspection_encrypted_response_alg",
    "authorization_signed_response_alg",
    "authorization_encrypted_response_alg",
    "frontchannel_logout_uri",
    "backchannel_token_delivery_mode",
)
_SIXTEEN_DIGITS = re.compile(r"(?<!\d)\d{16}(?!\d)")

Method = Literal["private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth", "none"]
ES256 = Literal["ES256"]
Signature = Literal["ES256", "RS256"]
Text = Annotated[
    str,
    StringConstraints(min_length=1, max_length=TEXT_LENGTH_MAX),
    AfterValidator(printable),
]


def bad_metadata(name: str, why: str) -> OAuthError:
    code = "invalid_redirect_uri" if name == "redirect_uris" else "invalid_client_metadata"
    return OAuthError(code, f"{name}: {why}")


PUBLIC_METHOD = "none"


class ClientMetadata(BaseModel):
    """Defaults are those of the specifications but for three: signatures are ES256 where nothing is
    asked for (RS256 is OpenID Connect's), and a confidential client signs in by `private_key_jwt`,
    because there are no secrets here. The answer tells what was registered.
    """

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, strict=True)

    redirect_uris: list[RedirectUri] = Field(default=[], max_length=URIS_MAX)
    post_logout_redirect_uris: list[RedirectUri] = Field(default=[], max_length=URIS_MAX)
    backchannel_logout_uri: WebUri | None = None
    backchannel_logout_session_required: bool = False
    token_endpoint_auth_method: Method = "private_key_jwt"  # noqa: S105 - a method
    token_endpoint_auth_signing_alg: ES256 = "ES256"  # noqa: S105 - an algorithm
    grant_types: list[str] = Field(default=[CODE], min_length=1, max_length=GRANTS_MAX)
    response_types: list[Literal["code"]] | None = Field(default=None, max_length=1)
    application_type: Literal["web", "native"] = "web"
    scope: Annotated[str, StringConstraints(max_length=SCOPE_LENGTH_MAX)] | None = None
    client_name: ShownName | None = None
    client_uri: WebUri | None = None
    logo_uri: WebUri | None = None
    policy_uri: WebUri | None = None
    tos_uri: WebUri | None = None
    contacts: list[Text] = Field(default=[], max_length=CONTACTS_MAX)
    jwks: dict[str, Any] | None = None
    jwks_uri: WebUri | None = None
    software_id: Text | None = None
    software_version: Text | None = None
    software_statement: str | None = None
    subject_type: Literal["public", "pairwise"] | None = None
    sector_identifier_uri: WebUri | None = None
    id_token_signed_response_alg: Signature = "ES256"  # noqa: S105 - an algorithm
    userinfo_signed_response_alg: Signature | None = None
    introspection_signed_response_alg: Signature = "ES256"
    request_object_signing_alg: ES256 | None = None
    require_signed_request_object: bool = False
    require_pushed_authorization_requests: bool = False
    dpop_bound_access_tokens: bool = False
    tls_client_certificate_bound_access_tokens: bool = False
    tls_client_auth_subject_dn: Text | None = None
    tls_client_auth_san_dns: Text | None = None
    tls_client_auth_san_uri: Text | None = None
    tls_client_auth_san_ip: Text | None = None
    tls_client_auth_san_email: Text | None = None

    @property
    def is_public(self) -> bool:
        return self.token_endpoint_auth_method == PUBLIC_METHOD


def read_metadata(document: dict[str, Any], today: date) -> tuple[ClientMetadata, dict[str, str]]:
    """The metadata, and names by language tag. Raises `OAuthError`."""
    _require_no_number(document, today)
    for name in NOT_SERVED:
        if document.get(name) is not None:
            raise bad_metadata(name, "not served here; leave it out.")
    given = {name: value for name, value in document.items() if value is not None}
    try:
        metadata = ClientMetadata.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise bad_metadata(str(first["loc"][0]), f"{first['msg']}.") from error
    return metadata, _names(given)


def _names(given: dict[str, Any]) -> dict[str, str]:
    """`client_name` and `client_name#id` (RFC 7591 section 2.2); checked with the settings."""
    marked = {tag: given[f"{NAMED}#{tag}"] for tag in _tags(given)}
    bare = {"": given[NAMED]} if NAMED in given else {}
    return bare | marked


def _tags(given: dict[str, Any]) -> Iterator[str]:
    return (name.partition("#")[2] for name in given if name.startswith(f"{NAMED}#"))


def _require_no_number(document: dict[str, Any], today: date) -> None:
    """What is registered is shown, kept and told: no number of a person belongs into it."""
    for name, value in document.items():
        if _has_nik(name, today):
            raise OAuthError(
                "invalid_client_metadata", "A member is named by the NIK of a person; leave it out."
            )
        if any(_has_nik(text, today) for text in _texts(value)):
            raise bad_metadata(_shown(name), "holds the NIK of a person; leave it out.")


def _shown(name: str) -> str:
    """Any text may be a name in JSON, half a character too; the answer is ASCII."""
    return name[:40].encode("ascii", "replace").decode()


def _has_nik(text: str, today: date) -> bool:
    return any(_is_nik(digits, today) for digits in _SIXTEEN_DIGITS.findall(text))


def _texts(value: Any) -> Iterator[str]:
    """Every text in it. By hand: what comes may be nested deeper than calls could go."""
    waiting: list[Any] = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]  # pyright: ignore[reportUnknownArgumentType]
        elif isinstance(one, list):
            waiting += one


def _is_nik(digits: str, today: date) -> bool:
    try:
        read_nik(digits, today)
    except NumberInvalid:
        return False
    return True

"""What an application is as an OAuth client: its kind, where answers may go, how tokens are bound.

Owns the rules of registration for redirect addresses (RFC 9700 section 4.1: exact, https or
loopback or a private-use scheme with a dot). What a kind may do is the provider's policy.
"""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from sebalai_shared.http import is_address

from sebalai_identity.applications.certificates import CertificateSubject

URIS_MAX = 10
URI_LENGTH_MAX = 500
NAMES_MAX = 10
NAME_LENGTH_MAX = 100
CERTIFICATES_MAX = 5
LOOPBACK = frozenset({"127.0.0.1", "[::1]", "localhost"})
THUMBPRINT_PATTERN = r"^[A-Za-z0-9_-]{43}$"

Kind = Literal["agency_system", "agency_web", "portal", "public", "kiosk", "external"]
SignatureAlgorithm = Literal["ES256", "RS256"]
Authentication = Literal["private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"]


def _redirect(value: str) -> str:
    if not value.isascii() or not value.isprintable() or any(sign in value for sign in " \\#*"):
        raise ValueError("write the exact address, percent-encoded, without fragment or pattern")
    parts = urlsplit(value)
    if parts.scheme in ("https", "http") and not is_address(value):
        raise ValueError("this is no address: look at its host and port")
    if parts.scheme == "https" and parts.hostname and "@" not in parts.netloc:
        return value
    is_loopback = parts.scheme == "http" and _host(parts.netloc) in LOOPBACK
    is_private_use = "." in parts.scheme and not parts.netloc
    if not is_loopback and not is_private_use:
        raise ValueError("use https, http on loopback, or a scheme like id.go.example.app:/back")
    return value


def _host(netloc: str) -> str:
    return netloc.rpartition(":")[0] if netloc.rpartition(":")[2].isdigit() else netloc


def _web(value: str) -> str:
    if "." in urlsplit(_redirect(value)).scheme:
        raise ValueError("use https, or http on loopback")
    return value


_Text = Annotated[str, StringConstraints(min_length=8, max_length=URI_LENGTH_MAX)]
RedirectUri = Annotated[_Text, AfterValidator(_redirect)]
WebUri = Annotated[_Text, AfterValidator(_web)]


def printable(value: str) -> str:
    """Raises `ValueError`."""
    # Marks that turn the direction of writing are not printable either: a name reads as it is.
    if not value.isprintable():
        raise ValueError("write printable characters")
    return value


LanguageTag = Annotated[
    str, StringConstraints(pattern=r"^([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3})?$")
]
ShownName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_LENGTH_MAX),
    AfterValidator(printable),
]


class ClientSettings(BaseModel):
    """`is_pairwise`: each sector (host of `sector_identifier_uri`, else of the redirect addresses)
    sees another `sub`. `names`: what people are shown, by language tag, "" where none was named.
    `grants`: of those of its kind the ones it registered; None: all. `authentication`: the only
    way it proves itself (RFC 8705 for certificates); None: any it has a key or certificate for.
    `is_certificate_bound`: its tokens are bound to the certificate it shows, or it gets none.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, frozen=True)

    kind: Kind = "agency_system"
    redirect_uris: tuple[RedirectUri, ...] = Field(default=(), max_length=URIS_MAX)
    post_logout_redirect_uris: tuple[RedirectUri, ...] = Field(default=(), max_length=URIS_MAX)
    backchannel_logout_uri: WebUri | None = None
    is_par_required: bool = False
    is_dpop_required: bool = False
    is_request_object_required: bool = False
    is_pairwise: bool = False
    id_token_algorithm: SignatureAlgorithm = "ES256"  # noqa: S105 - an algorithm
    userinfo_algorithm: SignatureAlgorithm | None = None
    introspection_algorithm: SignatureAlgorithm = "ES256"
    certificate_thumbprints: tuple[
        Annotated[str, StringConstraints(pattern=THUMBPRINT_PATTERN)], ...
    ] = Field(default=(), max_length=CERTIFICATES_MAX)
    certificate_subject: CertificateSubject | None = None
    authentication: Authentication | None = None
    is_certificate_bound: bool = False
    names: dict[LanguageTag, ShownName] = Field(default={}, max_length=NAMES_MAX)
    client_uri: WebUri | None = None
    logo_uri: WebUri | None = None
    policy_uri: WebUri | None = None
    tos_uri: WebUri | None = None
    grants: tuple[str, ...] | None = Field(default=None, max_length=NAMES_MAX)
    jwks_uri: WebUri | None = None
    sector_identifier_uri: WebUri | None = None

    @model_validator(mode="after")
    def _has_one_sector(self) -> Self:
        if self.sector_identifier_uri is not None:
            return self
        hosts = {urlsplit(uri).hostname or uri for uri in self.redirect_uris}
        if self.is_pairwise and len(hosts) != 1:
            raise ValueError("a pairwise client has redirect addresses on one host")
        return self

    @model_validator(mode="after")
    def _has_what_it_proves_itself_by(self) -> Self:
        if self.authentication == "tls_client_auth" and self.certificate_subject is None:
            raise ValueError("tls_client_auth needs certificate_subject")
        is_told = self.certificate_thumbprints or self.jwks_uri
        if self.authentication == "self_signed_tls_client_auth" and not is_told:
            raise ValueError("self_signed_tls_client_auth needs certificate_thumbprints")
        return self

    @property
    def has_certificate(self) -> bool:
        return bool(self.certificate_thumbprints) or self.certificate_subject is not None

    def name_in(self, language: str) -> str | None:
        """What people who read `language` are shown; None where the client told no name."""
        named = {tag.partition("-")[0].lower(): name for tag, name in self.names.items()}
        return named.get(language) or named.get("") or next(iter(named.values()), None)

    @property
    def logo_origin(self) -> str:
        """Where its logo is let in from; "" without one."""
        parts = urlsplit(self.logo_uri or "")
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""

    @property
    def sector(self) -> str:
        """RFC: OpenID Connect Core 8.1."""
        first = self.redirect_uris[0] if self.redirect_uris else ""
        first = self.sector_identifier_uri or first
        return urlsplit(first).hostname or first

    def has_redirect(self, uri: str) -> bool:
        """Exact; a public client's loopback address without a port takes any (RFC 8252 7.3)."""
        if uri in self.redirect_uris:
            return True
        if self.kind != "public":
            return False
        try:
            netloc = urlsplit(uri).netloc
        except ValueError:
            return False
        host = _host(netloc)
        if host not in LOOPBACK or not uri.isascii():
            return False
        # Only the port is cut out of it: put together anew an address would lose an empty `#`.
        return uri.replace(f"http://{netloc}", f"http://{host}", 1) in self.redirect_uris

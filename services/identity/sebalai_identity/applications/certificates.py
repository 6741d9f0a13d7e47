"""The name by which an authority's certificate is known as a client's (RFC 8705 section 2.1.2)."""

from ipaddress import ip_address
from typing import Annotated, Self

from cryptography import x509
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, model_validator

SUBJECT_LENGTH_MAX = 300
DOMAIN_PATTERN = r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$"


def _distinguished(value: str) -> str:
    try:
        name = x509.Name.from_rfc4514_string(value)
    except ValueError as error:
        raise ValueError("write a distinguished name as RFC 4514 does: CN=a,O=b,C=ID") from error
    if not list(name):
        raise ValueError("an empty name would be anybody's")
    return name.rfc4514_string()


def _address(value: str) -> str:
    return str(ip_address(value))


_Text = Annotated[str, StringConstraints(min_length=1, max_length=SUBJECT_LENGTH_MAX)]


class CertificateSubject(BaseModel):
    """Exactly one of: the distinguished name (RFC 4514), or an alternative name: a domain, a URI,
    an IP address, an address of mail.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, frozen=True)

    dn: Annotated[_Text, AfterValidator(_distinguished)] | None = None
    dns: Annotated[str, StringConstraints(pattern=DOMAIN_PATTERN, max_length=253)] | None = None
    uri: _Text | None = None
    ip: Annotated[_Text, AfterValidator(_address)] | None = None
    email: _Text | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if len(self.model_dump(exclude_none=True)) != 1:
            raise ValueError("name exactly one of dn, dns, uri, ip, email")
        return self

    def is_of(self, certificate: x509.Certificate) -> bool:
        if self.dn is not None:
            return certificate.subject == x509.Name.from_rfc4514_string(self.dn)
        try:
            found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
            return False
        named = found.value
        if self.dns is not None:
            domains = named.get_values_for_type(x509.DNSName)
            return self.dns in (domain.lower() for domain in domains)
        if self.ip is not None:
            return ip_address(self.ip) in named.get_values_for_type(x509.IPAddress)
        if self.uri is not None:
            return self.uri in named.get_values_for_type(x509.UniformResourceIdentifier)
        return self.email in named.get_values_for_type(x509.RFC822Name)

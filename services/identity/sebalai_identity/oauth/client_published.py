"""What a client that registers has published, fetched and held against the rules: its keys or its
certificates, the file of its sector.
"""

from sebalai_identity.oauth import certificates, client_keys
from sebalai_identity.oauth.client_documents import DocumentRefused, DocumentsBusy
from sebalai_identity.oauth.client_metadata import ClientMetadata, bad_metadata
from sebalai_identity.oauth.client_plan import Published
from sebalai_identity.oauth.desk import Desk

_BOUND = "tls_client_certificate_bound_access_tokens"


def require_served(desk: Desk, metadata: ClientMetadata) -> None:
    """What needs mutual TLS, where there is some."""
    method, is_bound = metadata.token_endpoint_auth_method, _BOUND
    if metadata.is_public and metadata.tls_client_certificate_bound_access_tokens:
        raise bad_metadata(is_bound, "a public client binds its tokens by DPoP.")
    wanted = [is_bound] if metadata.tls_client_certificate_bound_access_tokens else []
    wanted += ["token_endpoint_auth_method"] if method in certificates.METHODS else []
    is_there = bool(desk.server.mtls_url)
    if wanted and (not is_there or (method == certificates.PKI and desk.authorities is None)):
        raise bad_metadata(wanted[-1], "it is not served here; see the server's metadata.")
    if method == certificates.SELF_SIGNED and metadata.require_signed_request_object:
        raise bad_metadata("require_signed_request_object", "a certificate signs no requests here.")


async def read(desk: Desk, metadata: ClientMetadata) -> Published:
    """What stands in the client's JWK set. Raises `OAuthError`, `DocumentsBusy`."""
    if metadata.jwks is not None and metadata.jwks_uri is not None:
        raise bad_metadata("jwks", "send jwks or jwks_uri, not both.")
    name = "jwks_uri" if metadata.jwks_uri is not None else "jwks"
    if metadata.is_public:
        if metadata.jwks is not None or metadata.jwks_uri is not None:
            raise bad_metadata(name, "a public client holds no key of its own.")
        return Published()
    method = metadata.token_endpoint_auth_method
    if metadata.jwks is None and metadata.jwks_uri is None:
        if method == certificates.PKI:
            return Published()
        raise bad_metadata(name, f"{method} needs jwks or jwks_uri.")
    try:
        address = metadata.jwks_uri
        document = metadata.jwks if address is None else await desk.documents.read(address)
        if method == certificates.SELF_SIGNED:
            return Published(certificates=certificates.read_certificates(document))
        return Published(client_keys.read_keys(document))
    except DocumentsBusy:
        raise
    except (
        DocumentRefused, client_keys.KeysRefused, certificates.CertificatesRefused,
    ) as error:  # fmt: skip
        raise bad_metadata(name, f"{error}.") from error


async def require_sector(desk: Desk, metadata: ClientMetadata) -> None:
    """OpenID Connect Registration section 5: the file lists every redirect address."""
    address = metadata.sector_identifier_uri
    if address is None:
        return
    try:
        listed = await desk.documents.read(address)
    except DocumentsBusy:
        raise
    except DocumentRefused as error:
        raise bad_metadata("sector_identifier_uri", f"{error}.") from error
    if not isinstance(listed, list) or any(uri not in listed for uri in metadata.redirect_uris):
        raise bad_metadata("sector_identifier_uri", "it must list every one of redirect_uris.")

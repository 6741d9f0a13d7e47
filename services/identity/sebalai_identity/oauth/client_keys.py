"""The public keys of a client: as it sends them, or as they stand at its `jwks_uri`, read anew when
it signs by one that is not known (OpenID Connect Core 10.1.1).
"""

import logging
from typing import Any

from pydantic import ValidationError
from sebalai_shared.caller import Caller

from sebalai_identity.applications.actions import (
    KeyEnded,
    KeysFull,
    KnownClient,
    PublicKey,
    renew_certificates,
    renew_keys,
    usable_client,
)
from sebalai_identity.desk import Desk as PeopleDesk
from sebalai_identity.oauth.certificates import (
    PRIVATE,
    SELF_SIGNED,
    CertificatesRefused,
    read_certificates,
)
from sebalai_identity.oauth.client_documents import DocumentRefused
from sebalai_identity.oauth.desk import Desk

log = logging.getLogger(__name__)

KEYS_MAX = 10
SET_MAX = 20
_PUBLIC = ("kty", "crv", "x", "y", "kid", "alg", "use")


class KeysRefused(Exception):
    """No set of keys we can use; the text says why."""


def read_keys(document: Any) -> tuple[PublicKey, ...]:
    """Those on P-256 that sign; others are for other servers (RFC 7517 section 5).

    Raises `KeysRefused`: no set, too many, a private member, none to use.
    """
    keys: Any = document.get("keys") if isinstance(document, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    if not isinstance(keys, list) or len(keys) > SET_MAX:  # pyright: ignore[reportUnknownArgumentType]
        raise KeysRefused(f"it must be a JWK set of at most {SET_MAX} keys")
    found: dict[str, PublicKey] = {}
    for key in keys:  # pyright: ignore[reportUnknownVariableType]
        if not isinstance(key, dict) or not PRIVATE.isdisjoint(key):  # pyright: ignore[reportUnknownArgumentType]
            raise KeysRefused("it must hold public keys alone")
        usable = _usable(key)  # pyright: ignore[reportUnknownArgumentType]
        if usable is not None:
            found.setdefault(usable.thumbprint(), usable)
    if not 0 < len(found) <= KEYS_MAX:
        raise KeysRefused(f"it must hold 1 to {KEYS_MAX} keys on P-256 for ES256 signatures")
    return tuple(found.values())


def _usable(key: dict[str, Any]) -> PublicKey | None:
    try:
        return PublicKey.model_validate({name: key[name] for name in _PUBLIC if name in key})
    except ValidationError:
        return None


async def renewed(desk: Desk, client: KnownClient) -> KnownClient | None:
    """The client with the keys, or the certificates it comes by, of its `jwks_uri` as they are now;
    None where nothing can be had.
    """
    address = client.settings.jwks_uri
    if address is None or not desk.documents.is_due(client.client_id, desk.now):
        return None
    caller = Caller(kind="system", subject=str(client.client_id), agency=client.agency)
    own = PeopleDesk(caller, desk.clock)
    try:
        document = await desk.documents.read(address)
        if client.settings.authentication == SELF_SIGNED:
            found = read_certificates(document)
            await renew_certificates(
                desk.session, own, client_id=client.client_id, thumbprints=found
            )
        else:
            keys = read_keys(document)
            await renew_keys(desk.session, own, client_id=client.client_id, keys=keys)
    except (DocumentRefused, KeysRefused, KeyEnded, KeysFull, CertificatesRefused) as error:
        log.info("keys of client %s were not renewed: %s", client.client_id, error)
        return None
    # What was just renewed begins later than the request did.
    return await usable_client(desk.session, client_id=client.client_id, at=desk.clock.now())

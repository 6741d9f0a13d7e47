"""Passkeys (WebAuthn): enrolling one, and signing in by one without typing a name.

Every challenge is used once, within minutes, by the browser it was made for. The site a passkey
belongs to (`rp_id`) is the host of the public address; a bare IP address cannot be one, so on
loopback it is `localhost`.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sebalai_shared.outbox import publish
from sebalai_shared.problems import Conflict, FieldInvalid
from sqlalchemy.ext.asyncio import AsyncSession
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from sebalai_identity.assurance import BOUND_PASSKEY, PASSKEY, VERIFIED_USER
from sebalai_identity.credentials import events, store
from sebalai_identity.credentials.keeper import Keeper, digest_of
from sebalai_identity.credentials.model import Passkey

NAME = "Sebalai"
CHALLENGE_BYTES = 32
CHALLENGE_LIFETIME = timedelta(minutes=5)
LABEL_MAX = 60
TRANSPORTS_MAX = 6
GET, CREATE = "get", "create"


class PasskeyRefused(FieldInvalid):
    slug, title = "passkey-refused", "This passkey proves nothing here"

    def __init__(self, detail: str) -> None:
        super().__init__("/credential", detail)


class PasskeysFull(Conflict):
    slug, title = "passkeys-full", "There are as many passkeys as one account may have"


@dataclass(frozen=True)
class Site:
    """What passkeys are bound to: our host, and the origins our pages stand at."""

    rp_id: str
    origins: tuple[str, ...]

    @classmethod
    def of(cls, public_url: str) -> "Site":
        parts = urlsplit(public_url)
        host = parts.hostname or ""
        if host not in ("127.0.0.1", "::1", "localhost"):
            return cls(host, (f"{parts.scheme}://{parts.netloc}",))
        port = f":{parts.port}" if parts.port else ""
        return cls("localhost", (f"{parts.scheme}://localhost{port}",))


@dataclass(frozen=True)
class PasskeyRead:
    """`reference`: its id in base64url, for pages. `is_bound`: cannot leave its device."""

    reference: str
    label: str
    is_bound: bool
    is_backed_up: bool
    created_at: datetime
    used_at: datetime | None


@dataclass(frozen=True)
class Proven:
    subject: UUID
    methods: tuple[str, ...]


async def _challenge(
    session: AsyncSession, keeper: Keeper, browser: str, purpose: str, subject: UUID | None
) -> bytes:
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    names: dict[str, Any] = {
        "digest": digest_of(bytes_to_base64url(challenge)),
        "browser": digest_of(browser),
        "purpose": purpose,
        "subject": subject,
        "until": keeper.clock.now() + CHALLENGE_LIFETIME,
    }
    await store.keep_challenge(session, names)
    return challenge


async def _answered(
    session: AsyncSession, keeper: Keeper, browser: str, credential: Any, subject: UUID | None
) -> bytes:
    """The challenge this answers, used up by it. Raises `PasskeyRefused`."""
    try:
        sent = parse_client_data_json(base64url_to_bytes(credential["response"]["clientDataJSON"]))
    except (KeyError, TypeError, ValueError, WebAuthnException) as error:
        raise PasskeyRefused("It is not a credential.") from error
    names: dict[str, Any] = {
        "digest": digest_of(bytes_to_base64url(sent.challenge)),
        "browser": digest_of(browser),
        "purpose": GET if subject is None else CREATE,
        "subject": subject,
        "at": keeper.clock.now(),
    }
    if not await store.take_challenge(session, names):
        raise PasskeyRefused("Its challenge is not ours, was answered before, or is too old.")
    return sent.challenge


async def begin_sign_in(
    session: AsyncSession, keeper: Keeper, *, site: Site, browser: str
) -> dict[str, Any]:
    """Options for `navigator.credentials.get`; they name nobody, so they tell of nobody."""
    challenge = await _challenge(session, keeper, browser, GET, None)
    options = generate_authentication_options(
        rp_id=site.rp_id,
        challenge=challenge,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return json.loads(options_to_json(options))


async def finish_sign_in(
    session: AsyncSession, keeper: Keeper, *, site: Site, browser: str, credential: Any
) -> Proven:
    """Whose passkey it was, user verified. Raises `PasskeyRefused`, the same for every reason that
    an attacker could learn from.
    """
    challenge = await _answered(session, keeper, browser, credential, None)
    row = await _named(session, credential)
    if row is None:
        raise PasskeyRefused("It is not known here, or was removed.")
    try:
        verified = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=list(site.origins),
            credential_public_key=row.public_key,
            credential_current_sign_count=row.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise PasskeyRefused("Its signature, origin or counter is not right.") from error
    row.sign_count, row.used_at = verified.new_sign_count, keeper.clock.now()
    row.is_backed_up = verified.credential_backed_up and not row.is_bound
    await session.flush()
    kind = BOUND_PASSKEY if row.is_bound else PASSKEY
    return Proven(row.subject, (kind, VERIFIED_USER))


async def _named(session: AsyncSession, credential: Any) -> Passkey | None:
    try:
        return await store.passkey(session, base64url_to_bytes(credential["id"]))
    except (KeyError, TypeError, ValueError) as error:
        raise PasskeyRefused("It is not a credential.") from error


async def begin_enrolment(
    session: AsyncSession, keeper: Keeper, *, site: Site, browser: str, subject: UUID, login: str
) -> dict[str, Any]:
    """Options for `navigator.credentials.create`; passkeys already there are named, so that a
    device does not get a second. Raises `PasskeysFull`.
    """
    present = await store.passkeys_of(session, subject)
    _require_room(present)
    challenge = await _challenge(session, keeper, browser, CREATE, subject)
    options = generate_registration_options(
        rp_id=site.rp_id,
        rp_name=NAME,
        user_id=subject.bytes,
        user_name=login,
        challenge=challenge,
        attestation=AttestationConveyancePreference.NONE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=row.id) for row in present],
    )
    return json.loads(options_to_json(options))


def _require_room(present: Sequence[Passkey]) -> None:
    if len(present) >= store.PASSKEYS_MAX:
        raise PasskeysFull(f"At most {store.PASSKEYS_MAX}; remove one first.")


@dataclass(frozen=True)
class Enrolment:
    """What a browser answered; `label` is how its person will tell it from others."""

    subject: UUID
    credential: Any
    label: str


async def finish_enrolment(
    session: AsyncSession, keeper: Keeper, *, site: Site, browser: str, made: Enrolment
) -> PasskeyRead:
    """Raises `PasskeyRefused`, also when somebody else has this very passkey, and `PasskeysFull`:
    several enrolments may have begun while there was room for one.
    """
    challenge = await _answered(session, keeper, browser, made.credential, made.subject)
    try:
        verified = verify_registration_response(
            credential=made.credential,
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=list(site.origins),
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise PasskeyRefused("It was not made for this page.") from error
    if await store.passkey(session, verified.credential_id) is not None:
        raise PasskeyRefused("It is enrolled already.")
    _require_room(await store.passkeys_of(session, made.subject))
    is_synced = verified.credential_device_type == CredentialDeviceType.MULTI_DEVICE
    row = Passkey(
        id=verified.credential_id,
        subject=made.subject,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        transports=_transports(made.credential),
        aaguid=UUID(verified.aaguid),
        # Only a maker's attestation would prove it, and none is asked for: level 3 is not given.
        is_bound=False,
        is_backed_up=is_synced and verified.credential_backed_up,
        label=_label(made.label),
        created_at=keeper.clock.now(),
    )
    session.add(row)
    await session.flush()
    await publish(session, events.added(row.subject, "passkey", row.created_at))
    return _read(row)


def _label(typed: str) -> str:
    """One line that can be shown and kept, whatever was sent."""
    shown = "".join(sign for sign in " ".join(typed.split()) if sign.isprintable())
    return shown[:LABEL_MAX] or NAME


def _transports(credential: Any) -> list[str]:
    sent: Any = credential["response"].get("transports") or []
    listed: list[Any] = sent[:TRANSPORTS_MAX] if isinstance(sent, list) else []
    return [one[:20] for one in listed if isinstance(one, str) and one.isprintable()]


async def list_passkeys(session: AsyncSession, *, subject: UUID) -> list[PasskeyRead]:
    return [_read(row) for row in await store.passkeys_of(session, subject)]


async def remove_passkey(
    session: AsyncSession, keeper: Keeper, *, subject: UUID, reference: str
) -> bool:
    """False when this person has no such passkey."""
    try:
        credential_id = base64url_to_bytes(reference)
    except ValueError:
        return False
    if not await store.drop_passkey(session, subject, credential_id):
        return False
    await publish(session, events.removed(subject, "passkey", keeper.clock.now()))
    return True


def _read(row: Passkey) -> PasskeyRead:
    return PasskeyRead(
        reference=bytes_to_base64url(row.id),
        label=row.label,
        is_bound=row.is_bound,
        is_backed_up=row.is_backed_up,
        created_at=row.created_at,
        used_at=row.used_at,
    )


def read_credential(body: bytes) -> dict[str, Any]:
    """The JSON object a browser's script sends. Raises `PasskeyRefused`."""
    try:
        sent: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise PasskeyRefused("It is not JSON.") from error
    if not isinstance(sent, dict):
        raise PasskeyRefused("It is not a credential.")
    return sent  # pyright: ignore[reportUnknownVariableType]

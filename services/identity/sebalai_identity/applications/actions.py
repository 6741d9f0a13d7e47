"""Decisions about applications: register, add a key, suspend, resume, find for the token endpoint.

Each is an act of the audit trail and a fact, with who did it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, get_args
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Conflict, FieldInvalid, Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.acts.actions import tell
from sebalai_identity.agencies.actions import require_in_force
from sebalai_identity.applications import access, events, store
from sebalai_identity.applications.certificates import CertificateSubject
from sebalai_identity.applications.clients import (
    CERTIFICATES_MAX,
    URIS_MAX,
    ClientSettings,
    RedirectUri,
    ShownName,
    WebUri,
    printable,
)
from sebalai_identity.applications.keys import (
    KeyEnded,
    KeysFull,
    SigningKeys,
    keep_key,
    set_keys,
    signing_keys,
    told_of_key,
)
from sebalai_identity.applications.model import ACTIVE, ENDED, SUSPENDED, Application
from sebalai_identity.applications.schema import (
    BASIC_SCOPE,
    SENSITIVE_SCOPES,
    ApplicationRegister,
    ClientRegister,
    PublicKey,
    Scope,
)
from sebalai_identity.desk import Desk
from sebalai_identity.grants.actions import end_application_tokens
from sebalai_identity.names import identifier_of

SETTINGS_CACHED = 1_000
ALL_SCOPES: tuple[str, ...] = get_args(Scope)

__all__ = [
    "BASIC_SCOPE",
    "CERTIFICATES_MAX",
    "SENSITIVE_SCOPES",
    "URIS_MAX",
    "ApplicationRegister",
    "CertificateSubject",
    "ClientRegister",
    "ClientSettings",
    "KeyEnded",
    "KeysFull",
    "PublicKey",
    "RedirectUri",
    "ShownName",
    "SigningKeys",
    "WebUri",
    "printable",
    "signing_keys",
]


class OperatorOnly(Forbidden):
    slug, title = "operator-only", "Only the operator of the platform may do this"


class ApplicationUnknown(NotFound):
    slug, title = "application-unknown", "There is no such application, or it is not yours to see"


class TwoMustAgree(Forbidden):
    slug, title = "two-must-agree", "One person alone may not give these scopes"


class NameTaken(Conflict):
    slug, title = "application-name-taken", "Another application of the agency bears this name"


class ApplicationEnded(Conflict):
    slug, title = "application-ended", "The application has ended and stays so"


@dataclass(frozen=True)
class Authority:
    """Who registers and when; the command line on the platform's own machine is the operator.

    `is_agreed`: two have agreed, or a fresh platform has nobody yet who could.
    """

    caller: Caller
    clock: Clock
    instance: str
    is_agreed: bool = False

    @property
    def desk(self) -> Desk:
        return Desk(self.caller, self.clock)


async def register_application(
    session: AsyncSession,
    authority: Authority,
    *,
    wanted: ApplicationRegister,
    client_id: UUID | None = None,
) -> Application:
    """Makes the application, or adds the key of a known one and sets what else is given.
    `client_id` is one it was told before (RFC 7591).

    Raises `OperatorOnly`, `TwoMustAgree`, `AgencyUnknown`, `FieldInvalid`, `KeysFull`, `KeyEnded`.
    """
    _require_operator(authority.caller)
    now = authority.clock.now()
    for name in ("valid_until", "key_valid_until"):
        until = getattr(wanted, name)
        if until is not None and until <= now:
            raise FieldInvalid(f"/{name}", "Name a time that is still to come.")
    await require_in_force(session, slug=wanted.agency, on=now.date())
    identifier = identifier_of(authority.instance, wanted.agency, wanted.name)
    application = await store.lock_by_identifier(session, identifier)
    if not authority.is_agreed:
        await _require_everyday(session, application, wanted)
    if application is None:
        application = _new(wanted, identifier, now)
        application.client_id = client_id or application.client_id
        session.add(application)
        await session.flush()
        await _told(session, authority.desk, application, events.REGISTERED)
        await keep_key(session, application, wanted, now)
        return application
    await _change(session, authority.desk, application, wanted)
    key = await keep_key(session, application, wanted, now)
    if key is not None:
        await told_of_key(session, authority.desk, application, key)
    return application


async def _told(session: AsyncSession, desk: Desk, application: Application, kind: str) -> None:
    data = events.data_of(application)
    await tell(session, desk, kind=kind, subject=application.identifier, data=data)


def _require_operator(caller: Caller) -> None:
    if not access.may_operate(caller):
        raise OperatorOnly("Ask the operator of the platform; it needs scope platform.operate.")


async def _require_everyday(
    session: AsyncSession, application: Application | None, wanted: ApplicationRegister
) -> None:
    """What one operator does alone: anything but to give or widen the hold of sensitive scopes.

    A new key of such an application would be another holder of them. Taking them away, and naming
    the end of a key it has, need nobody else. Raises `TwoMustAgree`.
    """
    scopes = _scopes(wanted)
    if application is not None and "scopes" not in wanted.model_fields_set:
        scopes = application.scopes
    if not access.needs_two(scopes):
        return
    if application is not None and await _ends_a_key_alone(session, application, wanted):
        return
    raise TwoMustAgree("Ask under /v1/client-requests; somebody else decides there.")


async def _ends_a_key_alone(
    session: AsyncSession, application: Application, wanted: ApplicationRegister
) -> bool:
    if wanted.public_key is None or wanted.key_valid_until is None:
        return False
    is_more = wanted.model_fields_set - {"agency", "name", "public_key", "key_valid_until"}
    known = {key.thumbprint: key for key in await store.keys_of(session, application.id)}
    key = known.get(wanted.public_key.thumbprint())
    if is_more or key is None:
        return False
    return key.valid_until is None or wanted.key_valid_until <= key.valid_until


async def _change(
    session: AsyncSession, desk: Desk, application: Application, wanted: ApplicationRegister
) -> None:
    """Sets the scopes and the end that are given; what is left out stays as it is."""
    given = wanted.model_fields_set
    scopes = _scopes(wanted) if "scopes" in given else application.scopes
    until = wanted.valid_until if "valid_until" in given else application.valid_until
    client = application.client
    if "client" in given:
        _require_own_hand(application, wanted)
        client = wanted.client.model_dump(mode="json")
    are_scopes_new = scopes != application.scopes
    if are_scopes_new or until != application.valid_until or client != application.client:
        application.scopes, application.valid_until = scopes, until
        application.client = client
        application.changed_at = desk.now
    if are_scopes_new:
        await _told(session, desk, application, events.CHANGED)


def _require_own_hand(application: Application, wanted: ApplicationRegister) -> None:
    """What a client registered itself it also changes itself, or what it is told were untrue."""
    if application.client.get("grants") is not None and not wanted.is_registration:
        raise FieldInvalid("/client", "The client registered itself; it changes there (RFC 7592).")


def _scopes(wanted: ApplicationRegister) -> list[str]:
    return sorted(wanted.scopes | {BASIC_SCOPE})


def _new(wanted: ApplicationRegister, identifier: str, now: datetime) -> Application:
    return Application(
        id=uuid7(),
        client_id=uuid7(),
        agency=wanted.agency,
        name=wanted.name,
        identifier=identifier,
        scopes=_scopes(wanted),
        state=ACTIVE,
        valid_until=wanted.valid_until,
        client=wanted.client.model_dump(mode="json"),
        registered_at=now,
        changed_at=now,
    )


async def suspend_application(
    session: AsyncSession, desk: Desk, *, application_id: UUID, reason: str
) -> Application:
    """No token any more; those given out end within 2 s, refresh tokens for good.

    Raises `ApplicationUnknown`, `OperatorOnly`, `ApplicationEnded`.
    """
    application = await _operated(session, desk.caller, application_id)
    _require_not_ended(application)
    if application.state != SUSPENDED:
        application.state, application.reason = SUSPENDED, reason
        application.changed_at = desk.now
        await session.flush()
        await end_application_tokens(
            session, desk.clock, client_id=application.client_id, reason="application suspended"
        )
        await _told(session, desk, application, events.SUSPENDED)
    return application


async def register_client(
    session: AsyncSession,
    authority: Authority,
    *,
    client_id: UUID,
    wanted: ClientRegister,
    keys: Sequence[PublicKey],
) -> Application:
    """A client that registered itself, as two have agreed or as it may change alone. Where it holds
    less than before, the tokens it was given end.

    Raises `NameTaken`, `KeyEnded`, `KeysFull`, and what `register_application` raises.
    """
    before = await _powers(session, client_id)
    application = await register_application(session, authority, wanted=wanted, client_id=client_id)
    if application.client_id != client_id:
        raise NameTaken("Refuse it; the client registers once more and gets another name.")
    if keys:
        await set_keys(session, authority.desk, application, keys)
    if not before <= _powers_of(application):
        await session.flush()
        await end_application_tokens(
            session, authority.clock, client_id=client_id, reason="registration narrowed"
        )
    return application


async def _powers(session: AsyncSession, client_id: UUID) -> frozenset[str]:
    application = await store.find_by_client_id(session, client_id)
    return frozenset() if application is None else _powers_of(application)


def _powers_of(application: Application) -> frozenset[str]:
    """Its scopes and, of one that registered itself, its grants."""
    return frozenset(application.scopes) | frozenset(application.client.get("grants") or ())


async def shown_client(session: AsyncSession, *, client_id: UUID) -> ClientSettings:
    """What people may be shown of an application; bare settings for one that is not known."""
    application = await store.find_by_client_id(session, client_id)
    return ClientSettings.model_validate(application.client if application is not None else {})


async def granted_scopes(session: AsyncSession, *, client_id: UUID) -> frozenset[str]:
    """What an application holds, whatever its state; nothing where there is none."""
    application = await store.find_by_client_id(session, client_id)
    return frozenset(application.scopes) if application is not None else frozenset()


async def renew_keys(
    session: AsyncSession, desk: Desk, *, client_id: UUID, keys: Sequence[PublicKey]
) -> None:
    """Those found anew at the client's `jwks_uri`. Raises `KeyEnded`, `KeysFull`."""
    application = await store.lock_by_client_id(session, client_id)
    if application is not None and application.state == ACTIVE:
        await set_keys(session, desk, application, keys)


async def renew_certificates(
    session: AsyncSession, desk: Desk, *, client_id: UUID, thumbprints: Sequence[str]
) -> None:
    """Those found anew at the client's `jwks_uri`; others open nothing now."""
    application = await store.lock_by_client_id(session, client_id)
    known = {"certificate_thumbprints": list(thumbprints)}
    if (
        application is None
        or application.state != ACTIVE
        or known.items() <= application.client.items()
    ):
        return
    application.client, application.changed_at = application.client | known, desk.now
    await session.flush()
    await _told(session, desk, application, events.CHANGED)


async def end_application(
    session: AsyncSession, desk: Desk, *, client_id: UUID, reason: str
) -> Application | None:
    """For good: no token any more, those given out end within 2 s, and nobody resumes it."""
    application = await store.lock_by_client_id(session, client_id)
    if application is None or application.state == ENDED:
        return application
    application.state, application.reason = ENDED, reason
    application.changed_at = desk.now
    await session.flush()
    await end_application_tokens(
        session, desk.clock, client_id=client_id, reason="application ended"
    )
    await _told(session, desk, application, events.ENDED)
    return application


async def resume_application(
    session: AsyncSession, desk: Desk, *, application_id: UUID
) -> Application:
    """Back to what it was before it was suspended, except for its tokens: its people sign in anew.

    Raises `ApplicationUnknown`, `OperatorOnly`, `ApplicationEnded`.
    """
    application = await _operated(session, desk.caller, application_id)
    _require_not_ended(application)
    if application.state != ACTIVE:
        application.state, application.reason = ACTIVE, None
        application.changed_at = desk.now
        await session.flush()
        await _told(session, desk, application, events.RESUMED)
    return application


def _require_not_ended(application: Application) -> None:
    if application.state == ENDED:
        raise ApplicationEnded("Its client took it back; register another.")


async def _operated(session: AsyncSession, caller: Caller, application_id: UUID) -> Application:
    """One that the caller sees, locked, for the operator alone."""
    application = await store.lock(session, caller, application_id)
    if application is None:
        raise ApplicationUnknown("Look it up under /v1/applications.")
    _require_operator(caller)
    return application


async def list_applications(
    session: AsyncSession, *, caller: Caller, after: str | None, limit: int
) -> Sequence[Application]:
    return await store.page(session, caller, after, limit)


@dataclass(frozen=True)
class TrustedKey:
    names: frozenset[str]
    jwk: dict[str, Any]


@dataclass(frozen=True)
class KnownClient:
    """What the token endpoint needs of an application that may call now."""

    client_id: UUID
    agency: str
    application: str
    scopes: frozenset[str]
    valid_until: datetime | None
    keys: tuple[TrustedKey, ...]
    name: str = ""
    settings: ClientSettings = field(default_factory=ClientSettings)


async def usable_client(
    session: AsyncSession, *, client_id: UUID, at: datetime
) -> KnownClient | None:
    """None for an unknown, suspended or ended application alike."""
    row = await store.usable(session, client_id, at)
    if row is None:
        return None
    return KnownClient(
        client_id=client_id,
        agency=row.agency,
        application=row.identifier,
        scopes=frozenset(row.scopes),
        valid_until=row.valid_until,
        keys=tuple(
            TrustedKey(frozenset({kid, thumbprint}), jwk) for kid, thumbprint, jwk in row.jwks
        ),
        name=row.name,
        settings=_settings(row.client),
    )


@lru_cache(maxsize=SETTINGS_CACHED)
def _settings(document: str) -> ClientSettings:
    """Frozen, so one object serves all who read the same text."""
    return ClientSettings.model_validate_json(document)


async def names_of(session: AsyncSession, *, client_ids: Sequence[UUID]) -> dict[UUID, str]:
    """What people call these applications; those no longer known are left out."""
    return await store.names_of(session, client_ids)

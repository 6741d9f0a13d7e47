"""How somebody gets a first credential, or a new one after losing all: a code used once, made by
somebody who knows the person, good for a limited time. Also for outsiders an agency sponsors.
"""

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.outbox import publish
from sebalai_shared.problems import FieldInvalid, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.applications.actions import usable_client
from sebalai_identity.credentials import events, store
from sebalai_identity.credentials.keeper import Keeper, digest_of
from sebalai_identity.credentials.model import Invitation
from sebalai_identity.credentials.passwords import LoginInvalid, login_of, require_strong
from sebalai_identity.desk import OPERATOR, Desk
from sebalai_identity.duties import SYSTEM
from sebalai_identity.roles.actions import rest_sensitive

CODE_BYTES = 15
GROUP = 4
LIFETIME = timedelta(hours=72)
LIFETIME_MAX = timedelta(days=14)


class InvitationUnknown(NotFound):
    slug, title = "invitation-unknown", "This invitation was used, has ended, or never was"


@dataclass(frozen=True)
class Terms:
    """`sponsor`: slug of the agency that answers for an outsider. `forgets`: whoever uses it has
    lost their passkeys and second factors, so these go; a keeper has seen the person.
    """

    sponsor: str | None = None
    lifetime: timedelta = LIFETIME
    forgets: bool = False


@dataclass(frozen=True)
class Invited:
    """The code is told to the issuer this once; it goes to the person by a way they trust."""

    code: str
    expires_at: datetime


async def invite(
    session: AsyncSession,
    keeper: Keeper,
    *,
    subject: UUID,
    issued_by: str,
    terms: Terms | None = None,
) -> Invited:
    """Earlier unused invitations of the person end. Who calls it has decided who may.

    Raises `FieldInvalid`: a lifetime that is none, or over LIFETIME_MAX.
    """
    terms = terms or Terms()
    if not timedelta(0) < terms.lifetime <= LIFETIME_MAX:
        raise FieldInvalid("/hours", f"More than none, at most {LIFETIME_MAX.days} days.")
    now, code = keeper.clock.now(), base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode()
    row = Invitation(
        digest=digest_of(code),
        subject=subject,
        sponsor=terms.sponsor,
        forgets=terms.forgets,
        issued_by=issued_by,
        issued_at=now,
        expires_at=now + terms.lifetime,
    )
    await store.keep_invitation(session, row)
    grouped = "-".join(code[at : at + GROUP] for at in range(0, len(code), GROUP))
    return Invited(grouped, row.expires_at)


async def accept(
    session: AsyncSession, keeper: Keeper, *, code: str, login: str, password: str
) -> UUID:
    """The person's account gets this name and password; the code has been used.

    A wrong name or password leaves the code unused. Raises `InvitationUnknown`, `LoginInvalid`,
    `PasswordWeak`, `PasswordsBusy`.
    """
    now = keeper.clock.now()
    digest = digest_of("".join(code.split()).replace("-", "").upper())
    row = await store.invitation(session, digest, now)
    if row is None:
        raise InvitationUnknown("Ask whoever invited you for a new one.")
    await _rest_roles(session, keeper, row)
    name = login_of(login)
    stored = await require_strong(keeper, password, [name])
    if not await store.keep_account(session, row.subject, name, row.sponsor, now):
        raise LoginInvalid("/login", "Somebody signs in by this name already.")
    await store.keep_hash(session, row.subject, stored, now)
    await publish(session, events.added(row.subject, "password", now))
    if row.forgets:
        await _forget(session, row.subject, now)
    row.used_at = now
    await session.flush()
    return row.subject


async def _rest_roles(session: AsyncSession, keeper: Keeper, row: Invitation) -> None:
    """Whoever invited somebody may be who comes, also the first time, because a role may be granted
    before: no keeper gets the powers of another alone. What is granted later is granted to who
    came. The platform's own machine is no keeper, and may be the last who can let anybody in.
    """
    if row.issued_by == OPERATOR.subject:
        return
    issuer = await _issuer(session, keeper, row.issued_by)
    await rest_sensitive(session, Desk(issuer, keeper.clock), person_id=row.subject)


async def _issuer(session: AsyncSession, keeper: Keeper, actor: str) -> Caller:
    """A system with its agency, whose other systems are the same hand (`duties`); else a person."""
    try:
        client = await usable_client(session, client_id=UUID(actor), at=keeper.clock.now())
    except ValueError:
        client = None
    if client is None:
        return Caller(kind="civil_servant", subject=actor)
    return Caller(kind=SYSTEM, subject=actor, agency=client.agency)


async def _forget(session: AsyncSession, subject: UUID, at: datetime) -> None:
    await store.drop_seed(session, subject)
    await store.drop_codes(session, subject)
    await store.drop_passkeys(session, subject)
    await publish(session, events.removed(subject, "all", at))

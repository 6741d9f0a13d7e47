"""Decisions about outside providers: asked for by one keeper, enabled by another, disabled by any.

For other slices: `enabled_providers`, and what `linking` and `relying` offer.
Does not own the pages: see `outside_sign_in`.
"""

from collections.abc import Sequence
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Conflict, FieldInvalid, Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.acts.actions import tell
from sebalai_identity.assurance import vouched_by
from sebalai_identity.desk import Desk
from sebalai_identity.duties import system_of
from sebalai_identity.outside_providers import access, events, store
from sebalai_identity.outside_providers.far import far_of
from sebalai_identity.outside_providers.faults import (
    AttemptUnknown,
    ProviderAway,
    ProviderDeclined,
    ProviderDistrusted,
)
from sebalai_identity.outside_providers.keys import KeyFolder, KeyMissing
from sebalai_identity.outside_providers.linking import (
    IdentityOfAnother,
    IdentityUnknown,
    ProofGone,
    ProviderLinked,
    begin,
    forget,
    identities_of,
    link,
    must_prove_again,
    note_sign_in,
    person_of,
    remember,
    take,
    unlink,
    waiting,
)
from sebalai_identity.outside_providers.model import (
    ATTEMPTS,
    DISABLED,
    ENABLED,
    PROOFS,
    REFUSED,
    REPLACED,
    REQUESTED,
    OutsideProvider,
)
from sebalai_identity.outside_providers.provider import OutsideProviders
from sebalai_identity.outside_providers.relying import Answer, Asking, read_answer
from sebalai_identity.outside_providers.schema import (
    Attempt,
    LinkedIdentity,
    Proof,
    Proven,
    Provider,
    ProviderAsk,
    ProviderSettings,
)
from sebalai_identity.rows import insert_once
from sebalai_identity.sessions import actions as sessions

ROUNDS = (ATTEMPTS, PROOFS)

__all__ = [
    "Answer",
    "Asking",
    "Attempt",
    "AttemptUnknown",
    "IdentityOfAnother",
    "IdentityUnknown",
    "KeyFolder",
    "KeyMissing",
    "LinkedIdentity",
    "OutsideProviders",
    "Proof",
    "ProofGone",
    "Proven",
    "Provider",
    "ProviderAway",
    "ProviderDeclined",
    "ProviderDistrusted",
    "ProviderLinked",
    "begin",
    "far_of",
    "forget",
    "identities_of",
    "link",
    "must_prove_again",
    "note_sign_in",
    "person_of",
    "read_answer",
    "remember",
    "take",
    "unlink",
    "waiting",
]


class KeepersOnly(Forbidden):
    slug, title = "outside-provider-keepers-only", "Only the keepers of clients may do this"


class OwnProvider(Forbidden):
    slug, title = "own-outside-provider", "Another person than you must decide on it"


class ProviderUnknown(NotFound):
    slug, title = "outside-provider-unknown", "There is no such provider, or it is not yours to see"


class ProviderDecided(Conflict):
    slug, title = "outside-provider-decided", "It was decided already"


class ProviderWaits(Conflict):
    slug, title = "outside-provider-waits", "A request for this slug waits for a decision"


class ProvidersFull(Conflict):
    slug, title = "outside-providers-full", "No more providers can be enabled"


async def ask_provider(
    session: AsyncSession, desk: Desk, *, keys: KeyFolder, wanted: ProviderAsk
) -> OutsideProvider:
    """Raises `KeepersOnly`, `FieldInvalid`, `ProviderWaits`."""
    _require_keeper(desk.caller)
    if "openid" not in wanted.scopes:
        raise FieldInvalid("/scopes", "openid belongs to them: without it there is no ID token.")
    try:
        keys.load(wanted.key_file)
    except KeyMissing as error:
        raise FieldInvalid("/key_file", error.detail) from None
    row = OutsideProvider(
        id=uuid7(),
        slug=wanted.slug,
        issuer=wanted.issuer,
        settings=wanted.model_dump(mode="json", exclude={"slug"}),
        state=REQUESTED,
        asked_by=desk.actor,
        asked_by_system_of=system_of(desk.caller),
        requested_at=desk.now,
    )
    await insert_once(session, row, ProviderWaits("Wait for its decision."))
    await _told(session, desk, row, events.REQUESTED)
    return row


def _require_keeper(caller: Caller) -> None:
    if not access.may_keep(caller):
        raise KeepersOnly("It needs scope identity.clients.")


async def _told(session: AsyncSession, desk: Desk, row: OutsideProvider, kind: str) -> None:
    data: dict[str, object] = {
        "provider_id": str(row.id),
        "provider": row.slug,
        "asked_by": row.asked_by,
    }
    await tell(session, desk, kind=kind, subject=str(row.id), data=data)


async def _locked(session: AsyncSession, desk: Desk, provider_id: UUID) -> OutsideProvider:
    _require_keeper(desk.caller)
    row = await store.lock(session, desk.caller, provider_id)
    if row is None:
        raise ProviderUnknown("Look it up under /v1/outside-providers.")
    return row


async def decide_provider(
    session: AsyncSession, desk: Desk, *, provider_id: UUID, is_approved: bool, reason: str
) -> OutsideProvider:
    """Approved it is enabled, and takes the place of what its slug was before.

    Raises `KeepersOnly`, `OwnProvider`, `ProviderUnknown`, `ProviderDecided`, `ProvidersFull`.
    """
    row = await _locked(session, desk, provider_id)
    if row.state != REQUESTED:
        raise ProviderDecided(f"It is {row.state}.")
    decision = access.deciding(desk.caller, row)
    if not decision.is_allowed:
        raise OwnProvider(
            "Who asks for it does not approve it, nor a system of its agency.", rule=decision.rule
        )
    if is_approved:
        await _make_room(session, row)
    await _decided(session, desk, row, ENABLED if is_approved else REFUSED, reason)
    await _told(session, desk, row, events.ENABLED if is_approved else events.REFUSED)
    return row


async def _make_room(session: AsyncSession, row: OutsideProvider) -> None:
    await store.retire(session, row.slug, REPLACED)
    standing = await store.enabled(session)
    if len(standing) >= store.ENABLED_MAX or row.issuer in [one.issuer for one in standing]:
        raise ProvidersFull(f"At most {store.ENABLED_MAX}, and one of an issuer: disable one.")


async def _decided(
    session: AsyncSession, desk: Desk, row: OutsideProvider, state: str, reason: str
) -> None:
    row.state, row.reason, row.decided_by, row.decided_at = state, reason, desk.actor, desk.now
    await session.flush()


async def disable_provider(
    session: AsyncSession, desk: Desk, *, provider_id: UUID, reason: str
) -> OutsideProvider:
    """One alone may: it closes a way in. Links stay for the day it is enabled again; who came by it
    is signed out, ENDED_AT_ONCE now and the rest by the worker.

    Raises `KeepersOnly`, `ProviderUnknown`, `ProviderDecided`.
    """
    row = await _locked(session, desk, provider_id)
    if row.state != ENABLED:
        raise ProviderDecided(f"It is {row.state}.")
    row.state, row.reason = DISABLED, reason
    await session.flush()
    await _told(session, desk, row, events.DISABLED)
    await sessions.end_of_method(session, desk.clock, method=vouched_by(row.slug))
    return row


async def end_disabled(session: AsyncSession, clock: Clock) -> None:
    """Timed: sessions that came by providers which are no longer enabled."""
    for slug in await store.closed_slugs(session):
        await sessions.end_of_method(session, clock, method=vouched_by(slug))


async def list_providers(
    session: AsyncSession, *, caller: Caller, state: str | None, after: UUID | None, limit: int
) -> Sequence[OutsideProvider]:
    """Raises `KeepersOnly`."""
    _require_keeper(caller)
    return await store.page(session, caller, state, after, limit)


def _provider(row: OutsideProvider) -> Provider:
    return Provider(row.id, row.slug, ProviderSettings.model_validate(row.settings))


async def enabled_providers(session: AsyncSession) -> list[Provider]:
    """At most store.ENABLED_MAX."""
    return [_provider(row) for row in await store.enabled(session)]


async def require_enabled(session: AsyncSession, *, slug: str) -> Provider:
    """Raises `ProviderUnknown`."""
    for row in await store.enabled(session, slug):
        return _provider(row)
    raise ProviderUnknown("Choose one of those on the sign-in page.")


async def provider_of(session: AsyncSession, *, proof: Proof) -> Provider:
    """Raises `ProviderUnknown`: it was disabled or changed meanwhile."""
    for row in await store.enabled(session):
        if row.id == proof.provider_id:
            return _provider(row)
    raise ProviderUnknown("Begin again on the sign-in page.")

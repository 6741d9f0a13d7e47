"""Sign-ins under way, and whose an outside identity is: linked by its person alone, never guessed.

`state`, `nonce` and the PKCE verifier come out of one secret that only the browser and the provider
know; here lies its SHA-256, bound to that browser, good once.
"""

import secrets
from uuid import UUID

from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Conflict, Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.acts.actions import note, tell
from sebalai_identity.credentials.actions import Keeper
from sebalai_identity.desk import Desk
from sebalai_identity.outside_providers import access, events, relying, store
from sebalai_identity.outside_providers.faults import AttemptUnknown
from sebalai_identity.outside_providers.model import LIFETIME, OutsideIdentity
from sebalai_identity.outside_providers.relying import Asking
from sebalai_identity.outside_providers.schema import (
    Attempt,
    LinkedIdentity,
    Proof,
    Proven,
    Provider,
)
from sebalai_identity.persons.actions import find_by_nik, nik_of
from sebalai_identity.rows import insert_once
from sebalai_identity.sessions import actions as sessions

STATE_BYTES = 32
STATE_LENGTH = 43
SUBJECT = "outside-subject"
METHOD = "outside"


class IdentityOfAnother(Forbidden):
    slug, title = "outside-identity-of-another", "This identity belongs to another person"


class ProviderLinked(Conflict):
    slug, title = "outside-provider-linked", "This person has another identity of that provider"


class IdentityUnknown(NotFound):
    slug, title = "outside-identity-unknown", "There is no such identity, or it is not yours"


class ProofGone(NotFound):
    slug, title = "outside-proof-gone", "There is no identity that waits to be linked"


def _asking(keeper: Keeper, state: str, max_age: int) -> Asking:
    made = (keeper.secrets.index(f"outside {what}", state) for what in ("nonce", "verifier"))
    nonce, verifier = (relying.text_of(one) for one in made)
    return Asking(state, nonce, verifier, max_age)


async def begin(session: AsyncSession, keeper: Keeper, *, attempt: Attempt, browser: str) -> Asking:
    """`browser` is the value of the browser's cookie: no other one can bring the answer."""
    state = secrets.token_urlsafe(STATE_BYTES)
    place = f"{attempt.language}:{attempt.interaction_id or ''}"
    await store.open_attempt(
        session,
        {
            "digest": store.digest_of(state),
            "browser": store.digest_of(browser),
            "provider_id": attempt.provider_id,
            "person_id": attempt.person_id,
            "interaction": keeper.secrets.seal(place.encode(), _place(state)),
            "max_age": attempt.max_age,
            "expires_at": keeper.clock.now() + LIFETIME,
        },
    )
    return _asking(keeper, state, attempt.max_age)


def _place(state: str) -> str:
    return f"outside_attempt.interaction:{store.digest_of(state).hex()}"


async def take(
    session: AsyncSession, keeper: Keeper, *, provider_id: UUID, browser: str, state: str
) -> tuple[Attempt, Asking]:
    """Once. Raises `AttemptUnknown`: used, too old, or of another browser or provider."""
    row = None
    if len(state) == STATE_LENGTH and state.isascii():
        row = await store.take_attempt(session, state, browser, provider_id, keeper.clock.now())
    if row is None:
        raise AttemptUnknown("Begin again on the sign-in page.")
    opened = keeper.secrets.open(row.interaction, _place(state)).decode()
    language, _, interaction = opened.partition(":")
    attempt = Attempt(provider_id, row.person_id, interaction or None, row.max_age, language)
    return attempt, _asking(keeper, state, row.max_age)


def index_of(desk: Desk, provider: Provider, proven: Proven) -> bytes:
    """Raises `NoSealingKey`."""
    return desk.numbers.index(SUBJECT, f"{provider.issuer}\x00{proven.subject}")


async def person_of(
    session: AsyncSession, desk: Desk, *, provider: Provider, proven: Proven
) -> UUID | None:
    """Who linked this identity. Raises `IdentityOfAnother`: it now tells somebody else's NIK."""
    index = index_of(desk, provider, proven)
    row = await store.identity_of(session, provider.issuer, index)
    if row is None:
        return None
    told = await _proof(session, desk, provider, proven, row.person_id)
    if not await _may_become(session, desk, told, row.person_id):
        raise IdentityOfAnother("Its number is not that of the person who linked it.")
    row.used_at = desk.now
    await session.flush()
    return row.person_id


async def note_sign_in(session: AsyncSession, desk: Desk, *, person_id: UUID) -> None:
    await note(session, desk, act=events.SIGNED_IN, subject=str(person_id))


async def _proof(
    session: AsyncSession, desk: Desk, provider: Provider, proven: Proven, person_id: UUID | None
) -> Proof:
    same = None if proven.nik is None else await find_by_nik(session, desk, nik=proven.nik)
    return Proof(
        provider_id=provider.id,
        issuer=provider.issuer,
        subject_index=index_of(desk, provider, proven),
        has_nik=proven.nik is not None,
        nik_person=same.id if same is not None else None,
        person_id=person_id,
    )


async def remember(
    session: AsyncSession, desk: Desk, *, provider: Provider, proven: Proven, person_id: UUID | None
) -> str:
    """What was proven waits LIFETIME for its person, under a secret for this browser alone."""
    token = secrets.token_urlsafe(STATE_BYTES)
    proof = await _proof(session, desk, provider, proven, person_id)
    await store.keep_proof(session, token, proof, desk.now + LIFETIME)
    return token


async def waiting(session: AsyncSession, desk: Desk, *, token: str | None) -> Proof | None:
    if token is None or len(token) != STATE_LENGTH:
        return None
    return await store.proof(session, token, desk.now)


async def forget(session: AsyncSession, desk: Desk, *, token: str | None) -> None:
    """The person does not want it linked, or is signed out: nobody after them gets it."""
    await store.proof(session, token or "", desk.now, takes=True)


async def _may_become(session: AsyncSession, desk: Desk, proof: Proof, person_id: UUID) -> bool:
    has_own = await nik_of(session, desk, person_id=person_id) is not None
    return access.may_become(proof, person_id, has_own_nik=has_own)


async def must_prove_again(
    session: AsyncSession, desk: Desk, *, proof: Proof, person_id: UUID
) -> bool:
    has_own = await nik_of(session, desk, person_id=person_id) is not None
    return access.must_prove_again(proof, person_id, has_own_nik=has_own)


async def link(session: AsyncSession, desk: Desk, *, token: str | None, person_id: UUID) -> None:
    """To the person who is signed in and has proven both.

    Raises `ProofGone`, `IdentityOfAnother`, `ProviderLinked`.
    """
    proof = await store.proof(session, token or "", desk.now, takes=True)
    if proof is None:
        raise ProofGone("Begin again.")
    if not await _may_become(session, desk, proof, person_id):
        raise IdentityOfAnother("Sign in as the person the identity belongs to.")
    held = await store.identity_of(session, proof.issuer, proof.subject_index)
    if held is not None and held.person_id != person_id:
        raise IdentityOfAnother("It was linked by another person.")
    if held is not None:
        return
    row = OutsideIdentity(
        id=uuid7(),
        issuer=proof.issuer,
        subject_index=proof.subject_index,
        person_id=person_id,
        linked_at=desk.now,
    )
    await insert_once(session, row, ProviderLinked("Unlink the other one first."))
    await _told(session, desk, events.LINKED, person_id, proof.issuer)


async def _told(session: AsyncSession, desk: Desk, kind: str, person_id: UUID, issuer: str) -> None:
    data: dict[str, object] = {"person_id": str(person_id), "issuer": issuer}
    await tell(session, desk, kind=kind, subject=str(person_id), data=data)


async def unlink(
    session: AsyncSession, desk: Desk, *, person_id: UUID, identity_id: UUID, present: UUID
) -> None:
    """Sessions that came by an outside identity end, all but the `present` one.

    Raises `IdentityUnknown`.
    """
    issuer = await store.drop_identity(session, person_id, identity_id)
    if issuer is None:
        raise IdentityUnknown("Open the page again.")
    for one in await sessions.list_sessions(session, desk.clock, subject=person_id):
        if one.id != present and any(method.startswith(METHOD) for method in one.amr):
            await sessions.end(
                session,
                desk.clock,
                subject=person_id,
                session_ids=[one.id],
                reason="signed-out",
            )
    await _told(session, desk, events.UNLINKED, person_id, issuer)


async def identities_of(
    session: AsyncSession, providers: list[Provider], *, person_id: UUID
) -> list[LinkedIdentity]:
    known = {one.issuer: one for one in providers}
    return [
        LinkedIdentity(row.id, row.issuer, row.linked_at, row.used_at, known.get(row.issuer))
        for row in await store.identities(session, person_id)
    ]

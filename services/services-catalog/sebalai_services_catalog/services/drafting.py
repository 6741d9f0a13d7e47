"""Decisions about drafts: write, send for review, reject, publish.

A service has at most one draft. It changes by revision: who writes on an old one is told so, and
nothing of the other's work is lost.
"""

from dataclasses import dataclass

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Conflict, FieldInvalid
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.services import store
from sebalai_services_catalog.services.access import (
    DECIDE,
    WRITE,
    may_decide,
    may_publish,
    may_write,
)
from sebalai_services_catalog.services.actions import (
    ServiceActRefused,
    ServiceStateConflict,
    ServiceUnknown,
    known_names,
    state_after,
)
from sebalai_services_catalog.services.gaps import Gap, advice, gaps
from sebalai_services_catalog.services.lifecycle import Act, NoSuchMove, State, after
from sebalai_services_catalog.services.model import Service, ServiceDraft
from sebalai_services_catalog.services.publication import (
    Edition,
    digest_of,
    publish_edition,
    record_act,
)
from sebalai_services_catalog.services.standard import Standard, inherit


class DraftUnknown(ServiceUnknown):
    slug, title = "service-draft-unknown", "The service has no draft, or it is not yours to see"


class DraftChanged(Conflict):
    slug, title = "service-draft-changed", "Somebody else changed the draft meanwhile"


class StandardIncomplete(Conflict):
    slug, title = "service-standard-incomplete", "The service standard is not complete"


class SlugTaken(Conflict):
    slug, title = "service-slug-taken", "There is already a service of this name"


@dataclass(frozen=True, slots=True)
class Writing:
    """What an officer writes: `revision` is the one it was written on, 0 for a new draft."""

    standard: Standard
    template: str | None
    revision: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft with the whole it would become, and what stands in its way."""

    service: Service
    row: ServiceDraft
    whole: Standard
    gaps: list[Gap]
    advice: list[Gap]


async def begin_service(
    session: AsyncSession, clock: Clock, *, caller: Caller, names: tuple[str, str], wanted: Writing
) -> Draft:
    """A new service (slug, agency) in state draft. Raises: ServiceActRefused, SlugTaken."""
    slug, agency = names
    _allow(may_write(caller, agency), agency, WRITE)
    service_id = uuid7()
    values = {"id": service_id, "slug": slug, "agency": agency, "state": "draft"}
    if not await store.claim_slug(session, values):
        raise SlugTaken("Choose another slug, or write a draft of that service.")
    service = await session.get_one(Service, service_id)
    return await _begin(session, clock, caller=caller, service=service, wanted=wanted)


async def write_draft(
    session: AsyncSession, clock: Clock, *, caller: Caller, slug: str, wanted: Writing
) -> Draft:
    """Replaces the draft, or begins one beside a published version (revision 0).

    Raises: ServiceUnknown, ServiceActRefused, DraftChanged, ServiceStateConflict.
    """
    service = await _held(session, caller, slug)
    row = await store.draft_of(session, service.id)
    if row is None:
        if wanted.revision != 0 or service.state == "retired":
            raise ServiceStateConflict("There is no draft; a new one begins with revision 0.")
        return await _begin(session, clock, caller=caller, service=service, wanted=wanted)
    if row.revision != wanted.revision:
        raise DraftChanged(
            f"{row.changed_by} wrote revision {row.revision}. Read it and write on that one.",
            changed_by=row.changed_by, changed_at=row.changed_at.isoformat(), revision=row.revision,
        )  # fmt: skip
    if row.state != "draft":
        raise ServiceStateConflict("The draft is in review; reject it to write on.")
    await _check_template(session, wanted.template)
    row.standard = wanted.standard.model_dump(mode="json", exclude_unset=True)
    row.template, row.revision = wanted.template, row.revision + 1
    row.changed_by, row.changed_at = str(caller.subject), clock.now()
    # Who wrote last answers for it: publishing is another's act.
    row.author = str(caller.subject)
    await session.flush()
    return await _read(session, service, row)


async def read_draft(session: AsyncSession, *, caller: Caller, slug: str) -> Draft:
    """Raises: ServiceUnknown, ServiceActRefused, DraftUnknown."""
    service = await _held(session, caller, slug)
    return await _read(session, service, await _draft(session, service))


async def submit_draft(session: AsyncSession, clock: Clock, *, caller: Caller, slug: str) -> Draft:
    """Sends the draft for review. Raises: ServiceUnknown, DraftUnknown, ServiceStateConflict."""
    return await _move_draft(session, clock, caller=caller, slug=slug, step=("submit", None))


async def reject_draft(
    session: AsyncSession, clock: Clock, *, caller: Caller, slug: str, reason: str
) -> Draft:
    """Back to the writer, with the reason. Raises: as `submit_draft`."""
    return await _move_draft(session, clock, caller=caller, slug=slug, step=("reject", reason))


async def publish_draft(session: AsyncSession, clock: Clock, *, caller: Caller, slug: str) -> int:
    """Makes the draft in review the current version; answers its number.

    Raises: StandardIncomplete with the list of what is missing, ServiceActRefused (also for the
    draft's own author), DraftUnknown, ServiceStateConflict.
    """
    service = await _held(session, caller, slug)
    row = await _draft(session, service)
    _allow(may_decide(caller, service.agency), service.agency, DECIDE)
    if not may_publish(caller, service.agency, row.author):
        raise ServiceActRefused("Who wrote the draft does not publish it; another officer does.")
    _draft_after(row, "publish")
    draft = await _read(session, service, row)
    if draft.gaps:
        missing = [
            {"component": gap.component, "pointer": gap.pointer, "detail": gap.why}
            for gap in draft.gaps
        ]
        raise StandardIncomplete("Fill in what errors names.", errors=missing)
    before = service.state
    now = state_after(service, "publish")
    edition = await _edition(session, caller, draft)
    number = await publish_edition(session, clock, service=service, edition=edition, state=now)
    record_act(
        session, clock, service=service, step=("publish", before, now),
        actor=str(caller.subject), version=number,
    )  # fmt: skip
    await session.delete(row)
    return number


async def _edition(session: AsyncSession, caller: Caller, draft: Draft) -> Edition:
    inherited = list[str]()
    if draft.row.template is not None:
        template = await _template(session, draft.row.template)
        inherited = sorted(template.model_fields_set - set(draft.row.standard))
    return Edition(
        draft.whole, inherited, draft.row.template, digest_of(draft.whole),
        draft.row.author, str(caller.subject), ("partly", f"published by {caller.subject}"),
    )  # fmt: skip


async def _move_draft(
    session: AsyncSession, clock: Clock, *, caller: Caller, slug: str, step: tuple[Act, str | None]
) -> Draft:
    act, note = step
    service = await _held(session, caller, slug)
    row = await _draft(session, service)
    before, now = row.state, _draft_after(row, act)
    assert now in ("draft", "review")  # noqa: S101 - submit and reject lead nowhere else
    row.state, row.note = now, note
    if service.version is None:
        service.state = now
    record_act(
        session, clock, service=service, step=(act, before, now),
        actor=str(caller.subject), reason=note,
    )  # fmt: skip
    await session.flush()
    return await _read(session, service, row)


def _draft_after(row: ServiceDraft, act: Act) -> State:
    try:
        return after(row.state, act)
    except NoSuchMove as error:
        raise ServiceStateConflict(f"{error}.", possible=error.possible) from error


async def _begin(
    session: AsyncSession, clock: Clock, *, caller: Caller, service: Service, wanted: Writing
) -> Draft:
    await _check_template(session, wanted.template)
    row = ServiceDraft(
        service_id=service.id,
        state="draft",
        revision=1,
        standard=wanted.standard.model_dump(mode="json", exclude_unset=True),
        template=wanted.template,
        author=str(caller.subject),
        changed_by=str(caller.subject),
        changed_at=clock.now(),
    )
    session.add(row)
    await session.flush()
    return await _read(session, service, row)


async def _held(session: AsyncSession, caller: Caller, slug: str) -> Service:
    service = await store.hold_service(session, slug)
    if service is None:
        raise ServiceUnknown("Look it up under /v1/services.")
    if not may_write(caller, service.agency):
        # Whether an unpublished service exists is its agency's matter.
        if service.version is None:
            raise ServiceUnknown("Look it up under /v1/services.")
        _allow(False, service.agency, WRITE)
    return service


async def _draft(session: AsyncSession, service: Service) -> ServiceDraft:
    row = await store.draft_of(session, service.id)
    if row is None:
        raise DraftUnknown("Begin one with PUT and revision 0.")
    return row


async def _read(session: AsyncSession, service: Service, row: ServiceDraft) -> Draft:
    whole = Standard.model_validate(row.standard)
    if row.template is not None:
        whole = inherit(await _template(session, row.template), whole)
    return Draft(service, row, whole, gaps(whole, await known_names(session)), advice(whole))


async def _template(session: AsyncSession, slug: str) -> Standard:
    found = await store.template(session, slug)
    assert found is not None  # noqa: S101 - checked when the draft was written; never deleted
    return Standard.model_validate(found.standard)


async def _check_template(session: AsyncSession, slug: str | None) -> None:
    if slug is not None and await store.template(session, slug) is None:
        raise FieldInvalid("/template", "There is no such template; look at GET /v1/templates.")


def _allow(allowed: bool, agency: str, scope: str) -> None:  # noqa: FBT001 - a verdict
    if not allowed:
        raise ServiceActRefused(f"Only {agency} with scope {scope} may.")

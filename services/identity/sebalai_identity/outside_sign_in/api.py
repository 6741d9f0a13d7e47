"""Pages of signing in with an outside provider, and of linking and unlinking an identity there.

Every step that begins or changes something is a form of ours; the way back from the provider is
bound to the browser that was sent there.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from sebalai_shared.caller import PublicAccess
from sebalai_shared.problems import Problem

from sebalai_identity.outside_providers import actions as outside
from sebalai_identity.outside_providers.actions import (
    Attempt,
    AttemptUnknown,
    IdentityOfAnother,
    IdentityUnknown,
    KeyMissing,
    OutsideProviders,
    ProofGone,
    Provider,
    ProviderAway,
    ProviderDeclined,
    ProviderDistrusted,
    ProviderLinked,
    ProviderUnknown,
)
from sebalai_identity.outside_sign_in import actions
from sebalai_identity.outside_sign_in.actions import ProveAgain, SignInNeeded, Site
from sebalai_identity.sign_in.actions import AccountClosed, situation
from sebalai_identity.web.desk import (
    HOME,
    OUTSIDE_LINK,
    READING,
    SIGN_IN,
    InteractionId,
    Place,
    TheKeeper,
    TheVisit,
    Told,
    form_of,
    onward,
    page,
    see,
)
from sebalai_identity.web.pages import link as link_to
from sebalai_identity.web.route import PageRoute
from sebalai_identity.web.visit import FormForged

log = logging.getLogger(__name__)
router = APIRouter(include_in_schema=False, route_class=PageRoute)

OUTSIDE = "/sign-in/outside/{slug}"
KEYS_KEPT = "public, max-age=300"
RETRY_SECONDS = 10
_FAILURES: dict[type[Problem], str] = {
    ProviderAway: "outside-away",
    KeyMissing: "outside-away",
    ProviderDistrusted: "outside-distrusted",
    ProviderDeclined: "outside-declined",
    IdentityOfAnother: "outside-other",
    ProviderLinked: "outside-second",
    AttemptUnknown: "outside-ended",
    ProofGone: "outside-ended",
    ProviderUnknown: "outside-ended",
    AccountClosed: "closed",
}


class Here:
    """One request to these pages."""

    def __init__(
        self, request: Request, visit: TheVisit, keeper: TheKeeper, _: PublicAccess
    ) -> None:
        self.request, self.visit, self.keeper = request, visit, keeper
        self.site = Site(visit, keeper, request.app.state.vault)
        self.providers: OutsideProviders = request.app.state.outside
        self.form: dict[str, str] = {}
        self.interaction_id: str | None = None

    async def read_form(self) -> None:
        """Raises `FormForged`, `FormMalformed`."""
        self.form, is_ours = await form_of(self.request, self.visit)
        if not is_ours:
            raise FormForged("Open the page again and send its form once more.")
        self.interaction_id = self.form.get("interaction") or None

    def slow_down(self, slug: str) -> None:
        """Each try costs the provider a call. Raises `TooManyTries`."""
        throttle = self.request.app.state.outside_throttle
        throttle.check(self.visit.network, slug)
        throttle.note(self.visit.network, slug)

    async def told(self, work: Callable[[], Awaitable[Response]]) -> Response:
        """What is expected to fail becomes a page that shows the other ways on."""
        try:
            return self.visit.dress(await work())
        except SignInNeeded:
            return self._to_sign_in()
        except ProveAgain:
            return self._to_sign_in("1")
        except tuple(_FAILURES) as failure:
            # Our own words alone: nothing that a provider or a browser sent.
            log.warning("outside sign-in: %s: %s", failure.slug, failure.detail)
            return self._failed(_FAILURES[type(failure)])

    def _to_sign_in(self, again: str | None = None) -> Response:
        language, interaction = self.visit.language, self.interaction_id
        return self.visit.dress(
            see(link_to(SIGN_IN, language, interaction=interaction, again=again))
        )

    def _failed(self, failure: str) -> Response:
        place = Place("outside_failed.html", "", self.interaction_id)
        made = page(self.request, self.visit, place, Told(failure))
        if failure == "outside-away":
            made.headers["Retry-After"] = str(RETRY_SECONDS)
        return made


TheHere = Annotated[Here, Depends(Here)]


@router.get(f"{OUTSIDE}/keys")
async def keys(slug: str, here: TheHere) -> Response:
    """What the provider checks our assertions by: register this address there as `jwks_uri`."""
    async with here.keeper.database.transaction() as session:
        provider = await outside.require_enabled(session, slug=slug)
    own = here.providers.keys.load(provider.settings.key_file)
    return JSONResponse({"keys": [own.public()]}, headers={"Cache-Control": KEYS_KEPT})


@router.post(f"{OUTSIDE}/start")
async def start(slug: str, here: TheHere) -> Response:
    await here.read_form()

    async def work() -> Response:
        here.slow_down(slug)
        async with here.keeper.database.transaction() as session:
            provider = await outside.require_enabled(session, slug=slug)
            found = await situation(
                session, here.keeper, visit=here.visit, interaction_id=here.interaction_id
            )
        seconds, language = actions.max_age_of(found), here.visit.language
        attempt = Attempt(provider.id, None, here.interaction_id, seconds, language)
        return await _send_off(here, provider, attempt, found.wanted_level)

    return await here.told(work)


async def _send_off(here: Here, provider: Provider, attempt: Attempt, level: int) -> Response:
    async with here.keeper.database.transaction() as session:
        asking = await outside.begin(
            session, here.keeper, attempt=attempt, browser=here.visit.browser
        )
    asking = replace(asking, level=level, language=attempt.language)
    return see(await here.providers.address(provider, asking))


@router.get(f"{OUTSIDE}/back")
async def back(slug: str, here: TheHere) -> Response:
    async def work() -> Response:
        answer = outside.read_answer(here.request.query_params.multi_items())
        async with here.keeper.database.transaction() as session:
            provider = await outside.require_enabled(session, slug=slug)
            attempt, asking = await outside.take(
                session,
                here.keeper,
                provider_id=provider.id,
                browser=here.visit.browser,
                state=answer.state,
            )
        here.interaction_id, here.visit.language = attempt.interaction_id, attempt.language
        proven = await here.providers.finish(provider, asking, answer)
        async with here.keeper.database.transaction() as session:
            is_known = await actions.arrive(
                session, here.site, provider=provider, attempt=attempt, proven=proven
            )
        if is_known:
            return onward(here.visit, attempt.interaction_id)
        language, interaction = here.visit.language, attempt.interaction_id
        return see(link_to(OUTSIDE_LINK, language, interaction=interaction))

    return await here.told(work)


@router.api_route(OUTSIDE_LINK, methods=READING)
async def show_link(here: TheHere, interaction: InteractionId = None) -> Response:
    """Who is signed in confirms; who is not signs in by another way first, and comes back here."""
    here.interaction_id = interaction

    async def work() -> Response:
        visit, keeper = here.visit, here.keeper
        async with keeper.database.transaction() as session:
            proof = await outside.waiting(session, here.site.desk(), token=visit.outside_cookie)
            if proof is None:
                visit.forget_outside()
                return onward(visit, interaction)
            provider = await outside.provider_of(session, proof=proof)
            account, is_again = await actions.account_for(session, here.site, proof)
        place = Place("outside_link.html", OUTSIDE_LINK, interaction, leaves_site=is_again)
        values: dict[str, Any] = {
            "provider": provider,
            "account": account,
            "is_met": proof.nik_person is not None,
            "is_again": is_again,
        }
        return page(here.request, visit, place, **values)

    return await here.told(work)


@router.post(OUTSIDE_LINK)
async def link(here: TheHere) -> Response:
    await here.read_form()

    async def work() -> Response:
        async with here.keeper.database.transaction() as session:
            again = await actions.link(session, here.site)
        here.visit.forget_outside()
        if again is None:
            return onward(here.visit, here.interaction_id)
        here.slow_down(again.provider.slug)
        attempt = Attempt(
            again.provider.id, again.person_id, here.interaction_id, 0, here.visit.language
        )
        return await _send_off(here, again.provider, attempt, 0)

    return await here.told(work)


@router.post(f"{OUTSIDE_LINK}/cancel")
async def cancel(here: TheHere) -> Response:
    await here.read_form()
    async with here.keeper.database.transaction() as session:
        await outside.forget(session, here.site.desk(), token=here.visit.outside_cookie)
    here.visit.forget_outside()
    return onward(here.visit, here.interaction_id)


@router.post("/my-access/outside/{slug}/link")
async def start_link(slug: str, here: TheHere) -> Response:
    await here.read_form()

    async def work() -> Response:
        here.slow_down(slug)
        async with here.keeper.database.transaction() as session:
            present = await actions.require_fresh(session, here.keeper, here.visit.session_cookie)
            provider = await outside.require_enabled(session, slug=slug)
        attempt = Attempt(provider.id, present.subject, None, 0, here.visit.language)
        return await _send_off(here, provider, attempt, 0)

    return await here.told(work)


@router.post("/my-access/outside/unlink")
async def unlink(here: TheHere) -> Response:
    await here.read_form()

    async def work() -> Response:
        async with here.keeper.database.transaction() as session:
            present = await actions.require_fresh(session, here.keeper, here.visit.session_cookie)
            await outside.unlink(
                session,
                here.site.desk(present.subject),
                person_id=present.subject,
                identity_id=_identity_id(here.form),
                present=present.id,
            )
        return see(link_to(HOME, here.visit.language))

    return await here.told(work)


def _identity_id(form: dict[str, str]) -> UUID:
    try:
        return UUID(form.get("identity", ""))
    except ValueError:
        raise IdentityUnknown("Open the page again.") from None

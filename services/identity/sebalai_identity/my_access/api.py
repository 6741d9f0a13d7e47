"""The page "my access" and its buttons. Every change is a form of ours, sent by the person."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from sebalai_shared.caller import PublicAccess
from sebalai_shared.problems import NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.credentials import actions as credentials
from sebalai_identity.credentials.actions import Keeper, PasswordWeak
from sebalai_identity.my_access import actions
from sebalai_identity.my_access.actions import ProveAgain, SignInNeeded
from sebalai_identity.sessions.actions import Session, cookie_name
from sebalai_identity.web.desk import (
    HOME,
    READING,
    SIGN_IN,
    Place,
    TheKeeper,
    TheVisit,
    Told,
    form_of,
    page,
    see,
)
from sebalai_identity.web.pages import link
from sebalai_identity.web.qr import picture_of
from sebalai_identity.web.route import PageRoute
from sebalai_identity.web.visit import FormForged, Visit

router = APIRouter(include_in_schema=False, route_class=PageRoute)

ONE_TIME = "/my-access/one-time"
CODES = "/my-access/codes"
PASSWORD = "/my-access/password"  # noqa: S105 - an address

Work = Callable[[AsyncSession, Session], Awaitable[Response | None]]


class Page:
    """One request to these pages: who it is, its form, and the way back."""

    def __init__(self, request: Request, visit: Visit, keeper: Keeper) -> None:
        self.request, self.visit, self.keeper = request, visit, keeper
        self.form: dict[str, str] = {}

    async def read(self, work: Work, *, fresh: bool = False) -> Response:
        """Does `work` for who is signed in; who is not, or not freshly, goes to sign in."""
        require = actions.require_fresh if fresh else actions.require_session
        try:
            async with self.keeper.database.transaction() as session:
                present = await require(session, self.keeper, self.visit.session_cookie)
                answer = await work(session, present)
        except SignInNeeded:
            answer = see(link(SIGN_IN, self.visit.language))
        except ProveAgain:
            answer = see(link(SIGN_IN, self.visit.language, again="1"))
        return self.visit.dress(answer or see(link(HOME, self.visit.language)))

    async def change(self, work: Work, *, fresh: bool = False) -> Response:
        """The same for a form. Raises `FormForged`, `FormMalformed`."""
        self.form, is_ours = await form_of(self.request, self.visit)
        if not is_ours:
            raise FormForged("Open the page again and send its form once more.")
        return await self.read(work, fresh=fresh)

    def id(self, name: str) -> UUID:
        try:
            return UUID(self.form.get(name, ""))
        except ValueError as error:
            raise NotFound("There is no such thing.") from error


async def _page(request: Request, visit: TheVisit, keeper: TheKeeper, _: PublicAccess) -> Page:
    return Page(request, visit, keeper)


ThePage = Annotated[Page, Depends(_page)]


@router.api_route(HOME, methods=READING)
async def show(here: ThePage) -> Response:
    async def work(session: AsyncSession, present: Session) -> Response:
        vault = here.request.app.state.vault
        mine = await actions.show(session, here.keeper, vault, present)
        # The button of an outside provider leads there.
        place = Place("my_access.html", HOME, leaves_site=bool(mine.linkable))
        return page(here.request, here.visit, place, mine=mine)

    return await here.read(work)


@router.post("/my-access/sessions/end")
async def end_session(here: ThePage) -> Response:
    async def work(session: AsyncSession, present: Session) -> None:
        await actions.end_session(
            session, here.keeper, subject=present.subject, session_id=here.id("session")
        )

    return await here.change(work)


@router.post("/my-access/sessions/end-all")
async def end_everything(here: ThePage) -> Response:
    async def work(session: AsyncSession, present: Session) -> Response:
        await actions.end_everything(session, here.keeper, subject=present.subject)
        here.visit.put(cookie_name(here.visit.public_url), "", 0)
        here.visit.forget_outside()
        return page(here.request, here.visit, Place("sign_out.html", "/sign-out"), is_done=True)

    return await here.change(work)


@router.post("/my-access/consents/withdraw")
async def withdraw(here: ThePage) -> Response:
    async def work(session: AsyncSession, present: Session) -> None:
        await actions.withdraw(
            session, here.keeper, subject=present.subject, client_id=here.id("client")
        )

    return await here.change(work)


@router.post("/my-access/representations/end")
async def end_representation(here: ThePage) -> Response:
    async def work(session: AsyncSession, present: Session) -> None:
        await actions.end_representation(
            session,
            here.keeper,
            subject=present.subject,
            representation_id=here.id("representation"),
        )

    return await here.change(work, fresh=True)


@router.api_route(PASSWORD, methods=READING)
async def show_password(here: ThePage) -> Response:
    async def work(_: AsyncSession, __: Session) -> Response:
        return page(here.request, here.visit, Place("password.html", PASSWORD))

    return await here.read(work, fresh=True)


@router.post(PASSWORD)
async def set_password(here: ThePage) -> Response:
    """Sessions elsewhere end: whoever knew the old password may hold one of them."""

    async def work(session: AsyncSession, present: Session) -> Response | None:
        account = await credentials.account_of(session, subject=present.subject)
        known = [account.login] if account is not None else []
        try:
            await credentials.set_password(
                session,
                here.keeper,
                subject=present.subject,
                password=here.form.get("password", ""),
                known=known,
            )
        except PasswordWeak as weak:
            return page(here.request, here.visit, Place("password.html", PASSWORD), Told(weak.why))
        await actions.end_others(session, here.keeper, present=present)
        return None

    return await here.change(work, fresh=True)


@router.api_route(ONE_TIME, methods=READING)
async def show_one_time(here: ThePage) -> Response:
    async def work(session: AsyncSession, present: Session) -> Response | None:
        subject = present.subject
        if await credentials.has_one_time(session, subject=subject):
            return None
        seed = await credentials.pending_seed(session, here.keeper, subject=subject)
        seed = seed or await credentials.begin_one_time(session, here.keeper, subject=subject)
        return await _one_time_page(session, here, subject, seed, Told())

    return await here.read(work, fresh=True)


async def _one_time_page(
    session: AsyncSession, here: Page, subject: UUID, seed: str, told: Told
) -> Response:
    account = await credentials.account_of(session, subject=subject)
    address = credentials.address_of(seed, account.login if account else str(subject))
    place = Place("one_time.html", ONE_TIME)
    return page(
        here.request, here.visit, place, told, seed=seed, address=address, qr=picture_of(address)
    )


@router.post(ONE_TIME)
async def confirm_one_time(here: ThePage) -> Response:
    async def work(session: AsyncSession, present: Session) -> Response | None:
        subject = present.subject
        seed = await credentials.pending_seed(session, here.keeper, subject=subject)
        if seed is None:
            return None
        codes = await credentials.confirm_one_time(
            session, here.keeper, subject=subject, code=here.form.get("code", "").strip()
        )
        if codes is None:
            return await _one_time_page(session, here, subject, seed, Told("wrong-code"))
        return page(here.request, here.visit, Place("codes.html", CODES), codes=codes)

    return await here.change(work, fresh=True)


@router.post("/my-access/one-time/remove")
async def remove_one_time(here: ThePage) -> Response:
    async def work(session: AsyncSession, present: Session) -> None:
        await credentials.remove_one_time(session, here.keeper, subject=present.subject)

    return await here.change(work, fresh=True)


@router.api_route(CODES, methods=READING)
async def no_codes(here: ThePage) -> Response:
    """Codes are shown once, in answer to the form; coming back shows where to make new ones."""

    async def work(_: AsyncSession, __: Session) -> None:
        return None

    return await here.read(work)


@router.post(CODES)
async def renew_codes(here: ThePage) -> Response:
    async def work(session: AsyncSession, present: Session) -> Response:
        codes = await credentials.renew_codes(session, here.keeper, subject=present.subject)
        return page(here.request, here.visit, Place("codes.html", CODES), codes=codes)

    return await here.change(work, fresh=True)


@router.post("/my-access/passkeys/remove")
async def remove_passkey(here: ThePage) -> Response:
    async def work(session: AsyncSession, present: Session) -> None:
        await credentials.remove_passkey(
            session, here.keeper, subject=present.subject, reference=here.form.get("passkey", "")
        )

    return await here.change(work, fresh=True)

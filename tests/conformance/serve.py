"""Serves identity for the checks: its own application and its own notices of sign-outs, and a second
person who approves, on the database of the settings, by a clock that is the system's and as many
seconds ahead as the file CONFORMANCE_CLOCK says. First makes the clients and the person, unless
CONFORMANCE_FACTS is there.
"""

import asyncio
import json
import os
import secrets
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

from joserfc.jwk import ECKey
from sebalai_identity.app import identity_app
from sebalai_identity.applications.actions import Authority, register_application
from sebalai_identity.applications.schema import ApplicationRegister
from sebalai_identity.client_requests.actions import decide_client, list_requests
from sebalai_identity.commands import OPERATOR
from sebalai_identity.desk import Desk
from sebalai_identity.inviting import invite, read
from sebalai_identity.keys.sealing import sealer_of
from sebalai_identity.oauth.desk import Desk as ProviderDesk
from sebalai_identity.oauth.desk import Server
from sebalai_identity.oauth.jobs import LogoutNotices
from sebalai_identity.registrations.schema import InitialTokenIssue
from sebalai_identity.registrations.tokens import issue_token
from sebalai_identity.settings import IdentitySettings
from sebalai_identity.signing_in import keeper_of
from sebalai_shared import http
from sebalai_shared.addresses import Reach
from sebalai_shared.caller import Caller
from sebalai_shared.clock import SystemClock
from sebalai_shared.database import Database
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Problem
from sebalai_shared.process import serve
from sqlalchemy import text

CLOCK, FACTS = Path(os.environ["CONFORMANCE_CLOCK"]), Path(os.environ["CONFORMANCE_FACTS"])
BELL = os.environ["CONFORMANCE_BELL"]  # where a client hears of sign-outs
LOGIN = "siti.conform"
BACK = "http://127.0.0.1:9"
SCOPES = ["bus.call", "openid", "profile", "email", "phone", "address", "offline_access"]
WEB = {"kind": "agency_web"}
FAPI = {"kind": "portal", "is_dpop_required": True, "is_par_required": True}
CLIENTS = {
    "web": WEB | {"backchannel_logout_uri": f"{BELL}/web"},
    "web2": WEB | {"id_token_algorithm": "RS256", "userinfo_algorithm": "RS256"},
    "query": WEB,
    "fapi": FAPI,
    "fapi2": FAPI,
    "fapi3": FAPI,
}
ADMINISTRATOR = Caller(
    kind="civil_servant", subject="administrator", agency="diskominfo",
    scopes=frozenset({"exchange.manage"}),
)  # fmt: skip
APPROVERS = tuple(
    Caller(kind="civil_servant", subject=name, scopes=frozenset({"identity.clients"}))
    for name in ("approver", "second-approver")
)
AGENCY = (
    "INSERT INTO agency (id, slug, name, short_name, kind, code, affairs, status, source,"
    " code_status, code_source) VALUES (:id, 'diskominfo', 'Dinas Kominfo', 'Diskominfo', 'dinas',"
    " '2.16', '{}', 'verified', 'test', 'verified', 'test')"
)


class AheadClock:
    """The system's time, and ahead of it."""

    def __init__(self):
        self._system = SystemClock()

    def now(self):
        return self._system.now() + timedelta(seconds=int(CLOCK.read_text() or 0))


async def prepare(settings):
    """Registers through the member's own actions; nothing is written past its rules."""
    database, clock, password = Database(settings), SystemClock(), secrets.token_urlsafe(16)
    secret = FACTS.with_name("password")
    secret.write_text(password)
    arguments = ["--name", "Siti Conform", "--login", LOGIN, "--password-file", str(secret)]
    keeper = keeper_of(settings, sealer_of(settings), database, clock)
    async with database.transaction() as session:
        await session.execute(text(AGENCY), {"id": uuid7()})
        clients = {n: await _client(session, settings, clock, n) for n in CLIENTS}
        initial = await _initial_token(session, clock)
        await invite(session, settings, keeper, read(arguments))
    keeper.workers.close()
    await database.close()
    facts = {
        "issuer": settings.public_url, "login": LOGIN, "password": password, "clients": clients,
        "refuses": True, "initial_access_token": initial, "waits": "sebalai_state",
    }  # fmt: skip
    FACTS.write_text(json.dumps(facts))


async def _initial_token(session, clock):
    until = clock.now() + timedelta(days=89)
    wanted = InitialTokenIssue(
        agency="diskominfo",
        purpose="conformance",
        registrations=100,
        valid_until=until,
        handed_to=uuid7(),
    )
    _, secret = await issue_token(session, Desk(ADMINISTRATOR, clock), wanted=wanted)
    return secret


async def approve(database, clock, instance):
    """Others than who issued the initial token say yes to whoever registered by it: one, and two to
    what widens it later.
    """
    while True:
        async with database.transaction() as session:
            waiting = await list_requests(
                session, caller=APPROVERS[0], state="requested", after=None, limit=20
            )
            for one in waiting:
                await _decide(session, clock, instance, one)
        await asyncio.sleep(0.05)


async def _decide(session, clock, instance, one):
    for caller in APPROVERS:
        if (
            await _said(session, Desk(caller, clock), instance, one, is_approved=True)
            != "requested"
        ):
            return


async def _said(session, desk, instance, one, *, is_approved):
    """What a mutation let in, and the rules would not, is refused: it must not hold up the rest."""
    try:
        async with session.begin_nested():
            decided = await decide_client(
                session, desk, instance=instance, request_id=one.id, is_approved=is_approved,
                reason="conformance",
            )  # fmt: skip
    except (Problem, ValueError):
        assert is_approved
        return await _said(session, desk, instance, one, is_approved=False)
    return decided.state


async def _client(session, settings, clock, name):
    # Two clients of one address: what keeps them apart is then the client alone.
    key, back = ECKey.generate_key("P-256"), f"{BACK}/{name.replace('fapi3', 'fapi')}"
    redirect = f"{back}/back?kept=1" if name == "query" else f"{back}/back"
    document = {
        "agency": "diskominfo", "name": name, "scopes": SCOPES,
        "public_key": key.as_dict(private=False),
        "client": {"redirect_uris": [redirect], "post_logout_redirect_uris": [f"{back}/bye"]}
        | CLIENTS[name],
    }  # fmt: skip
    wanted = ApplicationRegister.model_validate(document)
    made = await register_application(
        session, Authority(OPERATOR, clock, settings.instance), wanted=wanted
    )
    return {
        "client_id": str(made.client_id), "key": key.as_dict(private=True),
        "redirect_uri": redirect, "post_logout_redirect_uri": f"{back}/bye",
    }  # fmt: skip


def with_notices(app, settings, database, clock):
    """The member's own job beside its own routes: one process instead of two."""
    outside = http.client(Reach.parse(settings.private_clients.split(",")), read_seconds=5.0)

    def desk_of(session):
        server = Server(settings.public_url, settings.audience)
        return ProviderDesk(session, clock, server, app.state.ring)

    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(of):
        async with inner(of) as state:
            jobs = [
                asyncio.create_task(LogoutNotices(database, outside, desk_of).run()),
                asyncio.create_task(approve(database, clock, settings.instance)),
            ]
            try:
                yield state
            finally:
                for job in jobs:
                    job.cancel()
                    with suppress(asyncio.CancelledError):
                        await job
                await outside.aclose()

    app.router.lifespan_context = lifespan
    return app


def main():
    settings = IdentitySettings.from_environment()
    if not FACTS.exists():
        asyncio.run(prepare(settings))
    database, clock = Database(settings), AheadClock()
    app = identity_app(settings, database, clock)
    serve(with_notices(app, settings, database, clock), settings)


if __name__ == "__main__":
    main()

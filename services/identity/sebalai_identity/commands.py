"""The commands of identity beside `api`: each builds what it needs and ends, or works for ever."""

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pydantic import ValidationError
from sebalai_shared import http
from sebalai_shared.addresses import Reach
from sebalai_shared.broker import EVENTS, Broker
from sebalai_shared.clock import SystemClock
from sebalai_shared.database import Database
from sebalai_shared.health import Heartbeat
from sebalai_shared.idempotency import sweep
from sebalai_shared.outbox import OutboxSource
from sebalai_shared.problems import Problem
from sebalai_shared.process import every, together
from sebalai_shared.relay import Relay
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity import inviting, signing_in
from sebalai_identity.acts.actions import note, tell
from sebalai_identity.affairs.actions import load_affairs
from sebalai_identity.agencies.actions import load_agencies
from sebalai_identity.applications.actions import Authority, register_application
from sebalai_identity.applications.schema import ApplicationRegister
from sebalai_identity.credentials.actions import sweep_credentials
from sebalai_identity.desk import OPERATOR
from sebalai_identity.desk import Desk as PeopleDesk
from sebalai_identity.grants.actions import sweep_listeners
from sebalai_identity.interactions.actions import INTERACTIONS
from sebalai_identity.keys import events as key_events
from sebalai_identity.keys.actions import Ring
from sebalai_identity.keys.jobs import KeysPublisher
from sebalai_identity.keys.sealing import sealer_of
from sebalai_identity.oauth.actions import ROUNDS
from sebalai_identity.oauth.desk import Desk, Server
from sebalai_identity.oauth.jobs import LogoutNotices
from sebalai_identity.outside_providers.actions import ROUNDS as OUTSIDE_ROUNDS
from sebalai_identity.outside_providers.actions import end_disabled
from sebalai_identity.positions.actions import load_positions
from sebalai_identity.postings.jobs import LAPSES_EACH, lapse
from sebalai_identity.ranks.actions import load_ranks
from sebalai_identity.reference import Counts, ReferenceFolder
from sebalai_identity.regions.actions import load_regions
from sebalai_identity.revocations.actions import REVOCATIONS
from sebalai_identity.revocations.jobs import RevocationsBell
from sebalai_identity.sessions.actions import sweep_sessions
from sebalai_identity.settings import IdentitySettings

SWEEP_EACH = timedelta(minutes=1)
KEYS_EACH = timedelta(days=1)
ROUNDS_EACH = timedelta(minutes=1)
SHORT_LIVED = (INTERACTIONS, REVOCATIONS, *ROUNDS, *OUTSIDE_ROUNDS)
FAILED_EXIT = 1

Answer = TypeVar("Answer")


def in_transaction(
    settings: IdentitySettings, work: Callable[[AsyncSession], Awaitable[Answer]]
) -> Answer:
    async def run() -> Answer:
        database = Database(settings)
        try:
            async with database.transaction() as session:
                return await work(session)
        finally:
            await database.close()

    return asyncio.run(run())


async def load_reference(session: AsyncSession, folder: ReferenceFolder) -> dict[str, Counts]:
    return {
        "agencies": await load_agencies(session, SystemClock(), folder=folder),
        "regions": await load_regions(session, folder=folder),
        "affairs": await load_affairs(session, folder=folder),
        "ranks": await load_ranks(session, folder=folder),
        "positions": await load_positions(
            session, PeopleDesk(OPERATOR, SystemClock()), folder=folder
        ),
    }


def load(settings: IdentitySettings) -> None:
    folder = ReferenceFolder(settings.reference_dir)
    counts = in_transaction(settings, lambda session: load_reference(session, folder))
    _say({name: count.as_dict() for name, count in counts.items()})


def rotate_key(settings: IdentitySettings) -> None:
    """Prints `{"kid"}`; a refusal is one line on stderr and exit 1."""
    ring = Ring(sealer_of(settings), SystemClock())

    async def work(session: AsyncSession) -> str:
        kid = await ring.rotate(session)
        await note(
            session, PeopleDesk(OPERATOR, SystemClock()), act=key_events.ROTATED, subject=kid
        )
        return kid

    try:
        kid = in_transaction(settings, work)
    except Problem as problem:
        _refuse(problem.detail)
    else:
        _say({"kid": kid})


def compromise_key(settings: IdentitySettings, arguments: Sequence[str]) -> None:
    """Prints `{"kid"}` of the key that signs now; a refusal is one line on stderr and exit 1."""
    parser = argparse.ArgumentParser("sebalai_identity compromise-key")
    parser.add_argument("kid")
    kid = parser.parse_args(list(arguments)).kid
    ring = Ring(sealer_of(settings), SystemClock())

    async def work(session: AsyncSession) -> str:
        signing = await ring.compromise(session, kid)
        desk = PeopleDesk(OPERATOR, SystemClock())
        data: dict[str, object] = {"kid": kid, "signing": signing or None}
        await tell(session, desk, kind=key_events.COMPROMISED, subject=kid, data=data)
        return signing

    try:
        now_signing = in_transaction(settings, work)
    except Problem as problem:
        _refuse(problem.detail)
    else:
        _say({"kid": now_signing})


def register(settings: IdentitySettings, arguments: Sequence[str]) -> None:
    """Prints `{"client_id", "identifier"}`; a refusal is one line on stderr and exit 1."""
    given = _registration(arguments)
    document: dict[str, Any] = {"agency": given.agency, "name": given.name}
    try:
        document["public_key"] = json.loads(given.public_key.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        _refuse(f"--public-key: {error}")
    # What is not said is not given: a known application keeps its scopes.
    if given.scope:
        document["scopes"] = given.scope
    _say(_registered(settings, [document])[0])


def register_all(settings: IdentitySettings, arguments: Sequence[str]) -> None:
    """Registers what a JSON file lists, each as the API's body has it, all or none of them.

    Prints a list in the file's order, each as `register` does; a refusal likewise.
    """
    parser = argparse.ArgumentParser("sebalai_identity register-applications")
    parser.add_argument("file", type=Path, metavar="FILE.json")
    file: Path = parser.parse_args(list(arguments)).file
    try:
        documents = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        _refuse(f"{file}: {error}")
    _say(_registered(settings, documents))


def _registered(settings: IdentitySettings, documents: list[Any]) -> list[dict[str, str]]:
    authority = Authority(OPERATOR, SystemClock(), settings.instance, is_agreed=True)

    async def work(session: AsyncSession) -> list[dict[str, str]]:
        found = [await register_application(session, authority, wanted=one) for one in wanted]
        return [{"client_id": str(one.client_id), "identifier": one.identifier} for one in found]

    try:
        wanted = [ApplicationRegister.model_validate(document) for document in documents]
        return in_transaction(settings, work)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = "/".join(str(part) for part in first["loc"])
        _refuse(f"{place}: {first['msg']}")
    except Problem as problem:
        _refuse(problem.detail)


def invite_person(settings: IdentitySettings, arguments: Sequence[str]) -> None:
    """Prints `{"person_id", "code", "address", "expires_at"}`; a refusal is one line, exit 1."""
    given = inviting.read(arguments)

    async def run() -> dict[str, Any]:
        database, sealer = Database(settings), sealer_of(settings)
        keeper = signing_in.keeper_of(settings, sealer, database, SystemClock())
        try:
            async with database.transaction() as session:
                return await inviting.invite(session, settings, keeper, given)
        finally:
            keeper.workers.close()
            await database.close()

    try:
        made = asyncio.run(run())
    except Problem as problem:
        _refuse(problem.detail)
    except (OSError, ValueError) as error:
        _refuse(str(error))
    else:
        _say(made)


def _registration(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("sebalai_identity register-application")
    parser.add_argument("--agency", required=True, metavar="SLUG")
    parser.add_argument("--name", required=True, metavar="NAME")
    parser.add_argument("--public-key", required=True, type=Path, metavar="FILE.jwk")
    parser.add_argument("--scope", action="append", default=[], metavar="S")
    return parser.parse_args(list(arguments))


def _say(document: object) -> None:
    sys.stdout.write(json.dumps(document) + "\n")


def _refuse(reason: str) -> NoReturn:
    sys.stderr.write(reason + "\n")
    raise SystemExit(FAILED_EXIT)


async def work(settings: IdentitySettings) -> None:
    """Relays events, publishes keys, rotates and sweeps, until cancelled."""
    clock, beat = SystemClock(), Heartbeat(settings.heartbeat_file)
    database, broker = Database(settings), Broker(settings)
    ring = Ring(sealer_of(settings), clock)
    outside = http.client(Reach.parse(settings.private_clients.split(",")), read_seconds=5.0)
    relay = Relay(settings.database_dsn(), broker, OutboxSource(), beat)

    def desk_of(session: AsyncSession) -> Desk:
        return Desk(session, clock, Server(settings.public_url, settings.audience), ring)

    async def sweeps() -> None:
        async with database.transaction() as session:
            await sweep(session)
            await sweep_listeners(session, clock)
            await sweep_sessions(session, clock)
            await sweep_credentials(session, clock)

    async def empty_rounds() -> None:
        for one in SHORT_LIVED:
            async with database.transaction() as session:
                await one.empty_past(session, clock.now())

    async def fresh_keys() -> None:
        async with database.transaction() as session:
            await ring.keep_fresh(session)

    async def lapses() -> None:
        async with database.transaction() as session:
            await lapse(session, clock)
            await end_disabled(session, clock)

    try:
        await broker.connect()
        await broker.await_streams(EVENTS)
        await together(
            relay.run(),
            KeysPublisher(database, broker, ring, beat).run(),
            LogoutNotices(database, outside, desk_of, beat).run(),
            RevocationsBell(settings.database_dsn(), broker, beat).run(),
            every(SWEEP_EACH.total_seconds(), sweeps),
            every(ROUNDS_EACH.total_seconds(), empty_rounds),
            every(KEYS_EACH.total_seconds(), fresh_keys),
            every(LAPSES_EACH.total_seconds(), lapses),
        )
    finally:
        await outside.aclose()
        await broker.close()
        await database.close()

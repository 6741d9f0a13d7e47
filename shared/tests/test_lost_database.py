"""Wherever in a request its database goes away, the request is asked to come again."""

import asyncio
import struct
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import pytest
from fastapi import APIRouter
from sebalai_shared.app import Member, create_app
from sebalai_shared.caller import PublicAccess
from sebalai_shared.database import Database, Transaction
from sebalai_shared.statements import execute, fetch_one
from sebalai_shared.testing.http import in_process
from sqlalchemy import text

CUTS_MIN = 4
BIGGEST_TALK_BYTES = 4000
KEEP = text("INSERT INTO thing (id, name) VALUES (gen_random_uuid(), 'lost' || random())")
TAKE = text("DELETE FROM thing WHERE name LIKE 'lost%'")


class Cutter:
    """Carries bytes between a driver and PostgreSQL, and cuts both after so many from one side."""

    def __init__(self, server):
        self.server, self.left = server, {"driver": None, "server": None}
        self.has_cut, self.talks = False, []

    async def serve(self, reader, writer):
        self.talks.append(asyncio.current_task())
        far_reader, far_writer = await asyncio.open_connection(*self.server)
        carried = [
            asyncio.ensure_future(self._carry("driver", reader, far_writer)),
            asyncio.ensure_future(self._carry("server", far_reader, writer)),
        ]
        await asyncio.wait(carried, return_when=asyncio.FIRST_COMPLETED)
        for end in (writer, far_writer):
            end.transport.abort()
        await asyncio.gather(*carried, return_exceptions=True)

    async def _carry(self, side, reader, writer):
        while data := await reader.read(65536):
            left = self.left[side]
            if left is not None and len(data) > left:
                writer.write(data[:left])
                await writer.drain()
                self.has_cut = True
                return
            self.left[side] = None if left is None else left - len(data)
            writer.write(data)


def router():
    made = APIRouter(tags=["things"])

    @made.get("/v1/session")
    async def session(_: PublicAccess, session: Transaction) -> None:
        await session.execute(text("SELECT 1"))
        await session.execute(KEEP)

    @made.get("/v1/driver")
    async def driver(_: PublicAccess, session: Transaction) -> None:
        await fetch_one(session, "SELECT 1")
        await execute(session, KEEP.text)

    @made.get("/v1/backend")
    async def backend(_: PublicAccess, session: Transaction) -> int:
        return int((await session.execute(text("SELECT pg_backend_pid()"))).scalar_one())

    return made


@asynccontextmanager
async def behind_a_cutter(settings):
    """The way to the database, and one who asks."""
    url = urlsplit(settings.database_dsn("postgresql"))
    cutter = Cutter((url.hostname, url.port))
    server = await asyncio.start_server(cutter.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    near = url._replace(netloc=url.netloc.replace(f":{url.port}", f":{port}")).geturl()
    database = Database(settings.model_copy(update={"database_url": near}))
    async with server:
        try:
            async with asking(settings, database) as client:
                yield cutter, client
        finally:
            await asyncio.gather(*cutter.talks)


@asynccontextmanager
async def asking(settings, database):
    app = create_app(settings, Member("sample", "Sample", [router()]), database=database)
    async with in_process(app) as client:
        yield client
    await database.close()


async def take_kept(database):
    async with database.transaction() as session:
        return (await session.execute(TAKE)).rowcount


@pytest.mark.parametrize("path", ["/v1/session", "/v1/driver"])
@pytest.mark.parametrize("side", ["driver", "server"])
@pytest.mark.parametrize(("is_connected", "step_bytes"), [(False, 151), (True, 23)])
async def test_wherever_a_connection_is_cut_the_request_is_asked_to_come_again(
    settings, database, path, side, is_connected, step_bytes
):
    wrong, cuts = {}, 0
    for count in range(0, BIGGEST_TALK_BYTES, step_bytes):
        async with behind_a_cutter(settings) as (cutter, client):
            if is_connected:
                await client.get(path)
            await take_kept(database)
            cutter.left[side] = count
            answer = await client.get(path)
            kept = await take_kept(database)
            if not cutter.has_cut:
                break
            cuts += 1
            cutter.left[side] = None
            after = await client.get(path)
        says_nothing_was_kept = "Nothing was kept" in answer.text
        if answer.status_code not in (200, 503) or (says_nothing_was_kept and kept):
            wrong[count] = answer.text
        assert answer.status_code != 200 or kept
        assert after.status_code == 200
    assert cuts >= CUTS_MIN
    assert wrong == {}


@pytest.mark.parametrize("path", ["/v1/session", "/v1/driver", "/v1/begin"])
async def test_a_connection_whose_protocol_lost_its_state_is_given_up(settings, monkeypatch, path):
    async def confused(*_, **__):
        raise asyncpg.InternalClientError("cannot switch to state 12; another operation")

    database = Database(settings.model_copy(update={"pool_connections": 1}))
    async with asking(settings, database) as client:
        before = (await client.get("/v1/backend")).json()
        with monkeypatch.context() as moment:
            verb = {"session": "prepare", "driver": "fetchrow", "begin": "execute"}[path[4:]]
            moment.setattr(asyncpg.Connection, verb, confused)
            answer = await client.get("/v1/driver" if verb == "execute" else path)
        assert is_asked_to_wait(answer)
        assert (await client.get("/v1/backend")).json() != before


def refusal(state):
    """An ErrorResponse of PostgreSQL's protocol, version 3."""
    fields = b"".join(
        code + value.encode() + b"\0"
        for code, value in [(b"S", "FATAL"), (b"V", "FATAL"), (b"C", state), (b"M", "no")]
    )
    return b"E" + struct.pack("!i", len(fields) + 5) + fields + b"\0"


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 400 Bad Request", *map(refusal, ("57P03", "53300", "53100"))]
)
async def test_a_server_that_does_not_let_in_is_away(settings, said):
    async def turn_away(reader, writer):
        await reader.read(8)
        writer.write(b"N")  # no TLS here
        await reader.read(1000)
        writer.write(said)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(turn_away, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        await is_away(settings, f"postgresql://nobody:x@127.0.0.1:{port}/none")


async def test_a_server_to_which_no_way_leads_is_away(settings):
    await is_away(settings, "postgresql://nobody:x@/none?host=/no/such/folder")


async def is_away(settings, url):
    database = Database(settings.model_copy(update={"database_url": url}))
    async with asking(settings, database) as client:
        assert is_asked_to_wait(await client.get("/v1/session"))


def is_asked_to_wait(answer):
    return (answer.status_code, answer.headers.get("retry-after")) == (503, "2")

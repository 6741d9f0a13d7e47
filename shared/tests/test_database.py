"""What a request is told when its database fails."""

import asyncio
import socket
import subprocess
import sys

import pytest
from fastapi import APIRouter
from sebalai_shared import database as databases
from sebalai_shared.app import Member, create_app
from sebalai_shared.caller import PublicAccess
from sebalai_shared.database import Database, Transaction
from sebalai_shared.testing.http import in_process
from sqlalchemy import event, text

NIK = "1971010101909901"


def sample_router():
    router = APIRouter(tags=["things"])

    @router.get("/v1/fine")
    async def fine(_: PublicAccess, session: Transaction) -> int:
        return int((await session.execute(text("SELECT 1"))).scalar_one())

    @router.get("/v1/cut")
    async def cut(_: PublicAccess, session: Transaction) -> None:
        await session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    @router.get("/v1/deadlock")
    async def deadlock(_: PublicAccess, session: Transaction) -> None:
        await session.execute(text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40P01'; END $$"))

    @router.get("/v1/wrong")
    async def wrong(_: PublicAccess, session: Transaction) -> None:
        await session.execute(text("SELECT CAST(:nik AS text), nothing"), {"nik": NIK})

    return router


@pytest.fixture
async def ask(settings, database):
    async def get(path, database=database):
        app = create_app(settings, Member("sample", "Sample", [sample_router()]), database=database)
        async with in_process(app) as client:
            return await client.get(path)

    return get


def is_asked_to_wait(answer):
    kind = answer.json()["type"].rpartition(":")[2]
    return (answer.status_code, kind, answer.headers["retry-after"]) == (503, "unavailable", "2")


@pytest.mark.parametrize("path", ["/v1/cut", "/v1/deadlock"])
async def test_a_request_whose_transaction_is_lost_is_asked_to_come_again(ask, path):
    assert is_asked_to_wait(await ask(path))
    assert (await ask("/v1/fine")).json() == 1


END_THE_OTHERS = """
import asyncio, asyncpg, sys
async def end():
    admin = await asyncpg.connect(sys.argv[1])
    await admin.execute("SELECT pg_terminate_backend($1)", int(sys.argv[2]))
asyncio.run(end())
"""


async def backend(database):
    async with database.transaction() as session:
        return (await session.execute(text("SELECT pg_backend_pid()"))).scalar_one()


def end_unseen(settings, pid):
    """From outside, while our loop stands still: nothing can have read the socket's end yet."""
    url = settings.database_dsn("postgresql")
    subprocess.run([sys.executable, "-c", END_THE_OTHERS, url, str(pid)], check=True, timeout=30)


async def test_a_connection_the_server_closed_is_replaced_before_its_next_use(database, settings):
    pid = await backend(database)
    end_unseen(settings, pid)
    await asyncio.sleep(0.1)
    assert await backend(database) != pid


async def test_a_connection_that_rested_long_is_asked_before_it_is_trusted(database, settings):
    @event.listens_for(database.engine.sync_engine, "checkin")
    def rested_long(_, record):
        record.info["rests_since"] -= databases.RESTED_SECONDS

    pid = await backend(database)
    end_unseen(settings, pid)
    assert await backend(database) != pid


@pytest.mark.parametrize("is_listening", [False, True])
async def test_a_request_finds_no_server_and_is_asked_to_come_again(
    ask, settings, monkeypatch, is_listening
):
    monkeypatch.setattr(databases, "CONNECT_TIMEOUT_SECONDS", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # not listening: refused; listening: never answered
        if is_listening:
            silent.listen()
        port = silent.getsockname()[1]
        nowhere = settings.model_copy(
            update={"database_url": f"postgresql://nobody:x@127.0.0.1:{port}/none"}
        )
        away = Database(nowhere)
        assert is_asked_to_wait(await ask("/v1/fine", away))
        await away.close()


async def test_a_request_that_waited_for_a_connection_in_vain_is_asked_to_come_again(
    ask, settings, monkeypatch
):
    monkeypatch.setattr(databases, "POOL_WAIT_SECONDS", 0.01)
    narrow = Database(settings.model_copy(update={"pool_connections": 1}))
    async with narrow.engine.connect():
        answer = await ask("/v1/fine", narrow)
    await narrow.close()
    assert is_asked_to_wait(answer)


async def test_a_wrong_statement_is_a_fault_whose_log_holds_no_value(ask, caplog):
    answer = await ask("/v1/wrong")
    assert answer.status_code == 500
    assert "nothing" in caplog.text
    assert NIK not in caplog.text

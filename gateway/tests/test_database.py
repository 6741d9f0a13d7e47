"""What can befall a connection is told as one thing: the store cannot be asked."""

from types import SimpleNamespace

import asyncpg
import pytest
from sebalai_gateway.database import Pool, StoreUnavailable


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.InternalClientError("cannot switch to state 12; another operation is in progress"),
        asyncpg.ConnectionDoesNotExistError("closed"), asyncpg.InterfaceError("closed"),
        ConnectionResetError(), TimeoutError(),
    ],
)  # fmt: skip
async def test_a_connection_that_is_lost_is_a_store_that_cannot_be_asked(error):
    async def execute(*_):
        raise error

    pool = Pool("postgresql://nobody@127.0.0.1:1/none")
    pool._pool = SimpleNamespace(execute=execute)
    with pytest.raises(StoreUnavailable):
        await pool.run("execute", "SELECT 1")

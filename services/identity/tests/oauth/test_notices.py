"""Logout notices as they are sent: whatever stands at a client's address, the others hear theirs."""

import asyncio
import contextlib

import pytest
from pydantic import ValidationError
from sebalai_identity.applications.clients import ClientSettings
from sebalai_identity.oauth.desk import Desk, Server
from sebalai_identity.oauth.jobs import NOTICE_ANSWER_BYTES_MAX, LogoutNotices
from sebalai_shared import http
from sebalai_shared.addresses import Reach
from sqlalchemy import text

AFTER = "https://rp.example/bye"
LOOPBACK = Reach.parse(["127.0.0.0/8"])


@contextlib.asynccontextmanager
async def answering(body):
    async def serve(reader, writer):
        with contextlib.suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"


@pytest.fixture
async def tell(party_of, sign_in, person, call, database, clock):
    """Signs a person out of a client whose notices go to `address`; how many notices arrived."""

    async def once(address):
        party = await party_of(
            post_logout_redirect_uris=[AFTER], backchannel_logout_uri="https://rp.example/hook"
        )
        await sign_in(person, party)
        given = await party.sign_in()
        await party.raw_authorize(
            {"id_token_hint": given["id_token"], "post_logout_redirect_uri": AFTER},
            "GET",
            path="/oauth/logout",
        )
        async with database.transaction() as session:
            await session.execute(
                text(
                    "UPDATE application SET client = jsonb_set(client,"
                    " '{backchannel_logout_uri}', to_jsonb(CAST(:address AS text)))"
                    " WHERE client_id = :id"
                ),
                {"address": address, "id": party.client_id},
            )
        server, ring = (
            Server("https://bus.example", "urn:sebalai:gateway:ID-BB"),
            call.app.state.ring,
        )
        async with http.client(LOOPBACK) as client:
            notices = LogoutNotices(
                database, client, lambda session: Desk(session, clock, server, ring)
            )
            return await notices.send_once()

    return once


async def test_a_notice_arrives(tell):
    async with answering(b"") as address:
        assert await tell(address) == 1


async def test_an_answer_without_end_is_not_read_to_its_end(tell):
    async with answering(b"x" * (NOTICE_ANSWER_BYTES_MAX + 1)) as address:
        assert await tell(address) == 0


@pytest.mark.parametrize("address", ["https://127.0.0.1:abc/x", "https://xn--/x", "https:///x"])
def test_an_address_that_is_none_is_not_registered(address):
    with pytest.raises(ValidationError, match="address"):
        ClientSettings(kind="agency_web", backchannel_logout_uri=address)

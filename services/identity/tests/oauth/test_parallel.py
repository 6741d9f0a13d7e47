"""Hundreds at once at a served identity over real sockets and a real PostgreSQL: one secret is good
once, whoever asks how often, and nobody meets a fault or waits for ever.
"""

import asyncio
import base64
import os
import socket
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import aiohttp
import httpx
import pytest
from joserfc.jwk import ECKey
from sebalai_identity.applications.actions import Authority, register_application
from sebalai_identity.applications.schema import ApplicationRegister
from sebalai_identity.commands import OPERATOR
from sebalai_identity.consents.actions import grant
from sebalai_identity.desk import Desk
from sebalai_identity.persons.actions import register_person
from sebalai_identity.persons.schema import PersonRegister
from sebalai_identity.sessions.actions import Device, start
from sebalai_identity.settings import IdentitySettings
from sebalai_shared.clock import SystemClock
from sebalai_shared.database import Database
from sebalai_shared.ids import uuid7
from sqlalchemy import text

REFRESHES, REDEMPTIONS, EXCHANGES = 500, 200, 200
# All are sent at once; so many lie at the server at a time, five for each of its connections to the
# database. Who waits too long there on a slow machine hears 503, of which nothing was kept, and
# comes again as it is told.
SOCKETS = 50
START_SECONDS = ANSWER_SECONDS = 60
CLOCK = SystemClock()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
async def store(identity_url, tmp_path_factory, tables):
    """Settings of a process of its own, and their database, emptied at the end."""
    sealing = tmp_path_factory.mktemp("served") / "sealing.key"
    sealing.write_text(base64.urlsafe_b64encode(b"p" * 32).decode().rstrip("="), encoding="ascii")
    settings = IdentitySettings(
        database_url=identity_url, host="127.0.0.1", port=free_port(), sealing_key_file=sealing
    )
    database = Database(settings)
    yield settings, database
    async with database.transaction() as session:
        await session.execute(text(tables))
        await session.execute(text("UPDATE key_ring SET version = 0"))
    await database.close()


@pytest.fixture(scope="module")
async def served(store, issuer):
    """Calls a running `python -m sebalai_identity api`."""
    settings, _ = store
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SEBALAI_")},
        "SEBALAI_DATABASE_URL": settings.database_url,
        "SEBALAI_PORT": str(settings.port),
        "SEBALAI_PUBLIC_URL": issuer,
        "SEBALAI_SEALING_KEY_FILE": str(settings.sealing_key_file),
    }
    log = settings.sealing_key_file.with_name("log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "sebalai_identity", "api"],
            env=environment, stdout=output, stderr=output,
        )  # fmt: skip
    # Not httpx: its pool looks at all that wait for each that goes.
    connector = aiohttp.TCPConnector(limit=SOCKETS)
    time = aiohttp.ClientTimeout(ANSWER_SECONDS)
    try:
        async with aiohttp.ClientSession(
            f"http://127.0.0.1:{settings.port}", connector=connector, timeout=time
        ) as client:

            async def call(method, path, *, headers=None, content=None):
                while True:
                    asked = client.request(
                        method, path, headers=headers, data=content, allow_redirects=False
                    )
                    async with asked as answer:
                        body = await answer.read()
                    if answer.status != httpx.codes.SERVICE_UNAVAILABLE:
                        return httpx.Response(answer.status, headers=answer.headers, content=body)
                    await asyncio.sleep(int(answer.headers["retry-after"]))

            async with asyncio.timeout(START_SECONDS):
                while True:
                    assert process.poll() is None, log.read_text()
                    with suppress(aiohttp.ClientConnectorError):
                        await call("GET", "/livez")
                        break
                    await asyncio.sleep(0.05)
            yield call
        assert "Traceback" not in log.read_text()
    finally:
        process.terminate()
        process.wait(START_SECONDS)


@pytest.fixture(scope="module")
async def party(served, store, party_type, agency_row):
    """A web application with a person who is signed in and has agreed."""
    _, database = store
    key = ECKey.generate_key("P-256")
    scopes = ["bus.call", "openid", "profile", "offline_access"]
    document = {
        "agency": "dinsos-pmd", "name": "parallel", "scopes": scopes,
        "public_key": key.as_dict(private=False),
        "client": {"kind": "agency_web", "redirect_uris": ["https://rp.example/back"]},
    }  # fmt: skip
    wanted = ApplicationRegister.model_validate(document)
    async with database.transaction() as session:
        await session.execute(text(agency_row), {"id": uuid7()})
        authority = Authority(OPERATOR, CLOCK, "ID-BB")
        made = await register_application(session, authority, wanted=wanted)
        sponsored = PersonRegister(name="Siti", valid_until=CLOCK.now() + timedelta(days=1))
        person = (await register_person(session, Desk(OPERATOR, CLOCK), wanted=sponsored)).id
        methods = ["swk", "user"]
        opened = await start(session, CLOCK, subject=person, methods=methods, device=Device())
        await grant(session, CLOCK, subject=person, client_id=made.client_id, scopes=scopes)
    party = party_type(served, CLOCK, str(made.client_id), key)
    party.cookie = opened.cookie
    return party


async def families(store, grant_id=None):
    async with store[1].transaction() as session:
        rows = (await session.execute(text("SELECT * FROM refresh_family"))).all()
    return [row for row in rows if grant_id in (None, row.id)]


def told(answers):
    """How often which status and error."""
    return Counter((answer.status_code, answer.json().get("error")) for answer in answers)


async def test_five_hundred_refreshes_of_one_token_move_one_family_by_one(party, store):
    given = await party.sign_in()
    grant_id = UUID((await party.claims_of(given["access_token"])).claims["rjti"])
    token = given["refresh_token"]
    answers = await asyncio.gather(*(party.refresh(token) for _ in range(REFRESHES)))
    assert told(answers) == {(200, None): REFRESHES}
    (successor,) = {answer.json()["refresh_token"] for answer in answers}
    assert successor != token
    (family,) = await families(store, grant_id)
    assert (family.number, family.revoked_at) == (1, None)
    assert (await party.refresh(successor)).status_code == 200


async def test_two_hundred_redemptions_of_one_code_succeed_once(party, store):
    before = {row.id for row in await families(store)}
    code = await party.code()
    answers = await asyncio.gather(*(party.redeem(code) for _ in range(REDEMPTIONS)))
    assert told(answers) == {(200, None): 1, (400, "invalid_grant"): REDEMPTIONS - 1}
    (family,) = [row for row in await families(store) if row.id not in before]
    assert family.reason == "authorization code used again"
    (given,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert (await party.refresh(given["refresh_token"])).json()["error"] == "invalid_grant"


async def test_two_hundred_exchanges_by_one_proof_succeed_once(party, store):
    party.proof_key = ECKey.generate_key("P-256")
    subject = (await party.sign_in())["access_token"]
    proof, before = party.proof("/oauth/token"), await families(store)
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": subject,
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "audience": "ID-BB/GOV/dp3acskb/kependudukan/penduduk",
        "purpose": "verifikasi-bansos",
    }
    answers = await asyncio.gather(*(party.token(proof, **form) for _ in range(EXCHANGES)))
    assert told(answers) == {(200, None): 1, (400, "invalid_dpop_proof"): EXCHANGES - 1}
    assert await families(store) == before

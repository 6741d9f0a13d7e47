"""Many register at once with one initial token: as many get through as it is good for."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from joserfc.jwk import ECKey
from sebalai_identity.app import identity_app
from sebalai_identity.desk import Desk
from sebalai_identity.registrations.schema import InitialTokenIssue
from sebalai_identity.registrations.tokens import issue_token
from sebalai_shared.caller import Caller
from sebalai_shared.testing.http import in_process
from sqlalchemy import text

GOOD_FOR, AT_ONCE = 3, 12
ADMINISTRATOR = Caller(
    kind="civil_servant",
    subject="administrator",
    agency="dinsos-pmd",
    scopes=frozenset({"exchange.manage"}),
)
EMPTY = "TRUNCATE client_registration, client_request, initial_token, outbox, agency, act CASCADE"


@pytest.fixture
async def secret(committed, clock, agency_row):
    wanted = InitialTokenIssue(
        agency="dinsos-pmd",
        purpose="banyak sekaligus",
        handed_to=uuid4(),
        registrations=GOOD_FOR,
        valid_until=clock.now() + timedelta(days=1),
    )
    async with committed.transaction() as session:
        await session.execute(text(agency_row), {"id": uuid4()})
        _, secret = await issue_token(session, Desk(ADMINISTRATOR, clock), wanted=wanted)
    yield secret
    async with committed.transaction() as session:
        await session.execute(text(EMPTY))


async def test_no_more_register_at_once_than_the_token_is_good_for(
    settings, committed, clock, secret
):
    metadata = {
        "grant_types": ["client_credentials"],
        "jwks": {"keys": [ECKey.generate_key("P-256").as_dict(private=False)]},
    }
    headers = {"Authorization": f"Bearer {secret}"}
    async with in_process(identity_app(settings, committed, clock)) as client:
        answers = await asyncio.gather(
            *(
                client.post("/oauth/register", json=metadata, headers=headers)
                for _ in range(AT_ONCE)
            )
        )
    made = [answer.json()["client_id"] for answer in answers if answer.status_code == 201]
    assert len(set(made)) == GOOD_FOR
    refused = [answer.status_code for answer in answers if answer.status_code != 201]
    assert refused == [401] * (AT_ONCE - GOOD_FOR)

"""A token that is made while what it stands on is being ended: its birth may read later than the end,
because the end takes effect when its transaction commits.
"""

from datetime import timedelta
from uuid import UUID

import pytest
from sebalai_identity.grants.actions import end_application_tokens, end_session_tokens
from sebalai_identity.revocations.actions import revoke

MEANWHILE = timedelta(seconds=2)


async def by_lost_answer(party, given):
    await party.refresh(given["refresh_token"])
    return lambda: party.refresh(given["refresh_token"])


async def by_itself(party, given):
    del given
    return lambda: party.token(grant_type="client_credentials", scope="bus.call")


async def end_client(session, clock, claims):
    await end_application_tokens(
        session, clock, client_id=UUID(claims["client_id"]), reason="suspended"
    )


async def end_session(session, clock, claims):
    await end_session_tokens(session, clock, session_id=UUID(claims["sid"]), reason="signed-out")


async def end_role(session, clock, claims):
    await revoke(session, clock, kind="sub", value=claims["sub"], reason="role-revoked")


@pytest.mark.parametrize(
    ("ask", "end"),
    [(by_lost_answer, end_session), (by_lost_answer, end_role), (by_itself, end_client)],
)
async def test_token_made_while_its_ground_is_being_ended_is_ended_with_it(
    race, committed, clock, ask, end
):
    party = await race()
    given = await party.sign_in()
    claims = (await party.claims_of(given["access_token"])).claims
    again = await ask(party, given)
    async with committed.transaction() as ending:
        await end(ending, clock, claims)
        clock.move(MEANWHILE)
        late = await again()
    body = late.json()
    if late.status_code == 200:
        assert await party.introspect(body["access_token"]) == {"active": False}
    else:
        assert body["error"] == "invalid_grant"

"""The audit trail: kept for ever, read by auditors, and by each actor for themselves."""

import pytest
from sebalai_shared.testing.http import system
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError


async def test_auditor_reads_every_act_and_others_only_their_own(call, own, keeper, person):
    made = await person()
    auditor = system("ID-BB/GOV/inspektorat/audit", "bus.call", "identity.audit")
    (act,) = (await call("GET", "/v1/acts", auditor)).json()["items"]
    assert (act["act"], act["subject"]) == ("identity.person.registered.v1", made["id"])
    assert (act["actor"], act["agency"]) == ("client-ID-BB/GOV/bkpsdmd/simpeg", "bkpsdmd")
    assert (await call("GET", "/v1/acts", keeper)).json()["items"] == [act]
    assert (await call("GET", "/v1/acts", own)).json()["items"] == []
    for params in ({"actor": "x"}, {"act": "x"}, {"subject": "x"}):
        assert (await call("GET", "/v1/acts", auditor, params=params)).json()["items"] == []


@pytest.mark.parametrize("change", ["UPDATE act SET actor = 'x'", "DELETE FROM act"])
async def test_act_can_neither_be_changed_nor_deleted(person, database, change):
    await person()
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.transaction() as session:
            await session.execute(text(change))

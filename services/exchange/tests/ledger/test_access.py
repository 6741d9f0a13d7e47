"""Who reads a receipt, and what everyone else is told."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from sebalai_exchange.ledger import access
from sebalai_shared.caller import Caller
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.http import system

names = st.none() | st.sampled_from(["ID-BB/GOV/a/x", "ID-BB/GOV/b/y", "ID-BB/GOV/c/z"])
agencies = st.none() | st.sampled_from(["a", "b", "c"])


@given(names, names, names, agencies)
def test_only_parties_read(application, consumer, provider, agency):
    caller = system(application) if application else Caller(kind="gateway")
    allowed = access.may_read(caller, consumer=consumer, provider=provider, agency=agency)
    is_party = application is not None and application in {consumer, provider}
    is_agency = agency is not None and caller.agency == agency
    assert allowed == (is_party or is_agency)


def test_operator_reads_all_and_anonymous_nothing():
    operator = system("ID-BB/GOV/diskominfo/operator", "platform.operate")
    assert access.may_read(operator, consumer=None, provider=None, agency=None)
    assert not access.may_read(Caller(), consumer=None, provider=None, agency=None)


def test_only_an_id_made_lately_may_still_come():
    now = datetime.now(UTC)
    made = uuid7()
    assert access.may_still_come(made, now)
    assert not access.may_still_come(made, now + timedelta(minutes=6))
    assert not access.may_still_come(made, now - timedelta(minutes=6))
    assert not access.may_still_come(UUID("6ba7b810-9dad-41d1-80b4-00c04fd430c8"), now)

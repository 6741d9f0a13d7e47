"""Time goes on while a request is answered: what it finds anew began after it did."""

from datetime import UTC, datetime, timedelta

import pytest
from sebalai_shared.testing.clock import FixedClock


class Running(FixedClock):
    """A millisecond later at every look."""

    def now(self):
        self.move(timedelta(milliseconds=1))
        return super().now()


@pytest.fixture
def clock():
    return Running(datetime(2026, 11, 24, 8, tzinfo=UTC))


async def test_key_that_was_just_read_signs_in_the_same_request(
    registrar, metadata, documents, other_key, party
):
    documents.served["/jwks"] = metadata()["jwks"]
    address = {"jwks": None, "jwks_uri": f"{documents.address}/jwks", "scope": None}
    made = await registrar.approved(metadata(grant_types=["client_credentials"], **address))
    documents.served["/jwks"] = {"keys": [other_key.as_dict(private=False)]}
    turned = await party(made, other_key).token(grant_type="client_credentials")
    assert turned.status_code == 200, turned.text

"""What an applicant owes, by the channel of filing; pure."""

from types import SimpleNamespace

import pytest
from sebalai_services_catalog.requests.paying import fee_due
from sebalai_services_catalog.requests.schema import WorkedOutFee
from sebalai_services_catalog.services.actions import Fee
from sebalai_shared.problems import FieldInvalid

FEE = Fee.model_validate(
    {
        "kind": "fixed",
        "rupiah": 250_000,
        "channels": {
            "daring": {"kind": "free"},
            "aplikasi": {"kind": "fixed", "rupiah": 100_000},
            "telepon": {"kind": "formula", "formula": "per menit"},
        },
    }
)


def owed(channel, worked_out=None, *, verified=False):
    row = SimpleNamespace(channel=channel, verified=verified)
    found = fee_due(FEE, row, worked_out)
    return found.rupiah if found else 0


@pytest.mark.parametrize(
    ("channel", "rupiah"),
    [("loket", 250_000), ("whatsapp", 250_000), ("daring", 0), ("aplikasi", 100_000)],
)
def test_a_fee_is_that_of_the_channel_it_was_filed_by(channel, rupiah):
    assert owed(channel) == rupiah
    assert owed(channel, verified=True) == 0


def test_a_formula_of_one_channel_is_worked_out_there_and_nowhere_else():
    worked_out = WorkedOutFee(rupiah=7_000, calculation="7 menit")
    assert owed("telepon", worked_out) == 7_000
    with pytest.raises(FieldInvalid):
        owed("telepon")
    with pytest.raises(FieldInvalid):
        owed("loket", worked_out)

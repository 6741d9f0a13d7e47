"""What the gateway says when it does not forward."""

import pytest
from sebalai_gateway.calls import faults

NOT_NOW = [
    faults.credential_unavailable(),
    faults.journal_unavailable(),
    faults.provider_busy(),
    faults.provider_unavailable(1.0),
    faults.routes_unavailable(),
]


@pytest.mark.parametrize("refusal", NOT_NOW, ids=lambda refusal: refusal.slug)
def test_what_is_not_there_now_is_the_server_s_fault_and_says_when_to_come_again(refusal):
    assert refusal.status == 503
    assert refusal.x_road.startswith("server.")
    assert int(dict(refusal.headers)[b"retry-after"]) >= 1

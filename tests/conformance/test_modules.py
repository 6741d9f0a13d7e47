"""One test for each of the OpenID Foundation's modules that our provider is held against."""

import pytest
from oidc_checks import everything
from oidc_checks.registry import CHECKS

assert everything


@pytest.mark.parametrize("module", [pytest.param(name, id=name) for name in CHECKS])
async def test_provider_meets(module, op, tally):
    tally.run.add(module)
    await CHECKS[module].run(op)
    tally.passed.add(module)

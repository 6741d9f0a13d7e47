"""The provider that the checks run against: ours, or the one that CONFORMANCE_FACTS describes."""

import json
import os
import sys
from pathlib import Path

import pytest
import sebalai_identity
from sebalai_shared.testing.database import fresh_database

sys.path.insert(0, str(Path(__file__).parent))
pytest.register_assert_rewrite("oidc_checks.party", "oidc_checks.basic")

from oidc_checks.house import Bell, House  # noqa: E402 - its folder is on the path only now
from oidc_checks.party import Provider  # noqa: E402
from oidc_checks.registry import Tally  # noqa: E402

PACKAGE = Path(sebalai_identity.__file__).parent


@pytest.fixture(scope="session")
async def op(request, tmp_path_factory):
    bell, given = Bell(), os.environ.get("CONFORMANCE_FACTS")
    facts = json.loads(Path(given).read_text()) if given else {}
    address = await bell.open(facts.get("bell_port", 0))
    if facts:
        provider = Provider(facts)
        await provider.discover()
        house = None
    else:
        admin = request.getfixturevalue("postgres_admin_url")
        url = await fresh_database(admin, "conformance", PACKAGE)
        house = House(tmp_path_factory.mktemp("conformance"), url, address)
        await house.start()
        provider = await house.provider()
    provider.logouts, provider.bell = bell.heard, bell
    yield provider
    await provider.http.aclose()
    if house is not None:
        house.stop()
    await bell.close()


@pytest.fixture(scope="session")
def tally(op, request):
    kept = Tally(op.refuses)
    yield kept
    request.config.stash[LINES] = list(kept.lines())


LINES = pytest.StashKey()


def pytest_terminal_summary(terminalreporter, config):
    for line in config.stash.get(LINES, []):
        terminalreporter.write_line(line)

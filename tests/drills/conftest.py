"""Drills run on the flows' platform fixture; `make drills` makes them long, CI runs the short version."""

import importlib.util
import os
from pathlib import Path

import pytest

_flows = Path(__file__).parents[1] / "flows" / "conftest.py"
_spec = importlib.util.spec_from_file_location("flows_conftest", _flows)
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
platform = _module.platform


@pytest.fixture(scope="session")
def kills():
    """How many kills a storm has: SEBALAI_DRILL_KILLS, ten by default."""
    return int(os.environ.get("SEBALAI_DRILL_KILLS", "10"))


@pytest.fixture(autouse=True)
def well(platform):
    """A drill finds a platform that has got over the drill before."""
    platform.wait_until_well()

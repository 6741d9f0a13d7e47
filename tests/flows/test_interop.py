"""Libraries written by others complete their flows against the platform (`make interop`)."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECONDS_MAX = 600


@pytest.mark.flow
@pytest.mark.timeout(SECONDS_MAX + 60)
@pytest.mark.skipif(shutil.which("npm") is None, reason="needs node 20 with npm")
def test_libraries_of_others_complete_their_flows(platform):
    ran = subprocess.run(
        ["bash", "tests/interop/run.sh"],
        cwd=ROOT,
        env=os.environ | {"INTEROP_HOME": str(platform.home), "INTEROP_PORT": str(platform.base)},
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
    )
    print(ran.stdout)
    failed = [line for line in ran.stdout.splitlines() if line.startswith("FAILED")]
    assert ran.returncode == 0, (failed, ran.stderr[-2000:])

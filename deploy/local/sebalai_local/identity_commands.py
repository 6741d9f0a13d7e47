"""Identity's own commands, for what must be made before anybody has a token for its API."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from sebalai_local import processes
from sebalai_local.failures import Failure
from sebalai_local.home import Home, project_root
from sebalai_local.launching import own_environment

COMMAND_SECONDS = 180  # a cold start of the interpreter on a busy machine takes a minute


def run_identity(
    home: Home, task: str, *words: str, environment: Mapping[str, str] | None = None
) -> Any:
    """Runs `python -m sebalai_identity WORDS`; answers what it printed last. `task` is told when
    it fails; `environment` is the command's, if it is not this machine's.

    Raises: Failure.
    """
    theirs = environment or processes.member_environment(home, "identity")
    done = subprocess.run(
        [sys.executable, "-m", "sebalai_identity", *words],
        env={**own_environment(), **theirs},
        cwd=project_root(),
        capture_output=True,
        timeout=COMMAND_SECONDS,
        check=False,
        text=True,
    )
    if done.returncode != 0:
        raise Failure(f"{task} failed:\n{done.stderr.strip()}", "See above.")
    return json.loads(done.stdout.strip().splitlines()[-1])

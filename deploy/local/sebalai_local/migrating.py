"""Migrations and reference data of all members while the engines run."""

from __future__ import annotations

import subprocess
import sys

from sebalai_local import processes
from sebalai_local.failures import Failure
from sebalai_local.home import Home, project_root
from sebalai_local.launching import own_environment

MIGRATE_SECONDS = 300


def migrate_all(home: Home) -> None:
    """One member after the other. Raises: Failure, at the first that fails."""
    for member in (one for one in processes.MEMBERS if one.has_database):
        for command in ("migrate", "load"):
            done = subprocess.run(
                [sys.executable, "-m", member.package, command],
                env={**own_environment(), **processes.member_environment(home, member.name)},
                cwd=project_root(),
                timeout=MIGRATE_SECONDS,
                check=False,
            )
            if done.returncode != 0:
                raise Failure(f"{member.name} {command} failed.", "Its words stand above.")
            print(f"{member.name}: {command} done")

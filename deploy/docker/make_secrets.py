# ruff: noqa: INP001 - a script of its own, run by init-secrets
"""Every secret of the compose platform, by the same code that makes the embedded platform's.

Usage: make_secrets.py FOLDER [--ledger NAME], which makes what is missing; with a name, a key for
logs of that name in place of the present one, which is kept beside it. Below the folder: `secrets/`
(engines, members), `keys/` (applications), `credentials/` (yours: what providers know the gateway
by), and `ledger.vkey`, the public keys with which anyone checks a receipt.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sebalai_local import secrets
from sebalai_local.home import Home
from sebalai_local.province import seed


def main(folder: Path) -> None:
    home = Home(folder)
    for room in (home.root, home.secrets, home.keys, home.root / "credentials"):
        room.mkdir(mode=0o700, parents=True, exist_ok=True)
    secrets.ensure(home)
    for application in seed().applications:
        secrets.ensure_application_key(home, application.agency, application.name)
    for path in (*home.secrets.iterdir(), *home.keys.iterdir()):
        path.chmod(0o600)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    if sys.argv[2:3] == ["--ledger"]:
        secrets.rename_ledger(Home(Path(sys.argv[1])), sys.argv[3])

"""`platform.json`: the stable door for scripts and tools (wiring, section 13)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sebalai_local import applications, example, people
from sebalai_local.home import INSTANCE, Home
from sebalai_local.province import full, seed


def content(home: Home) -> dict[str, Any]:
    # Of an interface with several agreements the seed's first one is told.
    purposes = {one.interface: one.purposes[0]["code"] for one in reversed(seed().agreements)}
    names = [f"{one.provider}/{one.name}" for one in seed().interfaces]
    return {
        "gateway": home.gateway_url,
        **({"govstack": home.url("govstack")} if home.has_govstack else {}),
        "portal": f"{home.gateway_url}/",
        "issuer": home.gateway_url,
        "instance": INSTANCE,
        "home": home.shown(home.root),
        "ledger_key_file": home.shown(home.root / "ledger.vkey"),
        "applications": [
            {
                **one.model_dump(exclude={"client", "scopes"}),
                "key_file": home.shown(applications.key_of(one)),
            }
            for one in applications.known(home)
        ],
        "people": [
            {**one.model_dump(), "password_file": home.shown(Path(one.password_file))}
            for one in people.known(home)
        ],
        "interfaces": [
            {
                "name": full(name),
                "purpose": purposes.get(name),
                "address": f"{home.gateway_url}/r1/{full(name)}",
            }
            for name in names
        ],
        "example_call": example.as_typed(home),
    }


def write(home: Home) -> None:
    unfinished = home.platform_file.with_suffix(".new")
    unfinished.write_text(json.dumps(content(home), indent=2) + "\n", encoding="utf-8")
    unfinished.rename(home.platform_file)

"""docs/contracts is what outsiders build on: it must say what the code does, no more and no less.

After a change on purpose run each member's `contracts` (`make contracts-write`) and read the diff.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "docs/contracts"
MEMBERS = ("identity", "services_catalog", "archive", "exchange")
OWNERS = {"identity", "catalog", "archive", "exchange"}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The contracts of every member, written anew."""
    folder = tmp_path_factory.mktemp("contracts")
    for member in MEMBERS:
        subprocess.run(
            [sys.executable, "-m", f"sebalai_{member}", "contracts"], cwd=folder, check=True
        )
    return folder / "docs/contracts"


def documents(folder):
    return {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*.json"))}


def test_what_is_published_is_what_the_code_says(written):
    fresh, kept = documents(written), documents(PUBLISHED)
    assert len(fresh) >= 12
    assert set(fresh) == set(kept)
    changed = [name for name, path in fresh.items() if path.read_text() != kept[name].read_text()]
    assert changed == []


def test_events_are_named_by_owner_noun_past_verb_and_version():
    names = [path.stem for path in (PUBLISHED / "events").glob("*.json")]
    assert len(names) >= 8
    for name in names:
        owner, noun, verb, version = name.split(".")
        assert owner in OWNERS
        assert noun
        assert verb.endswith("ed")
        assert version[0] == "v"
        assert version[1:].isdigit()


def test_no_event_carries_a_name_or_a_nik():
    for path in (PUBLISHED / "events").glob("*.json"):
        text = json.dumps(json.loads(path.read_text()).get("properties", {})).lower()
        assert '"nik"' not in text
        assert '"name"' not in text


@pytest.mark.parametrize("member", sorted(OWNERS))
def test_every_creating_post_takes_an_idempotency_key(member):
    paths = json.loads((PUBLISHED / f"{member}.openapi.json").read_text())["paths"]
    for path, operations in paths.items():
        post = operations.get("post")
        if post and "201" in post["responses"] and not path.startswith("/oauth"):
            headers = {p["name"].lower() for p in post.get("parameters", [])}
            assert "idempotency-key" in headers, path

"""The guide's first exchange and first event, run word for word."""

import ast
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs/guide"
BLOCK = re.compile(
    r"^```(\w+)(?: file=(\S+))?(?: needs=(\S+))?\n(.*?)^```", re.MULTILINE | re.DOTALL
)
LINES_MAX = 40
GUIDE_SECONDS = 120


@pytest.fixture
def folder(tmp_path):
    """What the reader has in front of him: a shell, the tools, and the files he typed."""
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    yield tmp_path
    for pid in tmp_path.glob("*.pid"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid.read_text()), signal.SIGKILL)


def follow(page, folder, environment):
    """Does what the page says; answers what it printed. What needs a missing tool is left out."""
    script = ["set -eu -o pipefail"]
    for language, name, needs, body in BLOCK.findall((GUIDE / page).read_text(encoding="utf-8")):
        if name:
            assert len(body.splitlines()) <= LINES_MAX
            (folder / name).write_text(body, encoding="utf-8")
        elif language == "bash" and (not needs or shutil.which(needs)):
            script.append(body)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)], cwd=folder, capture_output=True, check=False, text=True,
        env=environment | {"PROVIDER_PORT": port, "HOOK_PORT": port}, timeout=GUIDE_SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_message_a_file_and_a_refusal_pass_as_the_guide_says(platform, folder):
    """By curl always; by the guide's program too where Node is installed."""
    printed = follow("first-exchange.md", folder, platform.env)
    by_curl = {
        name: (folder / f"{name}.txt").read_text() for name in ("message", "file", "refusal")
    }
    assert re.fullmatch(r"\{.*ID-BB/GOV/dinsos-pmd/bansos.*\} 200\n", by_curl["message"])
    assert re.fullmatch(r'\{"bytes": 18,.*\} 201\n', by_curl["file"])
    assert re.fullmatch(r"\{.*rule-missing.*\} 403\n", by_curl["refusal"])
    assert "OK   call" in printed
    assert json.loads((folder / "receipt.json").read_text())["payload"]["status"] == 200
    if shutil.which("node"):
        said = (folder / "said.txt").read_text()
        assert re.search(r"^GET /children/a-1 200 .*ID-BB/GOV/dinsos-pmd", said, re.MULTILINE)
        assert re.search(r'^POST /lists 201 \{"bytes": 18', said, re.MULTILINE)
        assert re.search(r"^DELETE /children/a-1 403 .*rule-missing", said, re.MULTILINE)


def test_events_arrive_once_each_and_are_proven_as_the_guide_says(platform, folder):
    follow("first-event.md", folder, platform.env)
    heard = (folder / "heard.txt").read_text().splitlines()
    assert [ast.literal_eval(line)["dose"] for line in heard] == [1, 2]
    (receiver,) = json.loads((folder / "received.json").read_text())["receivers"]
    assert (receiver["state"], receiver["attempts"]) == ("delivered", 2)
    leased = json.loads((folder / "leased.json").read_text())["events"]
    assert [one["event"]["data"]["dose"] for one in leased] == [1, 2]

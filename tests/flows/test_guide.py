"""The guide's first exchange, run word for word."""

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
GUIDE = ROOT / "docs/guide/first-exchange.md"
BLOCK = re.compile(
    r"^```(\w+)(?: file=(\S+))?(?: needs=(\S+))?\n(.*?)^```", re.MULTILINE | re.DOTALL
)
LINES_MAX = 40


@pytest.fixture
def folder(tmp_path):
    """What the reader has in front of him: a shell, the tools, and the files he typed."""
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    yield tmp_path
    pid = tmp_path / "provider.pid"
    if pid.exists():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid.read_text()), signal.SIGKILL)


def test_a_message_a_file_and_a_refusal_pass_as_the_guide_says(platform, folder):
    """By curl always; by the guide's program too where Node is installed."""
    script, has_node = ["set -eu -o pipefail"], shutil.which("node") is not None
    for language, name, needs, body in BLOCK.findall(GUIDE.read_text(encoding="utf-8")):
        if name:
            assert len(body.splitlines()) <= LINES_MAX
            (folder / name).write_text(body, encoding="utf-8")
        elif language == "bash" and (has_node or needs != "node"):
            script.append(body)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)], cwd=folder, capture_output=True, check=False, text=True,
        env=platform.env | {"PROVIDER_PORT": str(port)}, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    by_curl = {
        name: (folder / f"{name}.txt").read_text() for name in ("message", "file", "refusal")
    }
    assert re.fullmatch(r"\{.*ID-BB/GOV/dinsos-pmd/bansos.*\} 200\n", by_curl["message"])
    assert re.fullmatch(r'\{"bytes": 18,.*\} 201\n', by_curl["file"])
    assert re.fullmatch(r"\{.*rule-missing.*\} 403\n", by_curl["refusal"])
    assert "OK   call" in done.stdout
    assert json.loads((folder / "receipt.json").read_text())["payload"]["status"] == 200
    if has_node:
        said = (folder / "said.txt").read_text()
        assert re.search(r"^GET /children/a-1 200 .*ID-BB/GOV/dinsos-pmd", said, re.MULTILINE)
        assert re.search(r'^POST /lists 201 \{"bytes": 18', said, re.MULTILINE)
        assert re.search(r"^DELETE /children/a-1 403 .*rule-missing", said, re.MULTILINE)

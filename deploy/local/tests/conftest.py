"""One platform a test: its own home, its own ports, and nothing left of it afterwards."""

import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from sebalai_local import lifecycle, state
from sebalai_local.engines import place
from sebalai_local.home import OFFSETS, Home
from sebalai_local.units import is_free

FAKE = Path(__file__).with_name("fake_platform.py")
PATIENCE_SECONDS = 40


def free_base_port():
    # Begun anywhere: another test run on this machine looks for free ports at the same time.
    bases = list(range(12_000, 18_000, 40))
    random.shuffle(bases)
    for base in bases:
        if all(is_free(base + offset) for offset in OFFSETS.values()):
            return base
    raise AssertionError("no free base port between 12000 and 18000")


class Platform:
    def __init__(self, home, kind):
        self.home, self.kind = home, kind

    @property
    def environment(self):
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith("SEBALAI_")
        }
        return kept | {
            "SEBALAI_HOME": str(self.home.root),
            "SEBALAI_PORT": str(self.home.base_port),
        }

    def up(self):
        command = [sys.executable, str(FAKE), self.kind, "up"]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        )

    def cli(self, *arguments):
        command = [sys.executable, "-m", "sebalai_local", *arguments]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        )

    @property
    def state(self):
        return state.read(self.home)

    def of(self, name):
        return next(one for one in self.state.processes if one.name == name)

    def kill(self, name):
        one = self.of(name)
        state.find(one.pid, one.created).send_signal(signal.SIGKILL)
        return one.pid

    def wait(self, condition):
        """Until the condition holds; the bound only ends a test that would hang."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, self.state
            time.sleep(0.05)


@pytest.fixture
def make_platform():
    made = []

    def make(kind="plain"):
        root = Path(tempfile.mkdtemp(prefix="sebalai-"))
        root.chmod(0o711)
        platform = Platform(Home(root, free_base_port()), kind)
        made.append(platform)
        return platform

    yield make
    for platform in made:
        lifecycle.down(platform.home)
        shutil.rmtree(platform.home.root, ignore_errors=True)


@pytest.fixture
def listener():
    """Opens a listening socket on a port, as a foreign process would hold it."""
    held = []

    def listen(port):
        one = socket.create_server(("127.0.0.1", port))
        held.append(one)
        return one

    yield listen
    for one in held:
        one.close()


class Nobody:
    """An ordinary user who runs our code with an interpreter that user can execute."""

    def __init__(self):
        user = pwd.getpwnam("nobody")
        self.uid, self.gid = user.pw_uid, user.pw_gid
        # Ours may lie under a closed home directory.
        ours = Path(os.path.realpath(sys.executable))
        is_open = place._can_walk(ours, self.uid, self.gid)
        self.python = sys.executable if is_open else f"/usr/bin/python3.{sys.version_info.minor}"

    def run(self, *arguments, **environment):
        return subprocess.run(
            [self.python, *arguments],
            user=self.uid,
            group=self.gid,
            extra_groups=[],
            env={
                "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
                "PYTHONPATH": ":".join(filter(None, sys.path)),
                **environment,
            },
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def nobody():
    return Nobody()

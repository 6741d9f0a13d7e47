"""GovStack's listener beside a running platform, and a program that knows GovStack's texts alone."""

import contextlib
import time
from pathlib import Path

import httpx
from sebalai_local.home import Home
from sebalai_local.launching import launch
from sebalai_local.processes import govstack

START_SECONDS = 60


@contextlib.contextmanager
def listener(platform):
    """The process as `SEBALAI_GOVSTACK=on make up` starts it; answers its address."""
    home = Home(Path(platform.home), platform.base)
    unit = govstack(home)
    process = launch(unit.program(), home.logs / "govstack.log")
    try:
        until = time.monotonic() + START_SECONDS
        while not unit.is_ready(0):
            assert process.poll() is None, (home.logs / "govstack.log").read_text()
            assert time.monotonic() < until, "it does not get ready"
            time.sleep(0.1)
        yield home.url("govstack")
    finally:
        process.terminate()
        process.wait(20)


class Program:
    """Whom it names itself and the paths are GovStack's; what GovStack has no word for (a token, a
    purpose) is set once in its HTTP client.
    """

    def __init__(self, platform, address, name, purpose=None, header="Information-Mediator-Client"):
        self.name = f"ID-BB/GOV/{name}"
        told = {"authorization": f"Bearer {platform.token(name)}", header: self.name}
        purposes = {} if purpose is None else {"sebalai-purpose": purpose}
        self._address, self._told = address, told | purposes

    def __call__(self, method, path, **more):
        headers = self._told | more.pop("headers", {})
        return httpx.request(method, self._address + path, headers=headers, timeout=15, **more)

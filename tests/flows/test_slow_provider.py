"""A provider that accepts and never answers: 504 in its interface's own time, with a receipt."""

import contextlib
import json
import socket
import time
from datetime import timedelta

import httpx
import pytest
from sebalai_shared.clock import SystemClock, to_text
from sebalai_shared.ids import uuid7

pytestmark = pytest.mark.flow
OWNER = "dp3acskb/kependudukan"
NAME = f"ID-BB/GOV/{OWNER}/lambat"
PURPOSE = "uji-lambat"


@contextlib.contextmanager
def silent_provider():
    """Accepts connections in its backlog and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def post(platform, application, path, body=None):
    headers = {
        "authorization": f"Bearer {platform.token(application)}", "idempotency-key": str(uuid7()),
    }  # fmt: skip
    url = f"{platform.gateway}/api/exchange{path}"
    answer = httpx.post(url, json=body, headers=headers)
    assert answer.is_success, answer.text
    return answer.json()


PATHS = {"/x": {"get": {"responses": {"200": {"description": "never comes"}}}}}


def agree(platform, address):
    contract = {"openapi": "3.1.0", "info": {"title": "lambat", "version": "1"}, "paths": PATHS}
    limits = {"connect_timeout_ms": 500, "read_timeout_ms": 500, "total_timeout_ms": 2000}
    interface = {"name": NAME, "title": "Lambat", "addresses": [address], "contract": contract}
    post(platform, OWNER, "/v1/interfaces", interface | {"limits": limits})
    wanted = {
        "consumer": f"ID-BB/GOV/{platform.granted}", "interface": NAME,
        "rules": [{"method": "GET", "path": "/**"}],
        "purposes": [{"code": PURPOSE, "legal_basis": "uji"}],
        "valid_until": to_text(SystemClock().now() + timedelta(days=200)),
    }  # fmt: skip
    asked = post(platform, platform.granted, "/v1/agreements", wanted)
    post(platform, OWNER, f"/v1/agreements/{asked['id']}/grant")


def call_when_routed(platform):
    """The first call that the new agreement has reached."""
    headers = platform.headers(purpose=PURPOSE)
    for _ in range(100):
        answer = httpx.get(f"{platform.gateway}/r1/{NAME}/x", headers=headers, timeout=20)
        if answer.status_code not in (403, 404):
            return answer
        time.sleep(0.1)
    raise AssertionError(answer.text)


def test_a_slow_provider_has_its_own_answer_and_a_receipt(platform):
    with silent_provider() as address:
        agree(platform, address)
        answer = call_when_routed(platform)
    assert answer.status_code == 504, answer.text
    problem = answer.json()
    assert problem["type"] == "urn:sebalai:problem:provider-timeout"
    assert problem["detail"].endswith(".")
    receipt = platform.receipt(problem["message_id"])
    payload = json.loads(receipt)["payload"]
    assert (payload["outcome"], payload["status"]) == ("failed", 504)
    assert platform.verify(receipt).returncode == 0

"""A province and a regency, each with a platform of its own: calls pass both ways after both name
each other, both ledgers prove them, and either side ends it.
"""

import asyncio
import http.server
import json
import shutil
import tempfile
import threading
import time
from pathlib import Path

import httpx
import pytest
from sebalai_identity.settings import IdentitySettings
from sebalai_local.home import Home
from sebalai_local.processes import member_environment
from sebalai_shared.ids import uuid7

from tests.flows.representing import Acting, representative

pytestmark = [pytest.mark.flow, pytest.mark.timeout(900)]

REGENCY = "ID-BK"
NIB = "8120001234570"
CONSUMER, PROVIDER, OPERATOR = "dinsos-pmd/bansos", "dp3acskb/kependudukan", "diskominfo/sebalai"
DIRECTORY = "/.well-known/http-message-signatures-directory"
PATIENCE_SECONDS, REVOKED_SECONDS = 60, 2.0
CONTRACT = {
    "openapi": "3.1.0", "info": {"title": "Catatan", "version": "1"},
    "paths": {"/notes": {"post": {"responses": {"200": {"description": "ok"}}}}},
}  # fmt: skip


class System(http.server.BaseHTTPRequestHandler):
    """A system of the regency; it tells who the gateway says calls."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        said = json.dumps(
            {
                "client": self.headers["X-Road-Client"], "heard": body.decode(),
                "party": self.headers["Sebalai-Represented-Party"],
            }
        ).encode()  # fmt: skip
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_):
        pass


@pytest.fixture
def system():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), System)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def regency(platform):
    """A second platform beside the first, as another instance."""
    home = Path(tempfile.mkdtemp(prefix="sebalai-flow-"))
    made = type(platform)(home, platform.base + 1_000)
    made.env["SEBALAI_INSTANCE"] = REGENCY
    started = made.run("up", check=False, timeout=400)
    try:
        assert started.returncode == 0, started.stdout + started.stderr
        yield made
    finally:
        made.run("down", check=False)
        shutil.rmtree(home, ignore_errors=True)


def ask(platform, name, method, path, body=None):
    headers = {"authorization": f"Bearer {platform.token(name)}", "idempotency-key": str(uuid7())}
    url = f"{platform.gateway}/api/exchange/v1/{path}"
    answer = httpx.request(method, url, headers=headers, json=body, timeout=60)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def name_peer(platform, other, offers):
    """All that the operator of one side says of the other."""
    keys = httpx.get(f"{other.gateway}{DIRECTORY}", timeout=30).json()["keys"]
    ledger = (other.home / "ledger.vkey").read_text().strip()
    body = {"gateway": other.gateway, "keys": keys, "ledger_key": ledger, "offers": offers}
    ask(platform, OPERATOR, "PUT", f"peers/{other.facts['instance']}", body)


def agree(platform, asked_by, consumer, interface):
    made = ask(platform, asked_by, "POST", "agreements", {
        "consumer": consumer, "interface": interface,
        "rules": [{"method": "POST", "path": "/notes"}],
        "purposes": [{"code": "rujukan", "legal_basis": "UU 17/2023"}],
        "valid_until": "2030-01-01T00:00:00Z",
    })  # fmt: skip
    ask(platform, OPERATOR, "POST", f"agreements/{made['id']}/grant")
    return made["id"]


def call(platform, interface):
    headers = platform.headers(CONSUMER, "rujukan")
    url = f"{platform.gateway}/r1/{interface}/notes"
    return httpx.post(url, headers=headers, content=b"rujukan 7", timeout=30)


def until(ask_it, wanted, seconds=PATIENCE_SECONDS):
    ends = time.monotonic() + seconds
    while (found := ask_it()) != wanted:
        assert time.monotonic() < ends, found
        time.sleep(0.1)


def slug(answer):
    return answer.status_code, answer.json().get("type", "").rpartition(":")[2]


def _for_a_business(platform, regency, interface):
    """The regency's system hears for which business, both ledgers keep the province's id of it, and
    neither the number.
    """
    told = member_environment(Home(platform.home, platform.base), "identity")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in told.items():
            patch.setenv(name, value)
        settings = IdentitySettings.from_environment()
    key = platform.key(CONSUMER)
    business, cookie = asyncio.run(representative(settings, key, CONSUMER, NIB))
    acting = Acting(platform, CONSUMER, business, cookie)
    answer = acting.call(interface, "rujukan", "/notes", b"rujukan 8")
    assert answer.status_code == 200, answer.text
    assert answer.json()["party"] == f"COM/{NIB}"
    ours = platform.receipt(answer.headers["sebalai-message-id"])
    number = json.loads(ours)["payload"]["onward"]["message_id"]
    theirs = regency.receipt(number, PROVIDER)
    assert json.loads(ours)["payload"]["acting_for"] == business
    assert json.loads(theirs)["payload"]["acting_for"] == f"ID-BB/{business}"
    assert NIB not in ours + theirs


def test_two_instances_exchange_calls_by_mutual_consent(platform, regency, system):
    interface = f"{regency.application(PROVIDER)['identifier']}/catatan"
    consumer = platform.application(CONSUMER)["identifier"]
    offer = {"name": interface, "addresses": [system], "contract": CONTRACT}
    ask(regency, PROVIDER, "POST", "interfaces", offer)
    # The province names the regency and has its interface; the regency has not said yes.
    name_peer(platform, regency, [])
    there = offer | {"addresses": [f"{regency.gateway}/r1/{interface}"]}
    ask(platform, OPERATOR, "POST", "interfaces", there)
    agree(platform, CONSUMER, consumer, interface)
    until(lambda: slug(call(platform, interface)), (401, "peer-not-proven"))
    # It names the province, offers nothing; then offers, without an agreement; then agrees.
    name_peer(regency, platform, [])
    until(lambda: slug(call(platform, interface)), (403, "peer-not-offered"))
    name_peer(regency, platform, [interface])
    until(lambda: slug(call(platform, interface)), (403, "agreement-missing"))
    agreement = agree(regency, PROVIDER, consumer, interface)
    until(lambda: call(platform, interface).status_code, 200)

    answer = call(platform, interface)
    assert answer.json() == {"client": consumer, "heard": "rujukan 7", "party": None}
    ours = json.loads(receipt := platform.receipt(answer.headers["sebalai-message-id"]))["payload"]
    assert platform.verify(receipt).returncode == 0
    number = ours["onward"]["message_id"]
    assert ours["onward"]["instance"] == REGENCY
    proof = regency.receipt(number, PROVIDER)
    theirs = json.loads(proof)["payload"]
    # The province checks the regency's receipt by the key that it was told.
    told = ask(platform, CONSUMER, "GET", "peers")["items"][0]["ledger_key"]
    assert regency.verify(proof, told).returncode == 0
    assert theirs["correlation_id"] == ours["message_id"]
    assert (theirs["consumer"], theirs["client_id"]) == (consumer, "peer:ID-BB")
    assert theirs["agreement"] == agreement != ours["agreement"]
    for side in ("request", "response"):
        assert theirs[side] == ours[side]

    _for_a_business(platform, regency, interface)

    # Either side ends it, for every call later than two seconds.
    ask(regency, OPERATOR, "POST", "peers/ID-BB/end", {"reason": "perjanjian berakhir"})
    time.sleep(REVOKED_SECONDS)
    assert slug(call(platform, interface)) == (401, "peer-not-proven")
    name_peer(regency, platform, [interface])
    until(lambda: call(platform, interface).status_code, 200)
    ask(platform, OPERATOR, "POST", f"peers/{REGENCY}/end", {"reason": "perjanjian berakhir"})
    time.sleep(REVOKED_SECONDS)
    assert slug(call(platform, interface)) == (403, "peer-unknown")

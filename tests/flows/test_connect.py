"""Two systems that know plain HTTP only exchange signed messages, each beside its connector."""

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import httpx
import pytest
from sebalai_shared.ids import uuid7

pytestmark = [pytest.mark.flow, pytest.mark.timeout(300)]

BIN = Path(sys.executable).parent
CONSUMER, PROVIDER = "dinsos-pmd/bansos", "dp3acskb/kependudukan"
PATIENCE_SECONDS = 60
CONTRACT = {
    "openapi": "3.1.0", "info": {"title": "Kartu", "version": "1"},
    "paths": {"/cards/{id}": {"post": {"responses": {"200": {"description": "ok"}}}}},
}  # fmt: skip


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Legacy(BaseHTTPRequestHandler):
    """Twenty years old, and knows nothing of tokens, purposes or signatures."""

    heard: ClassVar = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.heard.append((self.path, body, self.headers["X-Road-Client"]))
        answer = b"card of " + body
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


@pytest.fixture
def legacy():
    Legacy.heard = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Legacy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@contextlib.contextmanager
def connector(platform, folder, name, text):
    """`sebalai connect` for one application of the platform."""
    application = platform.application(name)
    file = folder / f"{application['name']}.toml"
    key = Path(application["key_file"])
    head = [f'gateway = "{platform.gateway}"', f'client_id = "{application["client_id"]}"']
    head += [f'key_file = "{key if key.is_absolute() else Path.cwd() / key}"']
    file.write_text("\n".join(head) + "\n" + text)
    checked = subprocess.run(
        [BIN / "sebalai", "connect", file, "--check"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    process = subprocess.Popen([BIN / "sebalai", "connect", file, "--json"], stdout=subprocess.PIPE)
    try:
        assert json.loads(process.stdout.readline())["gateway"] == platform.gateway
        yield file
    finally:
        process.terminate()
        assert process.wait(30) == 0
        process.stdout.close()


def eventually(ask, wanted):
    until = time.monotonic() + PATIENCE_SECONDS
    while (found := ask()) != wanted:
        assert time.monotonic() < until, found
        time.sleep(0.3)


def agreed(platform, address):
    """An interface at that address, and an agreement that both sides sign."""
    api = f"{platform.gateway}/api/exchange/v1"
    provider = platform.application(PROVIDER)["identifier"]

    def post(name, path, body=None):
        headers = {"authorization": f"Bearer {platform.token(name)}"}
        headers["idempotency-key"] = str(uuid7())
        answer = httpx.post(f"{api}/{path}", headers=headers, json=body, timeout=30)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    interface = f"{provider}/kartu"
    post(PROVIDER, "interfaces", {"name": interface, "addresses": [address], "contract": CONTRACT})
    made = post(CONSUMER, "agreements", {
        "consumer": platform.application(CONSUMER)["identifier"], "interface": interface,
        "rules": [{"method": "POST", "path": "/cards/*"}],
        "purposes": [{"code": "verifikasi-bansos", "legal_basis": "Permensos 3/2021"}],
        "valid_until": "2030-01-01T00:00:00Z", "signing": "both",
    })  # fmt: skip
    post(PROVIDER, f"agreements/{made['id']}/grant")
    return interface


def said(url, body, **headers):
    """Status, headers and body of what plain HTTP is answered."""
    answer = httpx.post(url, content=body, headers=headers, timeout=30)
    return answer.status_code, answer.headers, answer.content


def test_plain_systems_exchange_signed_messages_and_prove_them_offline(platform, legacy, tmp_path):
    inward, outward = free_port(), free_port()
    interface = agreed(platform, f"http://127.0.0.1:{inward}")
    provides = f'[provide]\nlisten = "127.0.0.1:{inward}"\nforward_to = "{legacy}"\n'
    kept = tmp_path / "exchanges"
    consumes = (
        f'ledger_key_file = "{platform.home / "ledger.vkey"}"\nexchanges_dir = "{kept}"\n'
        f'[consume]\nlisten = "127.0.0.1:{outward}"\nsign = true\nverify_receipts = true\n'
        f'[consume.calls.kartu]\ninterface = "{interface}"\npurpose = "verifikasi-bansos"\n'
    )
    url = f"http://127.0.0.1:{outward}"
    with (
        connector(platform, tmp_path, PROVIDER, provides),
        connector(platform, tmp_path, CONSUMER, consumes),
    ):
        eventually(lambda: said(f"{url}/kartu/cards/7?a=%20b", b"Siti")[0], 200)
        status, headers, body = said(f"{url}/kartu/cards/7?a=%20b", b"Siti")
        assert (status, body) == (200, b"card of Siti")
        path, heard, client = Legacy.heard[-1]
        assert (path, heard) == ("/cards/7?a=%20b", b"Siti")
        assert client == platform.application(CONSUMER)["identifier"]
        # Nobody but the gateway reaches the system through its connector.
        before = len(Legacy.heard)
        status, _, told = said(f"http://127.0.0.1:{inward}/cards/7", b"x")
        assert (status, json.loads(told)["type"]) == (
            403,
            "urn:sebalai:problem:connect-not-the-gateway",
        )
        # Nor does anybody without a signature reach the connector through the gateway.
        plain = httpx.post(
            f"{platform.gateway}/r1/{interface}/cards/7", content=b"x",
            headers=platform.headers(CONSUMER, "verifikasi-bansos"),
        )  # fmt: skip
        assert (plain.status_code, plain.json()["type"]) == (
            403,
            "urn:sebalai:problem:signature-missing",
        )
        assert len(Legacy.heard) == before
        status, _, told = said(f"{url}/lain/x", b"")
        assert (status, json.loads(told)["detail"]) == (404, "Under /NAME/… there is: kartu.")
        number = headers["Sebalai-Message-Id"]
        eventually(lambda: healthy(url)["verified"] >= 2, True)
        assert healthy(url)["failed"] == 0
    receipt = tmp_path / "receipt.json"
    receipt.write_text(platform.receipt(number))
    signers = tmp_path / "signers.json"
    keys = [platform.key(name).as_dict(private=False) for name in (CONSUMER, PROVIDER)]
    signers.write_text(json.dumps({"keys": keys}))
    command = [BIN / "sebalai-verify", receipt, "--key", platform.home / "ledger.vkey"]
    command += ["--exchange", kept / f"{number}.json", "--signers", signers]
    proven = subprocess.run(command, capture_output=True, text=True, check=False)
    assert proven.returncode == 0, proven.stderr
    for side, name in (("request", CONSUMER), ("response", PROVIDER)):
        assert f"{side} signed by {platform.key(name).thumbprint()}" in proven.stdout
    assert kept.stat().st_mode & 0o077 == 0


def healthy(url):
    return httpx.get(f"{url}/-/health", timeout=30).json()["receipts"]

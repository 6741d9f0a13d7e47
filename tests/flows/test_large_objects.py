"""A file larger than the interface takes at once passes in parts over a line that is cut, and the
receipts of its parts prove the whole.
"""

import base64
import hashlib
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from sebalai_shared.ids import uuid7
from tusclient.client import TusClient

pytestmark = [pytest.mark.flow, pytest.mark.timeout(300)]

ROOT, BIN = Path(__file__).parents[2], Path(sys.executable).parent
CONSUMER, PROVIDER = "dinsos-pmd/bansos", "dp3acskb/kependudukan"
PART = 512 * 1024
WHOLE = 5 * PART + 77
PATIENCE_SECONDS = 60
METHODS = ("POST", "HEAD", "PATCH", "GET")
CONTRACT = {
    "openapi": "3.1.0", "info": {"title": "Berkas", "version": "1"},
    "paths": {"/files": {"post": {"responses": {"201": {"description": "begun"}}}}},
}  # fmt: skip


@pytest.fixture
def files():
    """The provider's port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, ROOT / "tests/systems/large_files.py", str(port)])
    yield port
    process.terminate()
    process.wait(30)


def agreed(platform, port):
    api = f"{platform.gateway}/api/exchange/v1"

    def post(name, path, body=None):
        headers = {"authorization": f"Bearer {platform.token(name)}"}
        headers["idempotency-key"] = str(uuid7())
        answer = httpx.post(f"{api}/{path}", headers=headers, json=body, timeout=30)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    interface = f"{platform.application(PROVIDER)['identifier']}/berkas"
    post(PROVIDER, "interfaces", {
        "name": interface, "addresses": [f"http://127.0.0.1:{port}"], "contract": CONTRACT,
        "limits": {"max_request_bytes": PART},
    })  # fmt: skip
    made = post(CONSUMER, "agreements", {
        "consumer": platform.application(CONSUMER)["identifier"], "interface": interface,
        "rules": [{"method": method, "path": "/files/**"} for method in METHODS]
        + [{"method": "POST", "path": "/files"}],
        "purposes": [{"code": "berkas", "legal_basis": "Permensos 3/2021"}],
        "valid_until": "2030-01-01T00:00:00Z",
    })  # fmt: skip
    post(PROVIDER, f"agreements/{made['id']}/grant")
    return f"{platform.gateway}/r1/{interface}/files"


def begun(url, headers, length):
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        told = {**headers, "Upload-Length": str(length), "Tus-Resumable": "1.0.0"}
        answer = httpx.post(url, headers=told, timeout=30)
        if answer.status_code == 201:
            return answer
        assert time.monotonic() < until, answer.text
        time.sleep(0.3)


def cut(url, headers, data):
    """Sends the head of a part, half of it, and lets the line break."""
    parts = httpx.URL(url)
    lines = [f"PATCH {parts.raw_path.decode()} HTTP/1.1", f"Host: {parts.netloc.decode()}"]
    told = headers | {
        "Content-Length": str(len(data)), "Tus-Resumable": "1.0.0", "Upload-Offset": "0",
        "Content-Type": "application/offset+octet-stream",
    }  # fmt: skip
    lines += [f"{name}: {value}" for name, value in told.items()]
    with socket.create_connection((parts.host, parts.port)) as line:
        line.sendall("\r\n".join([*lines, "", ""]).encode() + data[: len(data) // 2])
        time.sleep(1)


async def numbers(platform, correlation):
    """The message ids of the calls of one upload, once the cut one is accounted for too."""
    rows = await platform.rows(
        "gateway",
        "SELECT message_id::text AS id, record->>'outcome' AS outcome FROM journal "
        "WHERE phase = 'completed' AND record->>'correlation_id' = $1",
        correlation,
    )
    return {row["id"]: row["outcome"] for row in rows}


async def test_a_large_file_passes_in_parts_over_a_cut_line(platform, files, tmp_path):
    content = os.urandom(WHOLE)
    url, correlation = agreed(platform, files), str(uuid7())
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    headers = platform.headers(CONSUMER, "berkas") | {
        "X-Road-Id": correlation, "Repr-Digest": f"sha-256=:{digest}:",
    }  # fmt: skip
    at_once = httpx.post(url, headers=headers, content=content, timeout=30)
    assert at_once.status_code in (403, 404, 413)
    first = begun(url, headers | {"X-Road-Id": str(uuid7())}, WHOLE)
    assert httpx.post(url, headers=headers, content=content, timeout=30).status_code == 413
    place = str(httpx.URL(url).join(first.headers["Location"]))
    assert place.startswith(f"{url}/")
    part = str(uuid7())
    headers["X-Road-Id"] = part
    cut(place, headers, content[:PART])
    file = tmp_path / "file"
    file.write_bytes(content)
    with file.open("rb") as stream:
        uploader = TusClient(url, headers=headers).uploader(
            file_stream=stream, url=place, chunk_size=PART
        )
        assert 0 < uploader.offset < PART, "the line was not cut within the part"
        uploader.upload()
    given = httpx.get(place, headers=headers, timeout=30)
    assert hashlib.sha256(given.content).digest() == hashlib.sha256(content).digest()
    until = time.monotonic() + PATIENCE_SECONDS
    while "failed" not in (found := await numbers(platform, part)).values():
        assert time.monotonic() < until, found
        time.sleep(0.3)
    receipts = []
    for number in found:
        receipts.append(tmp_path / f"{number}.json")
        receipts[-1].write_text(platform.receipt(number))
    command = [BIN / "sebalai-verify", *receipts, "--key", platform.home / "ledger.vkey"]
    proven = subprocess.run(
        [*command, "--object", file], capture_output=True, text=True, check=False
    )
    assert proven.returncode == 0, proven.stderr
    assert hashlib.sha256(content).hexdigest() in proven.stdout
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    forged = subprocess.run(
        [*command, "--object", file], capture_output=True, text=True, check=False
    )
    assert "object-differs" in forged.stderr

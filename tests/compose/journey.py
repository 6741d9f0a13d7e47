"""The demo call against the compose platform: answered, receipted, verified offline; a refusal as
well; both in the portal. Run in the engine's network:

journey.py SECRETS_FOLDER APPLICATIONS_JSON RECEIPTS_FOLDER    calls, and keeps their receipts
journey.py SECRETS_FOLDER APPLICATIONS_JSON RECEIPTS_FOLDER again
    the receipts kept there still hold, and the platform gives each once more, at the same place of
    the log, whatever was upgraded or restored meanwhile
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey
from sebalai_shared.ids import uuid7

PUBLIC_URL = "http://127.0.0.1:8800"
PORTS = (8800, 8801)  # of PUBLISH: one gateway stands behind one of them, two during an upgrade
INTERFACE = "ID-BB/GOV/dp3acskb/kependudukan/penduduk"
PURPOSE = "verifikasi-bansos"
RECEIPT_SECONDS = 5
PORTAL_SECONDS = 15
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def door() -> str:
    """The address at which a gateway listens now, as a proxy would find it."""
    for port in PORTS:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return f"http://127.0.0.1:{port}"
    raise AssertionError(f"no gateway listens on {PORTS}")


class Journey:
    def __init__(self, secrets: Path, applications: Path) -> None:
        self.secrets = secrets
        self.applications = {
            f"{one['agency']}/{one['name']}": one["client_id"]
            for one in json.loads(applications.read_text(encoding="utf-8"))
        }

    def token(self, name: str) -> str:
        key_file = self.secrets / "keys" / f"{name.replace('/', '.')}.jwk"
        key = ECKey.import_key(json.loads(key_file.read_text(encoding="utf-8")))
        client, now = self.applications[name], int(time.time())
        claims = {
            "iss": client, "sub": client, "aud": PUBLIC_URL, "jti": str(uuid7()),
            "iat": now, "exp": now + 60,
        }  # fmt: skip
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION,
            "client_assertion": jwt.encode({"alg": "ES256", "kid": key.thumbprint()}, claims, key),
        }
        answer = httpx.post(f"{door()}/oauth/token", data=form, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]

    def call(self, name: str) -> tuple[httpx.Response, str]:
        token = self.token(name)
        headers = {"Authorization": f"Bearer {token}", "Sebalai-Purpose": PURPOSE}
        path = f"/r1/{INTERFACE}/residents/r-0001"
        return httpx.get(door() + path, headers=headers, timeout=30), token

    def receipt(self, message_id: str, token: str) -> tuple[str, float]:
        started = time.monotonic()
        while True:
            answer = httpx.get(
                f"{door()}/receipts/{message_id}",
                headers={"Authorization": f"Bearer {token}"},
                timeout=10,
            )
            waited = time.monotonic() - started
            if answer.status_code == 200:
                return answer.text, waited
            assert waited < RECEIPT_SECONDS, f"no receipt: {answer.status_code} {answer.text}"
            time.sleep(0.1)

    def verify(self, receipt: str) -> str:
        command = [
            Path(sys.executable).with_name("sebalai-verify"),
            "/dev/stdin", "--key", self.secrets / "ledger.vkey",
        ]  # fmt: skip
        done = subprocess.run(
            command, input=receipt, capture_output=True, text=True, check=False, timeout=30
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()


def wait_for_portal(message_ids: set[str]) -> int:
    """The size of the portal's page, once it shows both calls."""
    deadline = time.monotonic() + PORTAL_SECONDS
    while True:
        page = httpx.get(door() + "/", timeout=10)
        missing = {number for number in message_ids if number not in page.text}
        if page.status_code == 200 and not missing and 'class="notice"' not in page.text:
            return len(page.content)
        if time.monotonic() > deadline:
            raise AssertionError(
                f"the portal answers {page.status_code} without {missing}:\n{page.text}"
            )
        time.sleep(0.5)


def call_and_be_refused(journey: Journey, kept: Path) -> None:
    answered, token = journey.call("dinsos-pmd/bansos")
    assert answered.status_code == 200, answered.text
    message_id = answered.headers["Sebalai-Message-Id"]
    receipt, waited = journey.receipt(message_id, token)
    (kept / f"{message_id}.json").write_text(receipt, encoding="utf-8")
    print(f"answered 200, receipt after {waited:.1f} s: {journey.verify(receipt)}")
    refused, token = journey.call("dinkes/puskesmas")
    assert refused.status_code == 403, refused.text
    refusal_id = refused.headers["Sebalai-Message-Id"]
    receipt, waited = journey.receipt(refusal_id, token)
    print(f"refused 403, receipt after {waited:.1f} s: {journey.verify(receipt)}")
    size = wait_for_portal({message_id, refusal_id})
    trace = httpx.get(f"{door()}/panggilan/{message_id}", timeout=10)
    assert trace.status_code == 200, trace.text
    assert "dinsos-pmd" in trace.text
    print(f"both calls in the portal ({size} bytes), and the trace of the first")


def ask_again(journey: Journey, kept: Path) -> None:
    token = journey.token("dinsos-pmd/bansos")
    receipts = sorted(kept.glob("*.json"))
    for path in receipts:
        before = path.read_text(encoding="utf-8")
        journey.verify(before)
        now, _ = journey.receipt(path.stem, token)
        journey.verify(now)
        first, second = json.loads(before), json.loads(now)
        assert (first["leaf"], first["payload"]) == (second["leaf"], second["payload"])
        assert first["log"]["index"] == second["log"]["index"]
        assert first["log"]["size"] <= second["log"]["size"]
    assert receipts
    print(f"{len(receipts)} receipts from before hold, and are given again")


def main() -> None:
    journey, kept = Journey(Path(sys.argv[1]), Path(sys.argv[2])), Path(sys.argv[3])
    kept.mkdir(exist_ok=True)
    (ask_again if sys.argv[4:] == ["again"] else call_and_be_refused)(journey, kept)


if __name__ == "__main__":
    main()

"""From the moment a revocation is asked for until the gateway refuses what it ended, on a whole
platform: with the broker, and by the poll alone while the broker is stopped.

Asked for, not committed: so what is told is at most too long, by the time of the suspension itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from calls import ROOT, Bench
from figures import figure
from joserfc import jwt
from joserfc.jwk import ECKey
from sebalai_shared.ids import uuid7

OPERATOR = "diskominfo/sebalai"
WITH_BROKER, WITHOUT_BROKER = 100, 30
PATIENCE_SECONDS, TOKEN_KEPT_SECONDS = 30, 200
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Revoker:
    """The operator, who registers applications and suspends them."""

    def __init__(self, bench: Bench) -> None:
        self._bench, self._http = bench, httpx.Client(timeout=30, trust_env=False)
        self._gateway = bench.facts["gateway"]
        self._url = f"{self._gateway}/api/identity/v1/applications"
        self._token, self._got_at = "", float("-inf")

    def _headers(self) -> dict[str, str]:
        if time.monotonic() - self._got_at >= TOKEN_KEPT_SECONDS:
            self._token, self._got_at = self._bench.token(OPERATOR), time.monotonic()
        return {"authorization": f"Bearer {self._token}", "idempotency-key": str(uuid7())}

    def seconds(self) -> float:
        """One application's, whose token the gateway has just let through."""
        made, bearer = self._registered()
        assert self._http.get(self._url, headers=bearer).status_code == 200
        place, reason = f"{self._url}/{made['id']}/suspend", {"reason": "bench"}
        headers = self._headers()
        began = time.perf_counter()
        self._http.post(place, headers=headers, json=reason).raise_for_status()
        while self._http.get(self._url, headers=bearer).status_code == 200:
            if time.perf_counter() - began > PATIENCE_SECONDS:
                raise SystemExit("a revocation was not enforced")
        return time.perf_counter() - began

    def _registered(self) -> tuple[dict[str, str], dict[str, str]]:
        key = ECKey.generate_key("P-256")
        body = {
            "agency": "diskominfo", "name": f"bench-{uuid7().hex[-12:]}",
            "public_key": key.as_dict(private=False),
        }  # fmt: skip
        made = self._http.post(self._url, headers=self._headers(), json=body).json()
        return made, {"authorization": f"Bearer {self._granted(made['client_id'], key)}"}

    def _granted(self, client_id: str, key: ECKey) -> str:
        now = int(time.time())
        claims = {
            "iss": client_id, "sub": client_id, "aud": self._bench.facts["issuer"],
            "jti": str(uuid7()), "iat": now, "exp": now + 60,
        }  # fmt: skip
        form = {
            "grant_type": "client_credentials", "client_assertion_type": ASSERTION,
            "client_assertion": jwt.encode({"alg": "ES256"}, claims, key),
        }  # fmt: skip
        answer = self._http.post(f"{self._gateway}/oauth/token", data=form)
        return answer.raise_for_status().json()["access_token"]


def _tell(name: str, found: list[float], target: float) -> None:
    found.sort()
    worst = found[round(0.99 * (len(found) - 1))]
    figure(f"identity.revocation.{name}.p50", found[len(found) // 2] * 1000, "ms")
    figure(f"identity.revocation.{name}.p99", worst * 1000, "ms", "<=", target)


def run() -> None:
    with tempfile.TemporaryDirectory(prefix="sebalai-bench-") as folder:
        bench = Bench(Path(folder))
        try:
            bench.up()
            revoker = Revoker(bench)
            _tell("with_nats", [revoker.seconds() for _ in range(WITH_BROKER)], 100)
            subprocess.run(
                [bench.sebalai, "stop", "nats"],
                env=bench.env, cwd=ROOT, check=True, stdout=sys.stderr,
            )  # fmt: skip
            _tell("without_nats", [revoker.seconds() for _ in range(WITHOUT_BROKER)], 2_000)
        finally:
            bench.down()


if __name__ == "__main__":
    os.chdir(ROOT)
    run()

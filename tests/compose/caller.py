"""Calls without a pause while something is done to the platform, as a proxy with two gateways makes
them: a gateway that does not answer at all is passed over, and no answer is asked for twice.

caller.py SECRETS_FOLDER APPLICATIONS_JSON RECEIPTS_FOLDER, until SIGTERM. Ends with 1 when a call was
not answered 200; the receipts of the last calls are kept.
"""

from __future__ import annotations

import signal
import sys
import time
from collections import Counter
from pathlib import Path

import httpx
from journey import INTERFACE, PORTS, PURPOSE, Journey

EACH_SECONDS = 0.1
TOKEN_SECONDS = 120.0
TIMEOUT_SECONDS = 10
KEPT_RECEIPTS = 20


class Caller:
    def __init__(self, journey: Journey) -> None:
        self._journey, self._is_over = journey, False
        self._client = httpx.Client(timeout=TIMEOUT_SECONDS)
        self._token, self._since = journey.token("dinsos-pmd/bansos"), time.monotonic()
        self.outcomes, self.tokens, self.passed_over = (
            Counter[str](),
            Counter[str](),
            Counter[str](),
        )
        self.message_ids = list[str]()
        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, *_: object) -> None:
        self._is_over = True

    def run(self) -> None:
        while not self._is_over:
            self._renew()
            self.outcomes[self._call()] += 1
            time.sleep(EACH_SECONDS)

    def _renew(self) -> None:
        if time.monotonic() - self._since < TOKEN_SECONDS:
            return
        try:
            self._token, self._since = self._journey.token("dinsos-pmd/bansos"), time.monotonic()
            self.tokens["given"] += 1
        except (AssertionError, httpx.HTTPError) as error:
            self.tokens[str(error)[:200]] += 1

    def _call(self) -> str:
        headers = {"Authorization": f"Bearer {self._token}", "Sebalai-Purpose": PURPOSE}
        path = f"/r1/{INTERFACE}/residents/r-0001"
        for port in PORTS:
            try:
                answer = self._client.get(f"http://127.0.0.1:{port}{path}", headers=headers)
            except httpx.TransportError as error:  # as nginx does with what may be said twice
                self.passed_over[f"{port}: {type(error).__name__}"] += 1
                continue
            self.message_ids.append(answer.headers.get("Sebalai-Message-Id", ""))
            return "200" if answer.status_code == 200 else f"{answer.status_code} {answer.text}"
        return "nobody answers"


def main() -> None:
    journey, kept = Journey(Path(sys.argv[1]), Path(sys.argv[2])), Path(sys.argv[3])
    caller = Caller(journey)
    caller.run()
    for message_id in caller.message_ids[-KEPT_RECEIPTS:]:
        receipt, _ = journey.receipt(message_id, journey.token("dinsos-pmd/bansos"))
        journey.verify(receipt)
        (kept / f"{message_id}.json").write_text(receipt, encoding="utf-8")
    print(f"calls meanwhile: {dict(caller.outcomes)}; tokens: {dict(caller.tokens)}")
    print(f"gateways passed over: {dict(caller.passed_over)}")
    sys.exit(set(caller.outcomes) != {"200"})


if __name__ == "__main__":
    main()

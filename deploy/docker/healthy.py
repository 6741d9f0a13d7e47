# ruff: noqa: INP001 - copied into images as one file
"""The health check in every member's container: a worker's heartbeat, or its API's readiness."""

import os
import sys
import time
import urllib.request

STALE_SECONDS = 30
ANSWER_SECONDS = 2.5

heartbeat = os.environ.get("SEBALAI_HEARTBEAT_FILE")
if heartbeat:
    try:
        age = time.time() - os.stat(heartbeat).st_mtime  # noqa: PTH116 - starts every few seconds
    except FileNotFoundError:
        sys.exit("no heartbeat yet")
    sys.exit(f"no heartbeat for {age:.0f} s" if age > STALE_SECONDS else 0)
address = f"http://127.0.0.1:{os.environ['SEBALAI_PORT']}/readyz"
try:
    with urllib.request.urlopen(address, timeout=ANSWER_SECONDS) as answer:
        sys.stdout.write(answer.read(500).decode())
except OSError as error:
    body = error.read(500).decode() if hasattr(error, "read") else error
    sys.exit(f"not ready: {body}")

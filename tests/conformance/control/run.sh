#!/usr/bin/env bash
# make conformance-control: the same checks against a certified provider of others, to see that they
# demand what the specifications demand. Waits real minutes for what must expire. Needs node and npm.
set -euo pipefail
cd "$(dirname "$0")"
command -v npm >/dev/null || { echo "the control needs node with npm"; exit 2; }
npm ci --silent --no-audit --no-fund
export CONFORMANCE_FACTS="$(mktemp -d)/facts.json"
node provider.js 2>"$CONFORMANCE_FACTS.log" >&2 &
provider=$!
trap 'kill "$provider"; grep -v WARNING "$CONFORMANCE_FACTS.log" | head -20; rm -rf "$(dirname "$CONFORMANCE_FACTS")"' EXIT
for _ in $(seq 100); do [ -s "$CONFORMANCE_FACTS" ] && break; sleep 0.2; done
[ -s "$CONFORMANCE_FACTS" ] || { cat "$CONFORMANCE_FACTS.log"; exit 1; }
cd ../../.. && .venv/bin/pytest tests/conformance "$@"

#!/usr/bin/env bash
# make interop: libraries of others against a platform of its own (or a running one: INTEROP_HOME,
# INTEROP_PORT). Needs node 20 and npm; Authlib lives in a venv of its own.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=tests/interop
export SEBALAI_HOME="${INTEROP_HOME:-$(mktemp -d)}" SEBALAI_PORT="${INTEROP_PORT:-19200}"
export INTEROP_FACTS="$SEBALAI_HOME/interop.json"
command -v npm >/dev/null || { echo "interop needs node 20 with npm"; exit 2; }
(cd "$here" && npm ci --silent)
if [ ! -x "$here/.venv/bin/python" ]; then
  python3 -m venv "$here/.venv"
  "$here/.venv/bin/python" -m pip install --quiet --require-hashes -r "$here/authlib.txt"
fi
if [ -z "${INTEROP_HOME:-}" ]; then
  trap '.venv/bin/sebalai down >/dev/null; rm -rf "$SEBALAI_HOME"' EXIT
  .venv/bin/sebalai up >"$SEBALAI_HOME.log" 2>&1 || { tail -20 "$SEBALAI_HOME.log"; exit 1; }
fi
status=0
# Each script gets facts of its own: signing out at the end of one must not end the next.
for run in "node openid_client.js" "node oauth4webapi.js" ".venv/bin/python authlib_client.py"; do
  .venv/bin/python "$here/prepare.py" >"$INTEROP_FACTS"
  (cd "$here" && $run) || status=1
done
exit $status

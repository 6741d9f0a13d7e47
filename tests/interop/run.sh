#!/usr/bin/env bash
# make interop: libraries of others against a platform of its own (or a running one: INTEROP_HOME,
# INTEROP_PORT). Needs node 20 and npm; the Python libraries live in a venv of their own.
# INTEROP_ONLY=events runs the scripts whose command has that word in it.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=tests/interop
export SEBALAI_HOME="${INTEROP_HOME:-$(mktemp -d)}" SEBALAI_PORT="${INTEROP_PORT:-19200}"
facts="$(mktemp)"
export INTEROP_FACTS="$facts"
command -v npm >/dev/null || { echo "interop needs node 20 with npm"; exit 2; }
(cd "$here" && npm ci --silent)
if ! cmp -s "$here/python.txt" "$here/.venv/installed.txt"; then
  python3 -m venv --clear "$here/.venv"
  "$here/.venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$here/python.txt"
  cp "$here/python.txt" "$here/.venv/installed.txt"
fi
if [ -z "${INTEROP_HOME:-}" ]; then
  trap '.venv/bin/sebalai down >/dev/null; rm -rf "$SEBALAI_HOME" "$facts"' EXIT
  .venv/bin/sebalai up >"$SEBALAI_HOME.log" 2>&1 || { tail -20 "$SEBALAI_HOME.log"; exit 1; }
else
  trap 'rm -f "$facts"' EXIT
fi
status=0
failed() { echo "FAILED: $1"; status=1; }
# Signed letters need no platform, but judges of Debian's; without them it is said, not passed over.
case "archive_letter.py" in *"${INTEROP_ONLY:-}"*)
  if command -v pdfsig >/dev/null && command -v qpdf >/dev/null && command -v certutil >/dev/null; then
    .venv/bin/python "$here/archive_letter.py" || failed archive_letter.py
  else
    echo "archive_letter.py: NOT JUDGED; install poppler-utils qpdf libnss3-tools"
  fi ;;
esac
# Neither do these: each starts the archive it judges, or makes the document.
export TUS_JS="$here"
for judge in archive_oai.py archive_bag.py archive_tus.py asyncapi_document.py; do
  case "$judge" in *"${INTEROP_ONLY:-}"*) .venv/bin/python "$here/$judge" || failed "$judge" ;; esac
done
case "archive_ocfl.py" in *"${INTEROP_ONLY:-}"*)
  # A venv of its own: what ocfl-py needs and what cloudevents needs exclude one another.
  if ! cmp -s "$here/ocfl.txt" "$here/.ocfl/installed.txt"; then
    python3 -m venv --clear "$here/.ocfl"
    "$here/.ocfl/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$here/ocfl.txt"
    cp "$here/ocfl.txt" "$here/.ocfl/installed.txt"
  fi
  OCFL_VALIDATE="$here/.ocfl/bin/ocfl-validate.py" .venv/bin/python "$here/archive_ocfl.py" || failed archive_ocfl.py ;;
esac
# Minutes on a busy machine, and packages from PyPI: only where it is named.
case "archive_pdfs.py" in *"${INTEROP_ONLY:-none}"*)
  .venv/bin/python "$here/archive_pdfs.py" || failed archive_pdfs.py ;;
esac
# Each script gets facts of its own: signing out at the end of one must not end the next.
while read -r prepare run; do
  case "$run" in *"${INTEROP_ONLY:-}"*) ;; *) continue ;; esac
  .venv/bin/python "$here/$prepare" >"$INTEROP_FACTS"
  (cd "$here" && $run </dev/null) || failed "$run"
done <<'RUNS'
prepare.py node openid_client.js
prepare.py node oauth4webapi.js
prepare.py node oidc_client_ts.js
prepare.py node appauth.js
prepare.py .venv/bin/python authlib_client.py
prepare_events.py .venv/bin/python events_client.py
prepare_events.py node events_client.js
prepare_events.py node nats_client.js
RUNS
exit $status

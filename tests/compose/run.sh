#!/usr/bin/env bash
# `make compose-test`: the compose file on a real engine. Builds every image without a network, starts
# the demo, makes one receipted call, checks hardening, takes everything down. 77 when it cannot run.
set -euo pipefail
cd "$(dirname "$0")/../.."
HERE=tests/compose
# shellcheck source=tests/compose/engine.sh
source "$HERE/engine.sh"

PYTHON="${VENV:-.venv}/bin/python"
PROJECT="sebalai-test-$$"
UP_WAIT_SECONDS=180
started=$SECONDS
say() { echo "compose-test: [$((SECONDS - started)) s] $*"; }

compose() { "$COMPOSE" --progress quiet --project-name "$PROJECT" --env-file "$WORK/env" -f docker-compose.yml -f "$HERE/compose.test.yaml" "$@"; }
export COMPOSE_PROFILES=demo

cleanup() {
  local code=$?
  trap - EXIT INT TERM
  if [ -n "${BUILT:-}" ]; then
    [ "$code" = 0 ] || compose logs --no-color --tail 40 >&2 || true
    compose down --volumes --timeout 5 >/dev/null 2>&1 || true
  fi
  engine_stop
  [ -z "${WORK:-}" ] || rm -rf --one-file-system "$WORK"
  [ "$code" != 0 ] || say "everything made here is gone again"
  exit "$code"
}
trap cleanup EXIT INT TERM

require_engine_parts
prepare_compose
prepare_base
WORK=$(mktemp -d -t sebalai-compose-work.XXXXXX)
SEBALAI_SECRETS="$WORK/secrets" SEBALAI_ENV_FILE="$WORK/env" deploy/docker/init-secrets
echo "BASE_IMAGE=local/python:bookworm" >>"$WORK/env"
echo "POSTGRES_TARGET=postgres-embedded" >>"$WORK/env"
echo "HEALTH_INTERVAL=2s" >>"$WORK/env"

say "configuration"
COMPOSE="$COMPOSE" "$PYTHON" -m pytest "$HERE/test_config.py" -q
say "wheels"
deploy/docker/prepare-wheels
engine_start
say "engine $(docker version --format '{{.Server.Version}}') in namespace $NAMESPACE"
docker import - local/python:bookworm <"$BASE_TAR" >/dev/null
BUILT=1
compose build >"$WORK/build.log" 2>&1 || { tail -n 40 "$WORK/build.log" >&2; exit 1; }
say "images built without a network"
before=$SECONDS
COMPOSE_PROFILES='' compose up --detach --wait --wait-timeout "$UP_WAIT_SECONDS"
say "the platform alone is healthy after $((SECONDS - before)) s"
compose up --detach --wait --wait-timeout "$UP_WAIT_SECONDS"
say "all healthy and seeded in $((SECONDS - before)) s"
compose ps --format 'table {{.Service}}\t{{.Status}}'
compose cp portal:/registrations/applications.json "$WORK/applications.json"
inside env PATH="$PATH" "$PYTHON" "$HERE/journey.py" "$WORK/secrets" "$WORK/applications.json"
say "the call was answered and its receipt verified"
compose up --detach --wait --wait-timeout "$UP_WAIT_SECONDS"
say "a second up ran every one-shot step again and changed nothing"
PROJECT="$PROJECT" "$PYTHON" "$HERE/inspect_containers.py" "$WORK/secrets"
compose down --volumes --timeout 10 2>/dev/null
left=$(docker ps --all --quiet | wc -l)
[ "$left" = 0 ] || { echo "compose-test: $left containers left after down" >&2; exit 1; }
say "passed"

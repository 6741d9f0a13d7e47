#!/usr/bin/env bash
# `make compose-test`: the compose file on a real engine. Builds every image without a network, starts
# the demo, makes one receipted call, checks hardening; backs up, destroys, restores; takes everything
# down. With FROM=<commit> the platform of that commit is built and started first, and upgraded to this
# one under calls. 77 when it cannot run.
set -euo pipefail
cd "$(dirname "$0")/../.."
HERE=tests/compose
# shellcheck source=tests/compose/engine.sh
source "$HERE/engine.sh"

PYTHON="${VENV:-.venv}/bin/python"
PROJECT="sebalai-test-$$"
UP_WAIT_SECONDS=300
started=$SECONDS
say() { echo "compose-test: [$((SECONDS - started)) s] $*"; }

# The operators' scripts find the same platform by the same names.
export COMPOSE_PROJECT_NAME="$PROJECT" COMPOSE_PROFILES=demo COMPOSE_PROGRESS=quiet COMPOSE_PATH_SEPARATOR=:
compose() { "$COMPOSE" "$@"; }
journey() { inside env PATH="$PATH" "$PYTHON" "$HERE/journey.py" "$WORK/secrets" "$WORK/applications.json" "$WORK/receipts" "$@"; }

cleanup() {
  local code=$?
  trap - EXIT INT TERM
  if [ -n "${BUILT:-}" ]; then
    [ "$code" = 0 ] || compose logs --no-color --tail 40 >&2 || true
    compose down --volumes --remove-orphans --timeout 5 >/dev/null 2>&1 || true
  fi
  engine_stop
  [ -z "${OLD_TREE:-}" ] || git worktree remove --force "$OLD_TREE"
  [ -z "${WORK:-}" ] || rm -rf --one-file-system "$WORK"
  [ "$code" != 0 ] || say "everything made here is gone again"
  exit "$code"
}
trap cleanup EXIT INT TERM

require_engine_parts
prepare_compose
prepare_base
WORK=$(mktemp -d -t sebalai-compose-work.XXXXXX)
export COMPOSE COMPOSE_ENV_FILES="$WORK/env" SEBALAI_ENV_FILE="$WORK/env" SEBALAI_SECRETS="$WORK/secrets"
export COMPOSE_FILE="$PWD/docker-compose.yml:$PWD/$HERE/compose.test.yaml"
VENV="$(cd "$(dirname "$PYTHON")/.." && pwd)"
export VENV

build() { # $1: the tree, $2: its version, the rest: which services, all without
  local tree="$1" version="$2"
  shift 2
  say "wheels of $version"
  (cd "$tree" && deploy/docker/prepare-wheels)
  (cd "$tree" && VERSION="$version" compose build "$@" >"$WORK/build.log" 2>&1) || { tail -n 40 "$WORK/build.log" >&2; exit 1; }
  say "images of $version built without a network"
}

settings() { # what differs from an operator's .env
  echo "BASE_IMAGE=local/python:bookworm"
  echo "POSTGRES_TARGET=postgres-embedded"
  echo "HEALTH_INTERVAL=2s"
  echo "PUBLISH=127.0.0.1:8800-8801"
  echo "WAL_ARCHIVE=wal-archive"
}

start_all() {
  local before=$SECONDS
  COMPOSE_PROFILES='' compose up --detach --wait --wait-timeout "$UP_WAIT_SECONDS"
  say "the platform alone is healthy after $((SECONDS - before)) s"
  compose up --detach --wait --wait-timeout "$UP_WAIT_SECONDS"
  say "all healthy and seeded in $((SECONDS - before)) s"
  compose cp portal:/registrations/applications.json "$WORK/applications.json"
}

say "configuration"
SEBALAI_SECRETS='' COMPOSE_FILE='' COMPOSE_PROFILES='' COMPOSE_ENV_FILES='' "$PYTHON" -m pytest "$HERE/test_config.py" -q
engine_start
say "engine $(docker version --format '{{.Server.Version}}') in namespace $NAMESPACE"
docker import - local/python:bookworm <"$BASE_TAR" >/dev/null
BUILT=1

if [ -n "${FROM:-}" ]; then
  # shellcheck source=tests/compose/upgrade.sh
  source "$HERE/upgrade.sh"
  upgrade_from "$FROM"
else
  deploy/docker/init-secrets
  settings >>"$WORK/env"
  build . 0.1.0
  start_all
  compose ps --format 'table {{.Service}}\t{{.Status}}'
  journey
  say "the call was answered and its receipt verified"
  compose up --detach --wait --wait-timeout "$UP_WAIT_SECONDS"
  say "a second up ran every one-shot step again and changed nothing"
fi
PROJECT="$PROJECT" "$PYTHON" "$HERE/inspect_containers.py" "$WORK/secrets"
# shellcheck source=tests/compose/restore.sh
source "$HERE/restore.sh"
back_up_and_restore
compose down --volumes --timeout 10 2>/dev/null
left=$(docker ps --all --quiet | wc -l)
[ "$left" = 0 ] || { echo "compose-test: $left containers left after down" >&2; exit 1; }
say "passed"

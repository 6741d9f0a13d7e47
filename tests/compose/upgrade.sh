# The platform of an older commit, with data in it, upgraded by deploy/docker/upgrade while calls go on.
# Sourced by run.sh.
# shellcheck shell=bash

# One image of a release holds every member but the portal; what each runs is the compose file's word.
# So a release takes four builds instead of ten.
build_few() { # $1: the tree, $2: its version, the rest: what else to build
  local tree="$1" version="$2" member
  shift 2
  build "$tree" "$version" nats migrate portal "$@"
  for member in identity services-catalog archive exchange gateway; do
    docker tag "sebalai/operator:$version" "sebalai/$member:$version"
  done
}

upgrade_from() {
  local old="$WORK/old" here="$COMPOSE_FILE"
  git worktree add --quiet --detach "$old" "$1"
  OLD_TREE="$old"
  say "upgrading from $(git log -1 --format='%h %cs %s' "$1")"
  # The old release's own code makes its secrets and its images.
  (cd "$old" && PYTHONPATH="$old/deploy/local:$old/shared" deploy/docker/init-secrets)
  settings >>"$WORK/env"
  echo "VERSION=old" >>"$WORK/env"
  COMPOSE_FILE="$old/docker-compose.yml:$old/$HERE/compose.test.yaml"
  build_few "$old" old postgres population-registry
  start_all
  journey
  COMPOSE_FILE="$here"
  sed -i 's/^VERSION=.*/VERSION=new/' "$WORK/env"
  deploy/docker/init-secrets --add
  build_few . new
  # Not by `inside`: its shell would be told to end, and not the caller.
  nsenter --net="/run/netns/$NAMESPACE" env PATH="$PATH" "$PYTHON" "$HERE/caller.py" "$WORK/secrets" "$WORK/applications.json" "$WORK/receipts" >"$WORK/calls" 2>&1 &
  local caller=$! before=$SECONDS
  deploy/docker/upgrade
  say "upgraded in $((SECONDS - before)) s"
  kill -TERM "$caller"
  wait "$caller" || { cat "$WORK/calls" >&2; echo "compose-test: calls were lost in the upgrade" >&2; exit 1; }
  cat "$WORK/calls"
  journey again
  # What no upgrade touches by itself, and the demonstration's provider, are taken now.
  compose build postgres population-registry >"$WORK/build.log" 2>&1 || { tail -n 40 "$WORK/build.log" >&2; exit 1; }
  compose up --detach --wait --wait-timeout "$UP_WAIT_SECONDS"
  journey
  journey again
  say "receipts from before, during and after the upgrade hold"
}

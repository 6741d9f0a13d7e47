# Backed up while it runs, destroyed, restored: every receipt holds and is given again, those of the
# minutes after the backup too, and the log goes on. Sourced by run.sh.
# shellcheck shell=bash

refuses() { # $1: what it has to say; the rest: the command
  local wanted="$1" said
  shift
  if said=$("$@" 2>&1); then echo "compose-test: not refused: $*" >&2; exit 1; fi
  case "$said" in *"$wanted"*) ;; *) echo "compose-test: $* said: $said" >&2; exit 1 ;; esac
}

lose() { # the volumes named, as a broken disk does
  local volume
  for volume in "$@"; do docker volume rm "${PROJECT}_$volume" >/dev/null; done
}

back_up_and_restore() {
  deploy/docker/backup "$WORK/backup"
  journey
  compose exec -T postgres psql --quiet --host /tmp --username postgres --command "SELECT pg_switch_wal()" >/dev/null
  until_kept
  say "backed up, and called once more after it"
  refuses "the platform runs" deploy/docker/restore "$WORK/backup"
  compose down --timeout 15 2>/dev/null
  refuses "holds data" deploy/docker/restore "$WORK/backup"
  lose postgres-data nats-data archive-content registrations gateway-snapshots
  cp -r "$WORK/backup" "$WORK/damaged"
  printf x | dd of="$WORK/damaged/content.tar" bs=1 seek=600 conv=notrunc status=none
  refuses "is not as it was written" deploy/docker/restore "$WORK/damaged"
  deploy/docker/restore "$WORK/backup"
  local before=$SECONDS
  compose up --detach --wait --wait-timeout "$UP_WAIT_SECONDS"
  say "restored and healthy $((SECONDS - before)) s after"
  journey again
  journey
  refused=$(compose logs --no-color exchange-worker | grep -c "nothing is numbered" || true)
  [ "$refused" = 0 ] || { echo "compose-test: the restored ledger is behind what was signed" >&2; exit 1; }
  say "the restored ledger holds all that was signed, and goes on"
}

until_kept() { # the segment that holds the last call is in the archive
  local waited=0 pending
  while :; do
    pending=$(compose exec -T postgres psql --host /tmp --username postgres --tuples-only --no-align --command \
      "SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'")
    [ "$pending" = 0 ] && return
    waited=$((waited + 1))
    [ "$waited" -lt 60 ] || { echo "compose-test: the write-ahead log is not kept" >&2; exit 1; }
    sleep 1
  done
}

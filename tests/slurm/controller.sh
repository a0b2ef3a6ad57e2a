#!/bin/bash
# Stop and start the controller of the cluster in STATE_DIR, as in an upgrade or a crash.
#   controller.sh STATE_DIR stop|start
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin
S=$(cd "$1" && pwd -P)
. "$S/env.sh"
pid=$(awk '$1 == "slurmctld" {print $2}' "$S/pids")
case $2 in
  stop)
    kill -TERM "$pid"
    while grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$pid/status"; do sleep 0.1; done ;;
  start)
    setsid slurmctld -D </dev/null >>"$S/log/slurmctld.out" 2>&1 &
    pid=$!
    { awk '$1 != "slurmctld"' "$S/pids"; echo "slurmctld $pid"; } > "$S/pids.new"
    mv "$S/pids.new" "$S/pids" ;;
  *) echo "usage: $0 STATE_DIR stop|start" >&2; exit 2 ;;
esac

#!/bin/bash
# Make a node of the cluster in STATE_DIR "lose power": KILL its slurmd, its slurmstepd
# and every process of the jobs on it, and have the controller notice at once (by itself
# it takes SlurmdTimeout and more).
#   crash_node.sh STATE_DIR NODE             crash
#   crash_node.sh STATE_DIR NODE --restart   bring it back
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin
S=$(cd "$1" && pwd -P); node=$2
. "$S/env.sh"
if [ "${3:-}" = --restart ]; then
  setsid slurmd -D -N "$node" </dev/null >>"$S/log/$node.out" 2>&1 &
  pid=$!
  { awk -v n="$node" '$1 != n' "$S/pids"; echo "$node $pid"; } > "$S/pids.new"
  mv "$S/pids.new" "$S/pids"
  exit
fi
tree() { local c; for c in $(cat "/proc/$1/task/"*/children 2>/dev/null); do tree "$c"; done; echo "$1"; }
kill -KILL "$(awk -v n="$node" '$1 == n {print $2}' "$S/pids")"
for job in $(squeue -h -w "$node" -o %A); do
  for c in /proc/[0-9]*; do
    tr '\0' ' ' 2>/dev/null < "$c/cmdline" | grep -q "^slurmstepd: \[$job\." || continue
    # shellcheck disable=SC2046
    kill -KILL $(tree "${c#/proc/}") 2>/dev/null || true
  done
done
scontrol update nodename="$node" state=down reason="crashed by $0"

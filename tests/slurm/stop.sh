#!/bin/bash
# Stop what start.sh STATE_DIR started: only the processes it recorded, and
# the slurmstepd (with the jobs in them) that belong to this state directory.
set -uo pipefail
[ $# -eq 1 ] || { echo "usage: $0 STATE_DIR" >&2; exit 2; }
S=$(cd "$1" && pwd -P) || exit 2
[ -f "$S/pids" ] || { echo "stop.sh: nothing recorded in $S/pids" >&2; exit 0; }
[ ! -f "$S/env.sh" ] || . "$S/env.sh"

timeout 5 scancel -u "$(id -un)" 2>/dev/null          # let jobs end in an orderly way
for _ in $(seq 40); do
  [ -n "$(timeout 2 squeue -h 2>/dev/null)" ] || break
  sleep 0.1
done

# is PID still the process that we started? (pids are reused)
ours() { { tr '\0' '\n' < "/proc/$1/environ" | grep -qxF "SLURM_CONF=$S/etc/slurm.conf" ||
           tr '\0' ' ' < "/proc/$1/cmdline" | grep -qF "$S/"; } 2>/dev/null; }

# A stopped process may stay a zombie for seconds where PID 1 is slow to reap.
alive() { grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$1/status" && ours "$1"; }
stop() { # stop PATTERN: TERM all recorded processes of that name, KILL after 10 s
  local pids p
  pids=$(awk -v re="^($1)\$" '$1 ~ re {print $2}' "$S/pids")
  for p in $pids; do ! alive "$p" || kill -TERM "$p"; done
  for p in $pids; do
    for _ in $(seq 200); do alive "$p" || break; sleep 0.05; done
    if alive "$p"; then echo "stop.sh: $1 ($p) had to be killed" >&2; kill -KILL "$p"; fi
  done
}
stop '(cpu|gpu)[0-9]+'      # the slurmd
# what the slurmd leave behind: slurmstepd and job processes of this cluster
for d in /proc/[0-9]*; do
  p=${d#/proc/}
  { tr '\0' '\n' < "$d/environ" | grep -qxF "SLURM_CONF=$S/etc/slurm.conf" &&
    { tr '\0' '\n' < "$d/environ" | grep -q '^SLURMD_NODENAME=' ||
      tr '\0' ' ' < "$d/cmdline" | grep -q '^slurmstepd'; }; } 2>/dev/null || continue
  [ "$p" = $$ ] || kill -KILL "$p" 2>/dev/null
done
stop slurmctld              # saves its state to STATE_DIR/state
stop slurmdbd
stop mariadbd
stop munged
rm -f "$S/pids"

#!/bin/bash
# Start a complete Slurm (munged, mariadbd, slurmdbd, slurmctld, N x slurmd) on
# this one host, on loopback only, without systemd, cgroups or a GPU.
#
#   start.sh STATE_DIR [--no-accounting]
#   start.sh --check [--no-accounting]      # only say what is missing (status 3)
#   . STATE_DIR/env.sh           # SLURM_CONF and PATH for the clients
#   stop.sh STATE_DIR
#
# Debian bookworm packages (--no-install-recommends is enough):
#   munge slurm-client slurmctld slurmd
#   slurmdbd slurm-wlm-mysql-plugin mariadb-server-core mariadb-client-core
#                                          (these four not with --no-accounting)
#
# Several clusters may run at a time, each with its own STATE_DIR.
#
# Knobs (environment): BASE_PORT (default: first free block from 27000),
#   CPUS, MEM_MB (per node; may exceed the real host, see config_overrides).
set -euo pipefail

[ $# -ge 1 ] || { echo "usage: $0 STATE_DIR [--no-accounting]" >&2; exit 2; }
export PATH=$PATH:/usr/sbin:/sbin
missing=""
need() { type "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need ss iproute2; need munged munge; need sbatch slurm-client; need slurmctld slurmctld; need slurmd slurmd
if [ "${2:-}" != --no-accounting ]; then
  need slurmdbd slurmdbd; need mariadbd mariadb-server-core; need mariadb mariadb-client-core
  find /usr/lib -name accounting_storage_mysql.so 2>/dev/null | grep -q . ||
    missing="$missing slurm-wlm-mysql-plugin"
fi
[ -z "$missing" ] || { echo "missing packages:$missing" >&2; exit 3; }
# Without 0.0.0.0 (NoInAddrAny below) Slurm listens on whatever this host's name is
# resolved to, whatever slurm.conf says: make sure that it is loopback.
case "$(getent ahostsv4 "$(hostname)" | awk '{print $1; exit}')" in
  127.*) ;;
  *) echo "the name of this host, $(hostname), must resolve to 127.x: see /etc/hosts" >&2; exit 3 ;;
esac
[ "$1" != --check ] || exit 0

mkdir -p "$1"
S=$(cd "$1" && pwd -P)
ACCT=1; [ "${2:-}" = --no-accounting ] && ACCT=0
CPUS=${CPUS:-4}; MEM_MB=${MEM_MB:-8000}
ME=$(id -un)
HOST=localhost
CLUSTER=loopback
NODES="cpu01 cpu02 gpu01 gpu02 gpu03"      # gpu01, gpu02: rtx2080ti; gpu03: titanxp

# Unix socket paths are limited to 107 bytes; slurmstepd's is the longest one:
# $S/spool/cpu01/cpu01_<jobid>.4294967291
[ ${#S} -le 55 ] || { echo "$0: STATE_DIR is too long for unix sockets: $S" >&2; exit 2; }
# Made whole or not at all, so of two starts in one folder the second refuses. Lines "NAME PID", in
# the order of their start.
(set -C; : > "$S/pids") 2>/dev/null ||
  { echo "start.sh: expected $S without a cluster, found $S/pids: started already, or not stopped; run stop.sh $S" >&2; exit 2; }

mkdir -p "$S"/{etc,bin,log,run,state,spool}
chmod 755 "$S" "$S/run"               # munged wants o+x on the way to its socket
trap 'echo "start.sh: line $LINENO failed: $BASH_COMMAND" >&2' ERR
trap '[ $? = 0 ] || "$(dirname "$0")/stop.sh" "$S"' EXIT     # leave nothing half started

# One start at a time on this host, until its daemons listen: two at once would find the same
# ports free. Held by this script only, and gone with it.
exec 9</tmp
flock -w 600 9 || { echo "start.sh: expected to start, found another start.sh at work for 10 minutes" >&2; exit 1; }
# A port block that nobody listens on: +0 slurmctld, +1 slurmdbd, +11.. slurmd
listening() { # listening BASE
  ss -ltnH | awk '{sub(/.*:/,"",$4); print $4}' |
    awk -v b="$1" '$1>=b && $1<b+20 {f=1} END {exit !f}'
}
if [ -z "${BASE_PORT:-}" ]; then
  BASE_PORT=27000
  while listening $BASE_PORT; do BASE_PORT=$((BASE_PORT + 20)); done
elif listening "$BASE_PORT"; then
  echo "start.sh: expected ports $BASE_PORT to $((BASE_PORT + 19)) free, found one in use; choose another BASE_PORT or none" >&2
  exit 2
fi

wait_for() { # wait_for SECONDS DESCRIPTION COMMAND...
  local end=$((SECONDS + $1)) what=$2; shift 2
  until "$@" >/dev/null 2>&1; do
    if [ $SECONDS -ge $end ]; then
      echo "start.sh: gave up waiting for $what; see $S/log" >&2; exit 1
    fi
    sleep 0.05
  done
}
start() { # start NAME COMMAND...   (own session: not hit by a Ctrl-C in the terminal)
  local name=$1; shift
  setsid "$@" </dev/null >>"$S/log/$name.out" 2>&1 9<&- &
  echo "$name $!" >> "$S/pids"
}

# ---------------------------------------------------------------- munge
if [ ! -f "$S/etc/munge.key" ]; then
  (umask 077; dd if=/dev/urandom of="$S/etc/munge.key" bs=128 count=1 status=none)
fi
rm -f "$S/run/munge.sock"
start munged munged --foreground --force --num-threads 4 \
  --key-file="$S/etc/munge.key"   --socket="$S/run/munge.sock" \
  --pid-file="$S/run/munged.pid"  --seed-file="$S/run/munge.seed" --log-file="$S/log/munged.log"

# ---------------------------------------------------------------- configuration
cat > "$S/etc/slurm.conf" <<C
ClusterName=$CLUSTER
SlurmctldHost=$HOST(127.0.0.1)
SlurmctldPort=$BASE_PORT
SlurmUser=$ME
SlurmdUser=$ME
AuthType=auth/munge
# A requeued job would wait until its credential has expired, 121 s (cred_expire); none is requeued
# here, and a short one fails jobs where others keep the processors busy.
AuthInfo=socket=$S/run/munge.sock
CredType=cred/munge
# Listen on the address that the host name resolves to, not on 0.0.0.0
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation=$S/state
SlurmdSpoolDir=$S/spool/%n
SlurmctldPidFile=$S/run/slurmctld.pid
SlurmdPidFile=$S/run/%n.pid
SlurmctldLogFile=$S/log/slurmctld.log
SlurmdLogFile=$S/log/%n.log
# No cgroups: track processes by parent pid, sample memory from /proc
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
# kill a job that is over its --mem (needs the sampling above). Pages that processes share count once,
# as cgroups count them: a process that is about to start another is two for a moment, and a sample
# of resident sizes at that moment would count it twice.
JobAcctGatherParams=OverMemoryKill,UsePss
MpiDefault=none
MailProg=$S/bin/mail
PropagateResourceLimits=NONE
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=100
GresTypes=gpu
# several slurmd that each claim CPUS/MEM_MB, whatever the host really has
SlurmdParameters=config_overrides
ReturnToService=2
# Ample where others keep the processors busy, so that no node or job is given up for lost;
# crash_node.sh tells the controller itself.
SlurmdTimeout=120
MessageTimeout=60
TCPTimeout=30
BatchStartTimeout=120
# quick reactions, for tests
SlurmctldTimeout=5
KillWait=2
WaitTime=0
InactiveLimit=0
MinJobAge=300
MaxArraySize=1001
# refuse at sbatch what no node could ever run, rather than leave it pending
EnforcePartLimits=ALL
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1,bf_yield_interval=200000
# Nodes: all on this host, told apart by port
NodeName=cpu01 NodeHostname=$HOST NodeAddr=127.0.0.1 Port=$((BASE_PORT+11)) CPUs=$CPUS RealMemory=$MEM_MB
NodeName=cpu02 NodeHostname=$HOST NodeAddr=127.0.0.1 Port=$((BASE_PORT+12)) CPUs=$CPUS RealMemory=$MEM_MB
# (two nodes with the same GPU: the plugin excludes a failed node for the rest of its run)
NodeName=gpu01 NodeHostname=$HOST NodeAddr=127.0.0.1 Port=$((BASE_PORT+13)) CPUs=$CPUS RealMemory=$MEM_MB Gres=gpu:rtx2080ti:1 Feature=turing
NodeName=gpu02 NodeHostname=$HOST NodeAddr=127.0.0.1 Port=$((BASE_PORT+14)) CPUs=$CPUS RealMemory=$MEM_MB Gres=gpu:rtx2080ti:1 Feature=turing
NodeName=gpu03 NodeHostname=$HOST NodeAddr=127.0.0.1 Port=$((BASE_PORT+15)) CPUs=$CPUS RealMemory=$MEM_MB Gres=gpu:titanxp:1 Feature=pascal
PartitionName=cpu Nodes=cpu01,cpu02 Default=YES DefaultTime=5 MaxTime=60
PartitionName=gpu Nodes=gpu01,gpu02,gpu03 DefaultTime=5 MaxTime=60
C
cat > "$S/etc/gres.conf" <<'C'
# Needed: without File= a GPU counts as 0 and the node is drained. Any character device
# will do (Slurm only counts it); N GPUs: N of them, as File=/dev/null,/dev/zero
NodeName=gpu01 Name=gpu Type=rtx2080ti File=/dev/null
NodeName=gpu02 Name=gpu Type=rtx2080ti File=/dev/null
NodeName=gpu03 Name=gpu Type=titanxp   File=/dev/null
C
if [ $ACCT = 1 ]; then
  cat >> "$S/etc/slurm.conf" <<C
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort=$((BASE_PORT+1))
# not a password: the munge socket for slurmctld, sacct, sacctmgr -> slurmdbd
AccountingStoragePass=$S/run/munge.sock
AccountingStorageTRES=gres/gpu,gres/gpu:rtx2080ti,gres/gpu:titanxp
AccountingStorageEnforce=associations,limits,qos
# the Snakemake plugin writes the rule name into the job's comment
AccountingStoreFlags=job_comment
C
  (umask 077; cat > "$S/etc/slurmdbd.conf" <<C      # must be 0600 and SlurmUser's
AuthType=auth/munge
AuthInfo=socket=$S/run/munge.sock
CommunicationParameters=NoInAddrAny
DbdHost=$HOST
DbdAddr=127.0.0.1
DbdPort=$((BASE_PORT+1))
SlurmUser=$ME
LogFile=$S/log/slurmdbd.log
PidFile=$S/run/slurmdbd.pid
StorageType=accounting_storage/mysql
# localhost = unix socket, its path comes from MYSQL_UNIX_PORT
StorageHost=localhost
StorageUser=$ME
StorageLoc=slurm_acct
C
  )
fi

# snakemake-executor-plugin-slurm-jobstep drops every SLURM_* variable but a few
# from the environment of its inner srun, SLURM_CONF too (and the slurm plugin drops
# all of them when it is itself started in a Slurm job), so PATH gets clients that
# know their configuration. (The other way: /etc/slurm/slurm.conf, one per machine.)
for c in sacct sacctmgr sattach sbatch scancel scontrol sdiag sinfo sprio squeue srun sshare sstat; do
  printf '#!/bin/sh\nSLURM_CONF=%s exec /usr/bin/%s "$@"\n' "$S/etc/slurm.conf" $c > "$S/bin/$c"
  chmod 755 "$S/bin/$c"
done
# Mail is kept where a test can read it: "-s SUBJECT TO" by line.
printf '#!/bin/sh\necho "$@" >> %s\ncat > /dev/null\n' "$S/log/mail" > "$S/bin/mail"
chmod 755 "$S/bin/mail"
cat > "$S/env.sh" <<C
export SLURM_CONF=$S/etc/slurm.conf
case ":\$PATH:" in *:$S/bin:*) ;; *) export PATH=$S/bin:\$PATH ;; esac
C
. "$S/env.sh"

# ---------------------------------------------------------------- accounting
if [ $ACCT = 1 ]; then
  # no fsync anywhere: initialising takes 0.6 s instead of 4 s
  nosync="--debug-no-sync --innodb-flush-method=nosync --skip-sync-frm --innodb-log-file-size=8M"
  if [ ! -d "$S/db/mysql" ]; then
    mariadb-install-db --no-defaults --user="$ME" --datadir="$S/db" --skip-test-db \
      --auth-root-authentication-method=socket --auth-root-socket-user="$ME" $nosync \
      > "$S/log/mariadb-install.log" 2>&1
  fi
  start mariadbd mariadbd --no-defaults --user="$ME" --datadir="$S/db" \
    --skip-networking --socket="$S/run/db.sock" --pid-file="$S/run/mariadbd.pid" $nosync \
    --innodb-buffer-pool-size=64M --innodb-lock-wait-timeout=900 --skip-log-bin
  wait_for 120 mariadbd test -S "$S/run/db.sock"
  export MYSQL_UNIX_PORT=$S/run/db.sock
  wait_for 60 munged test -S "$S/run/munge.sock"
  start slurmdbd slurmdbd -D
  wait_for 120 slurmdbd sacctmgr -n list cluster
  # --immediate: do not ask; exit status 1 where it exists already
  sacctmgr -iQ add cluster $CLUSTER                       >/dev/null || true
  sacctmgr -iQ add qos long Priority=10                   >/dev/null || true
  sacctmgr -iQ add account lab Cluster=$CLUSTER           >/dev/null || true
  sacctmgr -iQ add user "$ME" Account=lab Cluster=$CLUSTER QOS=normal,long >/dev/null || true
fi

# ---------------------------------------------------------------- the cluster
wait_for 60 munged test -S "$S/run/munge.sock"
start slurmctld slurmctld -D
for n in $NODES; do
  mkdir -p "$S/spool/$n"
  start "$n" slurmd -D -N "$n"
done
ready() { [ "$(sinfo -hN -t idle -o %N | sort -u | wc -l)" = "$(echo $NODES | wc -w)" ]; }
wait_for 300 "all nodes to be idle" ready
echo "start.sh: ready after ${SECONDS}s; source $S/env.sh"

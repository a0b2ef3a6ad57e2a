"""A real Slurm on this host, started, hurt and stopped by the scripts beside this file."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
QUICK = HERE / "quick_snakemake.py"


def missing_packages(accounting: bool = True) -> str:
    """What keeps Slurm from being started here: the missing packages in one line, or nothing."""
    words = ["--check"] + ([] if accounting else ["--no-accounting"])
    asked = subprocess.run(
        ["bash", str(HERE / "start.sh"), *words], capture_output=True, text=True, check=False
    )
    return "" if asked.returncode == 0 else asked.stderr.strip()


class Cluster:
    """Five nodes: cpu01, cpu02; gpu01, gpu02 with an rtx2080ti each; gpu03 with a titanxp."""

    def __init__(self, state: Path):
        self.state = state

    def script(self, name: str, *words: str) -> None:
        """Call one of the scripts beside this file, which must succeed."""
        command = ["bash", str(HERE / name), str(self.state), *words]
        # Daemons keep what they inherit open, so their words go to a file, not to a pipe.
        with tempfile.TemporaryFile("w+") as said:
            code = subprocess.run(command, stdout=said, stderr=said, check=False).returncode
            said.seek(0)
            assert code == 0, f"{name} {words}: {said.read()}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a login node."""
        return {
            **os.environ,
            "SLURM_CONF": str(self.state / "etc/slurm.conf"),
            "PATH": f"{self.state / 'bin'}:{os.environ['PATH']}",
            "OMP_NUM_THREADS": "1",
        }

    def ask(self, *command: str) -> str:
        """Return what a client of Slurm says."""
        asked = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=True, timeout=600
        )
        return asked.stdout

    def jobs(self, state: str = "") -> dict[str, str]:
        """Return the comment (rule and wildcards) of every job in the queue by its number."""
        words = ["squeue", "-h", "-o", "%A\t%k"] + (["-t", state] if state else [])
        return dict(line.split("\t", 1) for line in self.ask(*words).splitlines())

    def account(self, *fields: str) -> list[dict[str, str]]:
        """Return what accounting knows of all jobs, without their steps."""
        words = ("sacct", "-X", "-n", "-P", "-a", "-S", "now-1hours", "-o", ",".join(fields))
        rows = (line.split("|") for line in self.ask(*words).splitlines())
        return [dict(zip(fields, row, strict=True)) for row in rows]

    def peak_mb(self) -> dict[str, float]:
        """Greatest memory of every job by its number, that of Snakemake with it (MB).

        The peaks of its steps are added, as if they fell together; see start.sh on how pages count.
        """
        words = ("sacct", "-n", "-P", "-a", "-S", "now-1hours", "--units=K", "-o", "JobID,MaxRSS")
        peaks: dict[str, float] = {}
        for line in self.ask(*words).splitlines():
            step, peak = line.split("|")
            job = step.partition(".")[0]
            peaks[job] = peaks.get(job, 0.0) + float(peak.rstrip("K") or 0) * 1024 / 1e6
        return peaks

    def node_of(self, job: str) -> str:
        """Return the node that a running job is on."""
        return self.ask("squeue", "-h", "-j", job, "-o", "%N").strip()

    def start_snakemake(
        self, folder: Path, *arguments: str, **environment: str
    ) -> "subprocess.Popen[str]":
        """Start Snakemake as a user on the login node would, except that it polls every second."""
        with open(folder / "said.txt", "a", encoding="utf-8") as said:
            return subprocess.Popen(
                [sys.executable, str(QUICK), "--profile", "slurm", *PATIENCE, *arguments],
                cwd=folder,
                env={**self.environment, **environment},
                stdout=said,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )

    def snakemake(self, folder: Path, *arguments: str, **environment: str) -> tuple[int, str]:
        """Run Snakemake to its end and return its status and what it said."""
        (folder / "said.txt").unlink(missing_ok=True)
        process = self.start_snakemake(folder, *arguments, **environment)
        with ending(process):
            code = process.wait(timeout=PATIENCE_S)
        return code, (folder / "said.txt").read_text(encoding="utf-8")


PATIENCE_S = 1800.0
"""No run of a test takes so long, not even on a machine that others keep busy (s)."""

PATIENCE = ("--slurm-init-seconds-before-status-checks", "8", "--latency-wait", "5")
"""What differs from the profile for operators: their clusters and file systems are larger."""


@contextmanager
def ending(process: "subprocess.Popen[str]") -> Iterator[None]:
    """End a process that a failing test leaves behind."""
    try:
        yield
    finally:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(what: Callable[[], object], seconds: float = 600.0) -> object:
    """Wait until ``what`` returns something true, and return that."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.2)
    raise AssertionError(f"nothing came within {seconds} s")


@contextmanager
def stopped_at_the_end() -> Iterator[Cluster]:
    """A folder for a cluster; what was started in it is stopped, and the folder removed."""
    # Short: the path of a unix socket has at most 107 characters.
    cluster = Cluster(Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp")))
    try:
        yield cluster
    finally:
        cluster.script("stop.sh")
        shutil.rmtree(cluster.state, ignore_errors=True)


@contextmanager
def running_cluster(*words: str) -> Iterator[Cluster]:
    """Start a cluster and stop it at the end, with every process that it started."""
    with stopped_at_the_end() as cluster:
        cluster.script("start.sh", *words)
        yield cluster

"""Clusters for tests: several at a time on one host, on loopback only, each stopping its own."""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.slurm.cluster import HERE, Cluster, missing_packages, stopped_at_the_end

START = ["bash", str(HERE / "start.sh")]


@pytest.fixture(scope="module")
def two() -> Iterator[list[Cluster]]:
    """Two clusters without accounting that were started at the same time."""
    if missing := missing_packages(accounting=False):
        pytest.skip(f"no Slurm here, {missing}")
    with ExitStack() as stack:
        clusters = [stack.enter_context(stopped_at_the_end()) for _ in range(2)]
        said = [stack.enter_context(tempfile.TemporaryFile("w+")) for _ in clusters]
        starting = [
            subprocess.Popen([*START, str(one.state), "--no-accounting"], stdout=to, stderr=to)
            for one, to in zip(clusters, said, strict=True)
        ]
        for process, to in zip(starting, said, strict=True):
            code = process.wait()
            to.seek(0)
            assert code == 0, to.read()
        yield clusters


def processes(cluster: Cluster) -> dict[str, int]:
    """The recorded processes of a cluster by their name."""
    lines = (cluster.state / "pids").read_text().splitlines()
    return {name: int(pid) for name, pid in (line.split() for line in lines)}


def listening(pids: set[int]) -> set[str]:
    """Addresses and ports on which processes listen."""
    told = subprocess.run(["ss", "-ltnpH"], capture_output=True, text=True, check=True).stdout
    rows = (line.split() for line in told.splitlines())
    return {
        row[3] for row in rows if {int(pid) for pid in re.findall(r"pid=(\d+)", row[-1])} & pids
    }


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return False
    return state[0] not in "ZX"


def test_a_second_start_in_one_folder_is_refused_and_harmless(
    two: list[Cluster],
) -> None:
    state = two[0].state
    before = processes(two[0])
    again = subprocess.run([*START, str(state)], capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert f"expected {state} without a cluster" in again.stderr
    assert processes(two[0]) == before and all(alive(pid) for pid in before.values())


def test_ports_that_are_taken_are_refused_with_a_sentence(two: list[Cluster]) -> None:
    port = min(
        int(found.rpartition(":")[2]) for found in listening(set(processes(two[0]).values()))
    )
    with stopped_at_the_end() as third:
        asked = subprocess.run(
            [*START, str(third.state), "--no-accounting"],
            env={**os.environ, "BASE_PORT": str(port)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert asked.returncode == 2
    assert f"expected ports {port} to {port + 19} free" in asked.stderr


def test_two_at_once_do_not_meet_and_each_stops_only_its_own(two: list[Cluster]) -> None:
    first, second = two
    addresses = [listening(set(processes(one).values())) for one in two]
    assert all(len(found) == 6 for found in addresses), addresses
    assert not addresses[0] & addresses[1]
    assert all(address.startswith("127.") for address in addresses[0] | addresses[1])
    mine = processes(first).values()
    first.script("stop.sh")
    assert not [pid for pid in mine if alive(pid)]
    assert second.ask("sinfo", "-h", "-t", "idle", "-o", "%D").split() == ["5"]


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "bash").symlink_to("/bin/bash")
    asked = subprocess.run(
        [*START, "--check"],
        env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert asked.returncode == 3
    # start.sh looks into /usr/sbin by itself, as login nodes do not.
    last = asked.stderr.splitlines()[-1]
    assert last.startswith("missing packages: ") and "slurm-client" in last

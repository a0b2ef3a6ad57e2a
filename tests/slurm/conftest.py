"""Fixtures of the tests on a real Slurm; all are skipped where it is not installed."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.healthspan.clone import Workspace
from tests.slurm.cluster import Cluster, missing_packages, running_cluster
from tests.slurm.figures import Figures

OF_THE_RUN = ("provenance.json", "size.json")
STUB = Path(__file__).with_name("stub.py")
RAW_TIME = 1_750_000_000
"""When all raw images were written (s since 1970)."""


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A cluster with accounting."""
    if missing := missing_packages():
        pytest.skip(f"no Slurm here, {missing}")
    with running_cluster() as started:
        yield started


@pytest.fixture(scope="session")
def plain_cluster() -> Iterator[Cluster]:
    """A cluster without accounting."""
    if missing := missing_packages(accounting=False):
        pytest.skip(f"no Slurm here, {missing}")
    with running_cluster("--no-accounting") as started:
        yield started


@pytest.fixture(scope="session")
def figures() -> Iterator[Figures]:
    """Where tests put the figures that the benchmark writes into docs/tables."""
    collected = Figures()
    yield collected
    collected.write()


def stubbed(root: Path, *plates: str, timepoints: int = 3) -> Workspace:
    """A fresh clone with one block of every plate, its steps replaced by the stub."""
    root.mkdir(parents=True, exist_ok=True)
    workspace = Workspace(root)
    workspace.stub(STUB)
    (root / "faults").mkdir()
    workspace.sheet(*(f"{plate}|one|N2|raw/{plate}|0|60|" for plate in plates))
    for plate in plates:
        workspace.raw(plate, timepoints)
    # Two such clones have the same raw images, times included.
    for path in (root / "raw").rglob("*.tif"):
        os.utime(path, (RAW_TIME, RAW_TIME))
    return workspace


def outputs_of(root: Path) -> dict[str, bytes]:
    """The contents of all results, by their path.

    Left out is what tells of the run itself, and the times of the raw files, which are all of
    size.json and the last column of the manifests.
    """
    results = root / "results"
    return {
        str(path.relative_to(results)): without_times(path)
        for path in sorted(results.rglob("*"))
        if path.is_file() and "benchmarks" not in path.parts and path.name not in OF_THE_RUN
    }


def without_times(path: Path) -> bytes:
    """The content of a file; of a manifest without the times of its frames."""
    content = path.read_bytes()
    if path.parent.name != "manifest":
        return content
    return b"\n".join(line.rpartition(b"\t")[0] for line in content.split(b"\n"))

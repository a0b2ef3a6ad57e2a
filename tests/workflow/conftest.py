"""Clones of the workflow with three plates, before and after a run."""

import shutil
from pathlib import Path

import pytest

from tests.healthspan.clone import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Two experiments that nothing was computed of."""
    workspace = Workspace(tmp_path)
    workspace.subjects()
    return workspace


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which everything has been computed once; to be copied, not changed."""
    workspace = Workspace(tmp_path_factory.mktemp("finished"))
    workspace.subjects()
    workspace.run()
    return workspace.root


@pytest.fixture
def done(finished_run: Path, tmp_path: Path) -> Workspace:
    """A copy of the finished run, with the times of its files and Snakemake's own notes."""
    shutil.copytree(finished_run, tmp_path / "done", symlinks=True)
    return Workspace(tmp_path / "done", fresh=False)

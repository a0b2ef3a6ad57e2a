"""What tests of all trees share: the rules as Snakemake reads them, a finished run of each tree."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from snakemake.api import SnakemakeApi
from snakemake.settings.types import OutputSettings, Quietness, ResourceSettings

from snakescope import REPOSITORY
from snakescope.trees import TREES
from tests.harness import Clone, clone_of, example


@pytest.fixture(scope="session")
def workflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The workflow as Snakemake reads it, in an empty folder."""
    folder, here = tmp_path_factory.mktemp("parsed"), Path.cwd()
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        read = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            snakefile=REPOSITORY / "Snakefile",
            workdir=folder,
        )
        read.dag()
        # Snakemake has gone to the folder; other tests of the process name files from here.
        os.chdir(here)
        yield read._workflow


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder for each tree in which everything has been computed once."""
    folders = {}
    for tree in TREES:
        clone = example(tree, tmp_path_factory.mktemp(tree))
        clone.run("--", tree)
        folders[tree] = clone.root
    return folders


@pytest.fixture(params=list(TREES))
def done(request: Any, finished: dict[str, Path], tmp_path: Path) -> Clone:
    """A copy of the finished run of each tree."""
    root = finished[request.param]
    shutil.copytree(root, tmp_path / "done", symlinks=True)
    return clone_of(request.param)(tmp_path / "done", fresh=False)

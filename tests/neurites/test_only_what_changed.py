"""A run of the neurites tree does what changed since the last one, what follows, and nothing else.

Rules, configuration and the look at the volumes are the real ones; steps are replaced by a stub.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from snakescope import REPOSITORY

CALLED = re.compile(r"python -m neurites\.(\w+)")
STUB = """
import os, re, sys
from pathlib import Path

outputs = [Path(word) for word in sys.argv[1:] if word.startswith("results/")]
outputs = [path for path in outputs if not path.exists() and path.name != "volume.json"]
stores = ("image.zarr", "labels.zarr")
outputs = [path for path in outputs if path.name not in stores]
for path in outputs:
    path.parent.mkdir(parents=True, exist_ok=True)
    if re.fullmatch(r"\\d+|.*ome\\.zarr", path.name):
        path.mkdir()
    else:
        path.write_text("x")
with open(os.environ["STUB_RAN"], "a", encoding="utf-8") as ran:
    ran.write(f"{outputs[0]}\\n")
"""
CONFIG = """
neurites:
  block: [4, 16, 16]
  ingest: {sections_per_slab: 2}
  predict: {patch_zyx: [2, 16, 16], overlap: 0}
"""
FIRST, SECOND = "z0000-0004_y0000-0016_x0000-0016", "z0004-0008_y0000-0016_x0000-0016"
VOLUME = {
    "agglomeration.h5",
    "segmentation.ome.zarr",
    "scores.tsv",
    "sections.png",
}


class Workspace:
    """A clone with its own volumes and a stub for every step."""

    def __init__(self, root: Path):
        self.root = root

    def make(self) -> None:
        """Write the clone, a volume of eight sections with labels, and one without."""
        for name in ("rules", "scripts", "envs", "resources"):
            ignore = shutil.ignore_patterns(
                "__pycache__", "detector.safetensors", "states_*.safetensors"
            )
            shutil.copytree(REPOSITORY / name, self.root / name, ignore=ignore)
        shutil.copy(REPOSITORY / "Snakefile", self.root / "Snakefile")
        text = "".join(p.read_text() for p in (REPOSITORY / "rules/neurites").glob("*.smk"))
        for step in set(CALLED.findall(text)):
            self.set_version(step, 1)
        (self.root / "config").mkdir()
        self.config(CONFIG)
        rows = "volume\timage\tvoxel_nm\tlabels\na\traw/a\t30 6 6\tlabels.tif\nb\tb.tif\t30 6 6\n"
        (self.root / "config/volumes.tsv").write_text(rows)
        for z in range(8):
            self.section(z, z)
        tifffile.imwrite(self.root / "labels.tif", np.ones((8, 16, 16), np.uint16))
        tifffile.imwrite(self.root / "b.tif", np.ones((4, 16, 16), np.uint8))

    def section(self, z: int, value: int) -> None:
        path = self.root / f"raw/a/s{z}.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(path, np.full((16, 16), value, np.uint8))

    def config(self, text: str) -> None:
        (self.root / "config/config.yaml").write_text(text)

    def set_version(self, step: str, version: int) -> None:
        path = self.root / f"scripts/neurites/{step}.py"
        path.write_text(f"VERSION = {version}\n{STUB}")

    def snakemake(self, *arguments: str, target: str = "neurites") -> str:
        ended = subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", "2", *arguments, "--", target],
            cwd=self.root,
            env={**os.environ, "STUB_RAN": str(self.root / "ran.txt")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout + ended.stderr

    def plan(self, target: str = "neurites") -> set[str]:
        """The jobs that would run, by first output."""
        told = self.snakemake("--dry-run", target=target)
        outputs = re.findall(r"^    output: ([^,\n]+)", told, re.MULTILINE)
        return {output.removeprefix("results/neurites/") for output in outputs}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run from nothing; no plate and no sheet of plates is needed for it."""
    workspace = Workspace(tmp_path_factory.mktemp("neurites"))
    workspace.make()
    workspace.snakemake()
    return workspace.root


@pytest.fixture
def done(finished: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(finished, tmp_path / "done", symlinks=True)
    return Workspace(tmp_path / "done")


def of(volume: str, names: set[str]) -> set[str]:
    return {f"{volume}/{name}" for name in names}


def test_again_there_is_nothing_to_do(done: Workspace) -> None:
    for path in (done.root / "scripts").rglob("*.py"):
        os.utime(path)
    assert done.plan() == set()


def test_a_changed_section_redoes_its_slab_its_block_and_the_agglomeration(done: Workspace) -> None:
    done.section(5, 99)
    of_block = {f"affinities/{SECOND}.h5", f"fragments/{SECOND}.h5", f"graphs/{SECOND}.npz"}
    assert done.plan() == of("a", {"image.zarr/2"} | of_block | VOLUME)


def test_a_section_below_a_face_redoes_the_graph_above_it_too(done: Workspace) -> None:
    done.section(3, 99)
    of_block = {f"affinities/{FIRST}.h5", f"fragments/{FIRST}.h5", f"graphs/{FIRST}.npz"}
    expected = {"image.zarr/1", f"graphs/{SECOND}.npz"} | of_block | VOLUME
    assert done.plan() == of("a", expected)


def test_where_a_network_runs_is_no_reason_to_compute_again(done: Workspace) -> None:
    where = "device: cpu, batch: 4, threads: 1"
    done.config(CONFIG.replace("overlap: 0", f"overlap: 0, {where}"))
    assert done.plan() == set()
    done.config(CONFIG.replace("overlap: 0", "overlap: 0, combine: min"))
    assert f"a/affinities/{FIRST}.h5" in done.plan()


def test_another_threshold_redoes_no_block(done: Workspace) -> None:
    done.config(CONFIG + "  segmentation: {threshold: 0.3}\n")
    both = {"segmentation.ome.zarr", "sections.png"}
    assert done.plan() == of("a", both | {"scores.tsv"}) | of("b", both)


def test_another_export_redoes_nothing_else(done: Workspace) -> None:
    done.config(CONFIG + "  segmentation: {exports: [tiff]}\n")
    assert done.plan() == {"a/segmentation.tif", "b/segmentation.tif"}


def test_another_voxel_size_leaves_the_slabs_and_the_affinities(done: Workspace) -> None:
    sheet = done.root / "config/volumes.tsv"
    sheet.write_text(sheet.read_text().replace("30 6 6\tlabels", "40 6 6\tlabels"))
    plan = done.plan()
    assert {f"a/fragments/{FIRST}.h5", "a/segmentation.ome.zarr", "a/sections.png"} <= plan
    assert not [path for path in plan if "affinities" in path or ".zarr/" in path]
    assert not [path for path in plan if path.startswith("b/")]


def test_a_further_seed_or_network_of_the_paper_leaves_the_rows_that_there_are(
    done: Workspace,
) -> None:
    sheet = done.root / "config/volumes.tsv"
    sheet.write_text(sheet.read_text().replace("labels.tif\n", "labels.tif\ttrain\n", 1))
    sheet.write_text(sheet.read_text().replace("voxel_nm\tlabels\n", "voxel_nm\tlabels\tset\n", 1))
    done.config(CONFIG + "  paper: {n: [1]}\n")
    done.snakemake(target="neurites_paper")
    assert done.plan("neurites_paper") == set()
    done.config(CONFIG + "  paper: {n: [1, 2]}\n")
    assert done.plan("neurites_paper") == {"paper/revnet_2_seed1.tsv", "paper/paper.tsv"}


def test_other_fragments_leave_the_affinities(done: Workspace) -> None:
    done.set_version("fragments", 2)
    plan = done.plan()
    assert {f"a/fragments/{FIRST}.h5", "b/segmentation.ome.zarr"} <= plan
    assert not [path for path in plan if "affinities" in path or "image" in path]


def test_no_training_without_a_volume_that_the_sheet_names_for_it(done: Workspace) -> None:
    model = "results/neurites/models/affinities.safetensors"
    sheet = done.root / "config/volumes.tsv"
    sheet.write_text(sheet.read_text().replace("labels.tif\n", "labels.tif\ttrain\n", 1))
    sheet.write_text(sheet.read_text().replace("voxel_nm\tlabels\n", "voxel_nm\tlabels\tset\n", 1))
    assert done.plan(model) == {"models/affinities.safetensors"}
    tifffile.imwrite(done.root / "labels.tif", np.ones((7, 16, 16), np.uint16))
    assert done.plan(model) == {"models/affinities.safetensors", "a/manifest/usable"}


def test_a_volume_that_cannot_be_used_does_not_stop_the_other(done: Workspace) -> None:
    tifffile.imwrite(done.root / "labels.tif", np.ones((7, 16, 16), np.uint16))
    assert done.plan() == {"a/manifest/usable"}

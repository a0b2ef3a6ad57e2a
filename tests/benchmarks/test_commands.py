"""Every benchmark that the pages name runs, on next to nothing."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image

from benchmarks.browser import CHROMIUM
from benchmarks.neurites.volume import SyntheticVolume
from benchmarks.workflow import dry_run
from snakescope import REPOSITORY
from snakescope.step.tables import read_table
from tests.markdown import cells
from tests.started import MODELS, quick_steps, run

PAGES = [
    *REPOSITORY.glob("*.md"),
    *REPOSITORY.glob("config/*.md"),
    *REPOSITORY.glob("docs/**/*.md"),
]
COMMAND = re.compile(r"python\s+-m\s+benchmarks\.([\w.]+)|benchmarks/([\w/]+)\.py")
NOT_ACTIVATED = re.compile(r"(?<![\w/])python -m benchmarks\.\S+")
LIBRARIES = {"fibrosis/untrained", "neurites/branches", "workflow/simulation"}
"""Modules that pages name and that are no commands."""

CALLED = {"workflow.planned"}
"""Commands that another benchmark calls."""

GEOMETRY = "--timepoints 3 --frame-px 400 --worms 3"
TINY: dict[str, str] = {
    "sperm.sheets": "--folder e --table t.tsv",
    "sperm.dishes": "--dishes 2 --more 2 --each 4 --table t.tsv",
    "sperm.drift_alone": "--folds 0 --epochs 1 --each 2 --folder e --kept SHARED/k --table t.tsv",
    "sperm.ceilings": "--dishes 3 --sperm 300 --each 2 --epochs 1 --kept SHARED/k --table t.tsv",
    "sperm.visem": "--data none --table t.tsv",
    "sperm.linking": "--data none --fields 1 --table t.tsv",
    "sperm.fields": "--fields 1 --dishes 2 --each 3 --table t.tsv",
    "sperm.folds": "--networks vit --folds 0 --epochs 1 --each 2 --folder e"
    " --kept SHARED/k --table t.tsv",
    "sperm.explanations": "--networks vit --count 1 --erased 1 --epochs 1 --each 2 --folder e"
    " --kept SHARED/k --table t.tsv",
    "sperm.speed": "--networks vit --sizes tiny --threads 1 --tries 1 --seconds 0 --table t.tsv",
    "sperm.evaluation": "--networks vit --kept SHARED/k --tables SHARED/k --table t.tsv"
    " --page p.md",
    "workflow.dry_run": "--plates 2 --timepoints 11 --times 1 --table t.tsv --page p.md",
    "workflow.cluster_faults": "--figures figures.tsv --table t.tsv --page p.md",
    "workflow.cluster_scale": "--plates 1 2 3 --blocks 10 50 --repeats 1 --table t.tsv --page p.md",
    "healthspan.full_geometry": f"{GEOMETRY} --folder SHARED/whole --table t.tsv --page p.md",
    "healthspan.measured_costs": f"{GEOMETRY} --folder SHARED --write w.tsv"
    " --table t.tsv --page p.md",
    "healthspan.evaluation": "--configfile evaluation.yaml --folder e --table t.tsv --page p.md",
    "healthspan.detection": "--sets wormsizer --data data --folder f --table t.tsv",
    "healthspan.detection_speed": "--plates 1 --frame-px 880 --worms 4 --folder e --table t.tsv",
    "healthspan.borders": "--sets wormsizer --data data --folder f --table t.tsv",
    "fibrosis.cross_validation": "--set simulated_paper --model majority --images 2 --folds 2"
    " --kept training --table t.tsv",
    "fibrosis.evaluation": "--table t.tsv --speed s.tsv --page p.md --data none --repeats 2",
    "fibrosis.learning_curve": "--sizes 3 8 --images 1 --kept training --table t.tsv"
    " --adapted a.tsv",
    "fibrosis.liver": "--data none --table t.tsv",
    "fibrosis.liver_further": "--data none --table t.tsv --inner i.tsv",
    "fibrosis.new_devices": "--images 2 --kept training --table t.tsv",
    "healthspan.fine_tuned_folds": "--steps 1 --simulated-scenes 0 --precision float32 --data data"
    " --folder e --table t.tsv",
    "healthspan.false_positives": "--plates 2 --worms 5 --comparisons 3 --table t.tsv",
    "workflow.inputs": "--base e --generators none --planned --kind 14 --case ends --table t.tsv",
    "healthspan.review": "--plates 1 --worms 12 --timepoints 30 --full 4 6 --listed 3 --times 1"
    " --bent 2 --again 0 --table t.tsv --page p.md",
    "healthspan.review_learning": "--taught 1 --held-out 1 --worms 3 --frame-px 400 --frames 3"
    " --annotated 2 --steps 2 --crop-px 96 --scenes 2 --state-steps 2 --simulated 2 --folder e"
    " --table t.tsv --page p.md",
    "healthspan.second_look": "--plates 1 --timepoints 3 --worms 4 4 --folder e --table t.tsv"
    " --page p.md",
    "healthspan.states": "--per-state 3 --table t.tsv --page p.md",
    "neurites.networks": "--patch 8,16,16 --training-patch 8,16,16 --repeats 1 --n 1"
    " --networks t.tsv --inference i.tsv",
    "neurites.networks_page": "--patch 8 16 16 --kept t.tsv --arithmetic a.tsv --page p.md",
    "neurites.scale": "--shape 8 96 96 --block 8 48 48 --processes 1 --table t.tsv --parts q.tsv",
    "neurites.scale_page": "--page p.md",
    "neurites.blocks": "--sections 4 64 64 --cubes 12 32 32 --contexts 32 --data none"
    " --training none --table t.tsv",
    "neurites.evaluation": "--volumes snemi3d --data data --table t.tsv",
    "neurites.training": "--volumes gala --data data --training training --steps 1 --views 1"
    " --precision float32"
    " --table t.tsv",
    "membranes.trainings": "--seeds 2 --data data --table t.tsv --page p.md --curves c.tsv"
    ' --figure f.png --paper {"resamples":100}'
    ' --settings {"rungs":[1,2],"kernels":[[4,8,16],[4,8,10],[2,8,16],[4,6,16]]}',
    "membranes.speed": "--steps 1 --widths 2 --sides 64 --table t.tsv --page p.md",
    "membranes.folds": "--steps 1 --only dcn_isbi2012_27_3 --only raw_isbi2012_5fold_0"
    " --data data --work training --table t.tsv --page p.md",
    "membranes.learning_curve": "--steps 1 --counts 1 --data data --work training --table t.tsv"
    " --page p.md --figure f.png",
    "neurites.memory": "--steps simulate --sizes 1 --table t.tsv",
    "neurites.segmentation": "--shape 8 96 96 --threads 1 --table t.tsv",
}
"""Arguments with which a benchmark takes seconds; files are seen from the folder of the test."""

EVALUATION = "healthspan:\n  evaluation:\n    plates: 1\n    frame_px: 880\n    timepoints: 3\n"
EVALUATION += "    min_worms: 4\n    max_worms: 4\n    data: none\n"


def named() -> set[str]:
    """The benchmarks that pages name, as ``group.name``."""
    found = set()
    for page in PAGES:
        for module, path in COMMAND.findall(page.read_text(encoding="utf-8")):
            if path not in LIBRARIES:
                found.add(module.rstrip(".") or path.replace("/", "."))
    return found


def test_every_benchmark_that_a_page_names_has_a_tiny_run() -> None:
    assert len(named()) > 10
    assert named() <= set(TINY)


def test_every_benchmark_with_a_command_line_has_a_tiny_run() -> None:
    scripts = (
        path for path in REPOSITORY.glob("benchmarks/*/*.py") if "__main__" in path.read_text()
    )
    assert {f"{path.parent.name}.{path.stem}" for path in scripts} - CALLED == set(TINY)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_name_the_python_of_make_setup(page: Path) -> None:
    assert not NOT_ACTIVATED.findall(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("script", REPOSITORY.glob("benchmarks/*/*.py"), ids=lambda path: path.stem)
def test_what_writes_a_page_names_it_too(script: Path) -> None:
    # Its own docstring is no page.
    text = script.read_text(encoding="utf-8").partition('"""')[2].partition('"""')[2]
    assert not NOT_ACTIVATED.findall(text)


def faults(folder: Path) -> None:
    """Figures as tests/slurm writes them."""
    rows = [{"case": "c", "metric": "m", "value": 1, "unit": "s"}]
    pd.DataFrame(rows).to_csv(folder / "figures.tsv", sep="\t", index=False)


def base_volume(folder: Path) -> None:
    """A volume as the cases are made of."""
    path = folder / "e/nbase/simulated/neurites/v"
    path.mkdir(parents=True)
    image = np.random.default_rng(1).integers(1, 255, (16, 128, 128)).astype(np.uint8)
    tifffile.imwrite(path / "image.tif", image)


def evaluated(folder: Path) -> None:
    """A configuration with one small plate, and no real images."""
    (folder / "evaluation.yaml").write_text(EVALUATION)


def drawn_worms(folder: Path) -> None:
    """An image of three dark bars with their masks."""
    worms = folder / "data/worms/wormsizer"
    worms.mkdir(parents=True)
    picture = np.random.default_rng(0).normal(180, 2, (300, 300))
    notes = []
    for top in (60, 130, 200):
        picture[top : top + 15, 60:220] = 70
        corners = [60, top, 219, top, 219, top + 14, 60, top + 14]
        notes.append({"image_id": 1, "segmentation": [corners], "bbox": [60, top, 160, 15]})
    Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(worms / "p.png")
    content = {"images": [{"id": 1, "file_name": "p.png"}], "annotations": notes}
    (worms / "coco.json").write_text(json.dumps(content))


def wells(folder: Path) -> None:
    """Five wells of two dark bars each, with the masks of these."""
    source = folder / "data/worms/bbbc010"
    rows = []
    for number in range(5):
        picture = np.random.default_rng(number).normal(180, 2, (300, 300))
        for worm, top in enumerate((80, 150 + 5 * number)):
            picture[top : top + 10, 60:180] = 70
            mask = np.zeros((300, 300), np.uint8)
            mask[top : top + 10, 60:180] = 255
            rows.append((f"A{number:02d}", f"A{number:02d}_{worm}.png"))
            (source / "masks").mkdir(parents=True, exist_ok=True)
            Image.fromarray(mask).save(source / "masks" / rows[-1][1])
        (source / "images").mkdir(exist_ok=True)
        grey = np.clip(picture, 0, 255).astype(np.uint8)
        Image.fromarray(grey).save(source / f"images/A{number:02d}.png")
    pd.DataFrame(rows, columns=["well", "mask"]).to_csv(source / "worms.csv", index=False)


def snemi3d(folder: Path) -> None:
    """Probabilities, labels and supervoxels as the public volume has them."""
    box = ((0, 32), (0, 48), (0, 48))
    labels, affinities = SyntheticVolume().both(box)
    write(folder / "data/neurites/snemi3d_mini_labels", "train-labels", labels + 1)
    write(folder / "data/neurites/snemi3d_mini_labels", "train-fragments", labels)
    write(folder / "data/neurites/snemi3d_mini_labels", "train-probabilities", affinities[1])


def gala(folder: Path) -> None:
    """Two volumes with labels."""
    box = ((0, 40), (0, 40), (0, 208))
    for seed, part in enumerate(("train", "test")):
        labels, affinities = SyntheticVolume(seed).both(box)
        write(folder / "data/neurites/gala_fibsem_small", f"{part}-gt", labels)
        write(folder / "data/neurites/gala_fibsem_small", f"{part}-image", affinities[1])


def isbi2012(folder: Path) -> None:
    """Thirty sections with dark membranes, whose labels are 0."""
    membrane = np.zeros((30, 136, 136), bool)
    membrane[:, ::12] = membrane[:, :, ::15] = True
    grey = np.where(membrane, 60, 160) + np.random.default_rng(1).normal(0, 20, membrane.shape)
    stacks = {"train-volume": grey, "train-labels": np.where(membrane, 0, 255)}
    for name, values in stacks.items():
        write(folder / "data/neurites/isbi2012", name, values.clip(0, 255).astype(np.uint8))


def write(folder: Path, name: str, values: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    kind = np.uint8 if values.dtype == np.uint8 else np.uint32
    tifffile.imwrite(folder / f"{name}.tif", values.astype(kind))


def planned(folder: Path) -> None:
    """Of each plate, three jobs for each of two blocks and five for all; one experiment, tables."""
    found = read_table(folder / "t.tsv", dry_run.COLUMNS)
    assert found["what"].tolist() == ["first", "again", "printed", "nothing to do"]
    jobs = found["jobs"].tolist()
    assert jobs == [JOBS, JOBS, JOBS, 0]
    assert (found["peak_rss_mb"] > 50).all()
    (row,) = (row for row in cells((folder / "p.md").read_text()) if row[0] == "nothing to do")
    assert row[1:3] == ["2 x 11", "0"]


JOBS = 22
"""Of a dry run of two plates of 11 timepoints."""


def measured(folder: Path) -> None:
    """Every step of a plate, with time and memory."""
    table = read_table(folder / "t.tsv")
    assert {"reference", "detect", "track", "quality"} <= set(table["step"])
    assert (table["peak_rss_mb"] > 20).all() and (table["cpu_seconds_per_frame"] > 0).all()


def scored(folder: Path) -> None:
    """Simulated plates, and nothing where no real images are at hand."""
    table = read_table(folder / "t.tsv", ("set", "metric", "value", "low", "high", "n"))
    assert set(table["set"]) == {"simulated_unseen"}
    assert cells((folder / "p.md").read_text())[-1][0] == "E1"


PREPARED: dict[str, Callable[[Path], None]] = {
    "workflow.cluster_faults": faults,
    "workflow.inputs": base_volume,
    "healthspan.evaluation": evaluated,
    "healthspan.detection": drawn_worms,
    "healthspan.borders": drawn_worms,
    "healthspan.fine_tuned_folds": wells,
    "neurites.evaluation": snemi3d,
    "neurites.training": gala,
    "membranes.trainings": isbi2012,
    "membranes.folds": isbi2012,
    "membranes.learning_curve": isbi2012,
}


def found(folder: Path) -> None:
    """Figures of the one set that is there."""
    table = read_table(folder / "t.tsv", ("set", "metric", "value", "low", "high", "n"))
    assert set(table["set"]) == {"wormsizer"}
    assert {"detection_f", "detection_f75", "ap", "recall"} <= set(table["metric"])


def border_read(folder: Path) -> None:
    """Sharp bars whose border is known."""
    table = read_table(folder / "t.tsv", ("set", "metric", "value", "low", "high", "n"))
    rows = table.set_index("metric")
    assert rows.loc["half_inside_truth_px", "n"] == 3
    assert abs(rows.loc["half_inside_truth_px", "value"]) < 0.5
    assert 0.3 < rows.loc["grey_at_truth", "value"] < 0.7


CHECKED: dict[str, Callable[[Path], None]] = {
    "workflow.dry_run": planned,
    "healthspan.full_geometry": measured,
    "healthspan.evaluation": scored,
    "healthspan.detection": found,
    "healthspan.borders": border_read,
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one benchmark computes and the next reads: a plate that has two names, and tables."""
    folder = tmp_path_factory.mktemp("shared")
    (folder / "whole").mkdir()
    (folder / "tiny").symlink_to("whole")
    return folder


WITH_CHROMIUM = {"healthspan.review"}
"""They drive a browser, and are skipped without one."""

WITH_PROCESSES = {"neurites.scale"}
"""They start processes, which look for classes in the program that was started."""


def arguments(benchmark: str, folder: Path, shared: Path) -> Sequence[str]:
    """Tiny arguments; names of files and folders are those of the test's folder."""
    words = TINY[benchmark].replace("SHARED", str(shared)).split()
    inside = re.compile(r"\w+\.(tsv|md|yaml|png)|none|data|training|e|f")
    return [
        str(folder / word) if inside.fullmatch(word) and words[at - 1].startswith("--") else word
        for at, word in enumerate(words)
    ]


@pytest.mark.parametrize("benchmark", TINY)
def test_benchmark_runs(benchmark: str, tmp_path: Path, shared: Path) -> None:
    if benchmark in WITH_CHROMIUM and CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    PREPARED.get(benchmark, lambda folder: None)(tmp_path)
    environment = {name: value for name, value in os.environ.items() if name != "SNAKESCOPE_DATA"}
    environment |= quick_steps()
    words = arguments(benchmark, tmp_path, shared)
    if benchmark in WITH_PROCESSES:
        command = [sys.executable, "-m", f"benchmarks.{benchmark}", *words]
        ran = subprocess.run(
            command, cwd=REPOSITORY, env=environment, capture_output=True, text=True
        )
    else:
        ran = run(f"benchmarks.{benchmark}", words, REPOSITORY, MODELS, environment)
    assert ran.returncode == 0, ran.stderr[-3000:]
    written = [path for path in (tmp_path / "t.tsv", tmp_path / "p.md") if path.exists()]
    assert written and all(path.stat().st_size > 20 for path in written)
    CHECKED.get(benchmark, lambda folder: None)(tmp_path)

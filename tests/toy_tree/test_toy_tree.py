"""A tree of trained models in a copy of the workflow: one line of trees.py, and its own folders."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from snakescope import REPOSITORY
from tests.started import quick_steps, snakemake

HERE = Path(__file__).parent
FOLDER = "results/toy/cross_validation"
LIMIT = 150
"""Lines that the smallest tree may have."""


class Workspace:
    """A copy of the workflow with the toy tree, and drawings of it."""

    def __init__(self, root: Path):
        self.root = root
        for name in ("rules", "scripts", "envs", "resources"):
            ignore = shutil.ignore_patterns("__pycache__", ".mypy_cache", "*.safetensors")
            shutil.copytree(REPOSITORY / name, root / name, ignore=ignore)
        shutil.copy(REPOSITORY / "Snakefile", root)
        before = self.files()
        for name in ("rules", "scripts"):
            shutil.copytree(HERE / name, root / name, dirs_exist_ok=True)
        assert {path for path, text in before.items() if self.files()[path] != text} == set()
        trees = root / "scripts/snakescope/trees.py"
        text = trees.read_text()
        registered = text.replace("(Healthspan, Neurites", "(Healthspan, Neurites, Toys")
        assert registered != text
        trees.write_text("from snakescope.toy.tree import Toys\n" + registered)
        self.rows: list[tuple[str, str, str, str]] = []

    def files(self) -> dict[Path, bytes]:
        found = (path for name in ("rules", "scripts") for path in (self.root / name).rglob("*"))
        return {path: path.read_bytes() for path in found if path.is_file()}

    def draw(self, child: int, label: str, seed: int) -> None:
        """A bar of noise, upright of label I and lying of label O, as text says."""
        rng = np.random.default_rng(seed)
        grey = rng.normal(90, 25, (32, 32))
        grey[
            (slice(4, 28), slice(12, 20)) if label == "bar" else (slice(12, 20), slice(4, 28))
        ] += 70
        name = f"{len(self.rows):03d}"
        path = self.root / f"raw/{name}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).save(path)
        self.rows.append((name, f"{child:02d}", label, f"raw/{name}.png"))

    def configure(self, **settings: object) -> None:
        (self.root / "config").mkdir(exist_ok=True)
        table = pd.DataFrame(self.rows, columns=["toy", "child", "label", "image"])
        table.to_csv(self.root / "config/toys.tsv", sep="\t", index=False)
        settings = {"splits": {"folds": 2}, "scores": {"resamples": 200}, **settings}
        (self.root / "config/config.yaml").write_text(json.dumps({"toy": settings}))

    def snakemake(self, *words: str) -> subprocess.CompletedProcess[str]:
        return snakemake(self.root, "--cores", "2", *words, **quick_steps())

    def table(self, name: str) -> pd.DataFrame:
        return pd.read_csv(self.root / FOLDER / name, sep="\t", dtype={"item": str, "group": str})


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = Workspace(tmp_path_factory.mktemp("toys"))
    for child in range(12):
        for seed in range(2):
            made.draw(child, "bar" if child % 2 else "plank", 10 * child + seed)
    made.configure()
    shutil.copy(made.root / "raw/000.png", made.root / "raw/004.png")  # another's
    return made


REASON = "copied on purpose, to try what an accepted finding does"


@pytest.fixture(scope="module")
def stopped(workspace: Workspace) -> subprocess.CompletedProcess[str]:
    """The end of a first run, on an image that two children share."""
    return workspace.snakemake("toy", "--keep-going")


@pytest.fixture
def accepting(workspace: Workspace, stopped: object) -> Workspace:
    """The workspace in which that was accepted."""
    workspace.configure(audit={"accept": {"same_across_groups": REASON}})
    return workspace


def test_the_smallest_tree_is_small():
    lines = [
        line
        for path in HERE.rglob("*")
        if path.suffix in (".py", ".smk") and path != Path(__file__)
        for line in path.read_text().splitlines()
    ]  # fmt: skip
    assert len(lines) <= LIMIT


@pytest.mark.slow
def test_no_model_is_fitted_before_the_audit_is_passed(workspace, stopped):
    assert stopped.returncode != 0
    said = stopped.stdout + stopped.stderr
    assert "same_across_groups (1)" in said
    assert "toy: audit: accept" in said
    assert not list(workspace.root.glob(f"{FOLDER}/**/*.safetensors"))
    summary = workspace.table("audit/summary.tsv").set_index("code")["findings"]
    assert set(summary.index[summary > 0]) == {"same_across_groups"}


@pytest.mark.slow
def test_models_are_cross_validated_by_group_where_findings_are_accepted(accepting):
    workspace = accepting
    planned = workspace.snakemake("toy", "--dry-run")
    assert planned.returncode == 0 and "toy_audit" not in planned.stdout
    done = workspace.snakemake("toy")
    assert done.returncode == 0, done.stderr
    splits = workspace.table("splits.tsv")
    assert (splits.groupby("group")["fold"].nunique() == 1).all()
    assert splits["group"].tolist()[:2] == ["00", "00"]
    scores = workspace.table("scores.tsv").set_index(["model", "metric"])
    assert scores.at[("means", "accuracy"), "value"] == 1.0
    assert scores.at[("means", "auc_plank"), "value"] == 1.0
    assert 0.2 < scores.at[("brightness", "accuracy"), "value"] < 0.8
    assert scores.at[("means - brightness", "accuracy"), "p"] < 0.01
    assert (scores["n"] == 24).all()
    predictions = workspace.table("predictions.tsv")
    assert len(predictions) == 48
    assert (predictions["p_bar"] + predictions["p_plank"] - 1).abs().max() < 1e-5
    page = (workspace.root / FOLDER / "page.html").read_text()
    assert all(word in page for word in ("means", "brightness", REASON, "data:image/png"))
    again = workspace.snakemake("toy", "--dry-run")
    assert "Nothing to be done" in again.stdout + again.stderr

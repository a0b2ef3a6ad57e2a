"""The rules on next to nothing, as a user runs them, without a sheet of plates."""

import subprocess
from pathlib import Path

import pandas as pd
import pytest
import yaml

from snakescope import REPOSITORY
from tests import started

TINY = {
    "classifier": {"per_state": 8, "validation_per_state": 8, "epochs": 1, "batch": 8},
    "semantic": {"scenes": 1, "scene_px": 128, "crop_px": 64, "steps": 1, "batch": 1},
    "states": {"per_state": 2, "tuning_per_state": 2, "resamples": 100},
    "detection": {
        "scenes": 2, "tuning_scenes": 1, "scene_px": 240, "backbones": ["resnet18_half"],
    },
    "curves": {"plates": 1, "worms": 2, "timepoints": 5},
}  # fmt: skip


def snakemake(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    snakefile, own = str(REPOSITORY / "Snakefile"), str(folder / "c.yaml")
    words = ("--snakefile", snakefile, "--cores", "1", *words, "--configfile", own)
    return started.snakemake(folder, *words, **started.quick_steps())


@pytest.mark.slow
def test_the_page_is_made_from_settings_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SNAKESCOPE_DATA", raising=False)
    (tmp_path / "c.yaml").write_text(yaml.safe_dump({"healthspan": {"paper": TINY}}))
    ended = snakemake(tmp_path, "healthspan_paper")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    made = tmp_path / "results/healthspan/paper"
    table = pd.read_csv(made / "healthspan-paper.tsv", sep="\t")
    assert {"table 2", "table 5", "networks", "figure 16"} <= set(table["table"])
    states = table[table["table"] == "table 5"]
    assert set(states["set"]) == {"steady", "unsteady"} and states["method"].nunique() == 9
    page = (made / "healthspan-paper.md").read_text(encoding="utf-8")
    assert "No real images were at hand" in page
    for name in ("confusion_steady", "confusion_unsteady", "detection", "curves"):
        assert f"]({name}.png)" in page and (made / f"{name}.png").stat().st_size > 1000
    again = snakemake(tmp_path, "healthspan_paper", "--dry-run")
    assert again.returncode == 0 and "Nothing to be done" in again.stdout + again.stderr

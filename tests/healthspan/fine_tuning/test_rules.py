"""The rules on tiny images, as a user runs them."""

import json
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import yaml

from snakescope import REPOSITORY
from snakescope.learning.registry import read_card, weights_checksum
from snakescope.step.checksum import sha256_of
from tests import started
from tests.healthspan.fine_tuning.drawn import write_single_masks
from tests.healthspan.fine_tuning.reviewed import FRAMES, WORMS, write_raw, write_reviewed

TINY = {
    "detector": {
        "steps": 2, "batch": 1, "crop_px": 96, "simulated_scenes": 0, "threads": 1,
        "warmup_steps": 1, "ema_decay": 0.5, "device": "cpu", "checkpoint_every": 1,
    }
}  # fmt: skip


def snakemake(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    snakefile, own = str(REPOSITORY / "Snakefile"), str(folder / "c.yaml")
    words = ("--snakefile", snakefile, "--cores", "1", *words, "--configfile", own)
    return started.snakemake(folder, *words, **started.quick_steps())


@pytest.mark.slow
def test_a_sheet_of_annotations_becomes_weights_with_scores(tmp_path: Path) -> None:
    rows = ["image\tbright_field\tmasks\tgroup\tlicence"]
    for number, name in enumerate("ab"):
        write_single_masks(tmp_path, name, number)
        rows.append(f"{name}\t{name}.png\tmasks/{name}_*.png\tplate_{name}\tCC0")
    rows.append("gone\tgone.png\tmasks/a_*.png\tplate_a\tCC0")
    (tmp_path / "annotated.tsv").write_text("\n".join(rows) + "\n")
    settings = {"fine_tuning": {"sheet": "annotated.tsv", **TINY}}
    (tmp_path / "c.yaml").write_text(yaml.safe_dump({"healthspan": settings}))
    ended = snakemake(tmp_path, "healthspan_train")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    made = tmp_path / "results/healthspan/training"
    scores = pd.read_csv(made / "scores.tsv", sep="\t")
    assert {"held_out_before", "held_out_after", "held_out_difference"} == set(scores["set"])
    splits = pd.read_csv(made / "splits.tsv", sep="\t")
    assert sorted(splits["part"]) == ["held_out", "train"]
    findings = pd.read_csv(made / "findings.tsv", sep="\t")
    assert ["gone", "no"] in findings[["image", "used"]].to_numpy().tolist()
    weights = made / "detector.safetensors"
    assert weights_checksum(weights) == sha256_of(weights)
    card = read_card(weights)
    assert card.data[0].licence == "CC0" and set(card.held_out) == {
        "held_out_before", "held_out_after"
    }  # fmt: skip
    assert json.loads((made / "detector.json").read_text())["steps"] == 2
    (held_out,) = splits.loc[splits["part"] == "held_out", "image"]
    assert [one.name for one in (made / "pictures").glob("*.png")] == [f"{held_out}.png"]
    page = (made / "training.html").read_text()
    assert "weights: results/healthspan/training/detector.safetensors" in page
    assert (made / "history.tsv").exists() and (made / "history.svg").exists()
    again = snakemake(tmp_path, "healthspan_train", "--dry-run")
    assert again.returncode == 0 and "Nothing to be done" in again.stdout + again.stderr


@pytest.mark.slow
def test_corrections_become_a_classifier_with_scores_before_and_after(tmp_path: Path) -> None:
    """Corrections of a person to weights, through the rules; images are not looked at again."""
    for plate in "pq":
        write_raw(tmp_path / "raw" / plate)
    header = "plate\texperiment\tcondition\tfolder\tage_at_first_frame_d\tworms\n"
    rows = "".join(f"{one}\te\tc\traw/{one}\t1\t{WORMS}\n" for one in "pq")
    (tmp_path / "plates.tsv").write_text(header + rows)
    tiny = {"steps": 2, "batch": 4, "simulated_per_state": 2, "device": "cpu"}
    settings = {"sheet": "plates.tsv", "timepoints_per_block": FRAMES}
    settings |= {"fine_tuning": {"states": tiny}}
    (tmp_path / "c.yaml").write_text(yaml.safe_dump({"healthspan": settings}))
    # Manifests are written first, so that what is made of frames is newer.
    snakemake(tmp_path, "--dry-run")
    for seed, plate in enumerate("pq"):
        write_reviewed(tmp_path, plate, seed)
    ended = snakemake(tmp_path, "healthspan_fine_tune_states")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    logs = tmp_path / "logs/healthspan"
    jobs = {path.relative_to(logs).parts[0] for path in logs.rglob("*.log")}
    assert jobs == {"corrected", "fine_tune_states.log"}
    made = tmp_path / "results/healthspan/training"
    examples = pd.read_csv(made / "classifier_examples.tsv", sep="\t").set_index("plate")
    assert sorted(examples["part"]) == ["held_out", "train"] and (examples["worms"] > 2).all()
    # The worm that was called dead from the start is an example of what a person said of it.
    corrected = pd.read_csv(tmp_path / "results/healthspan/p/corrected/tracks.tsv", sep="\t")
    changed = corrected[corrected["corrected_by"] == "anna"]
    assert set(changed["consistent_state"]) == {"dead"}
    assert (changed["consistent_state"] != changed["consistent_state_machine"]).any()
    looked_at = corrected[corrected["counted"] == 1]
    assert examples.loc["p", "dead"] == (looked_at["consistent_state"] == "dead").sum()
    scores = pd.read_csv(made / "classifier_scores.tsv", sep="\t")
    assert {"held_out_before", "held_out_after", "held_out_difference"} == set(scores["set"])
    card = read_card(made / "classifier.safetensors")
    assert card.steps == 2 and card.command == "snakemake healthspan_fine_tune_states"
    assert "mean F of states changed by" in (logs / "fine_tune_states.log").read_text()
    again = snakemake(tmp_path, "healthspan_fine_tune_states", "--dry-run")
    assert "Nothing to be done" in again.stdout + again.stderr
    (tmp_path / "corrections/q.anna.tsv").unlink()
    ended = snakemake(tmp_path, "healthspan_fine_tune_states")
    assert ended.returncode != 0
    assert "found 1 of 1 reviewed plates" in (logs / "fine_tune_states.log").read_text()


def test_without_a_sheet_one_sentence_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("healthspan: {timepoints_per_block: 10}\n")
    ended = snakemake(tmp_path, "healthspan_train", "--dry-run")
    said = ended.stdout + ended.stderr
    assert ended.returncode != 0 and "config/annotations.tsv" in said and "Traceback" not in said

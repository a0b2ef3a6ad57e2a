"""From simulated videos to scores, step by step in one process."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from snakescope.imaging.videos.video import Video
from snakescope.learning import splits
from snakescope.learning.audit import accept, audit
from snakescope.report import cross_validation
from snakescope.sperm.clips import cut
from snakescope.sperm.explanation import explain
from snakescope.sperm.results import dish, grade, table
from snakescope.sperm.scores import scores
from snakescope.sperm.settings import SpermSettings
from snakescope.sperm.simulation import simulate
from snakescope.sperm.simulation.raters import GRADES
from snakescope.sperm.simulation.settings import SimulateSettings
from snakescope.sperm.training import fit, predict
from snakescope.sperm.tree import Sperm
from snakescope.step.command import call
from snakescope.step.errors import StepError

DONORS, EACH = 4, 3
SETTINGS = {
    "sheet": "videos.tsv",
    "clips_sheet": "clips.tsv",
    "models": ["ours", "vgg16"],
    "splits": {"folds": 2},
    "scores": {"resamples": 100},
    "clips": {"um_per_px": 0.234375, "size_px": 96},
    "training": {"size": "tiny", "size_px": 64, "epochs": 1, "batch": 4},
}


def write_sheets() -> None:
    """Videos and clips of a few donors, as the workflow simulates them."""
    videos, clips = (
        ["video\tpath\tdonor\tum_per_px"],
        ["\t".join(["clip", "video", "start_s", *GRADES])],
    )
    for number in range(DONORS):
        name = f"v{number}"
        videos.append(f"{name}\tsimulated/sperm/icsi_pvp/{name}.avi\td{number}\t0.15")
        for second in range(EACH):
            one = simulate.followed(name, f"d{number}", second, SimulateSettings())
            votes = [str(count) for count in one.votes.tolist()]
            clips.append("\t".join([f"{name}_{second}", name, str(second), *votes]))
    Path("videos.tsv").write_text("\n".join(videos) + "\n")
    Path("clips.tsv").write_text("\n".join(clips) + "\n")


@pytest.mark.slow
def test_videos_become_scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    write_sheets()
    settings = SpermSettings.model_validate(SETTINGS)
    tree = Sperm(settings, scans=True, warn=lambda text: None)
    tree.open()
    assert not tree.problems
    for name, row in tree.subjects.items():
        call(simulate, ["--name", name, "--donor", row.donor, "--preset", "icsi_pvp",
                        "--seconds", str(EACH), "--settings", "{}", "--video", row.path,
                        "--masks", f"{name}.tif", "--truth", f"{name}.tsv"])  # fmt: skip
        truth = pd.read_csv(f"{name}.tsv", sep="\t")
        given = [row.votes for row in tree.clips_of(name).values()]
        assert truth[list(GRADES)].to_numpy().tolist() == [list(one) for one in given]
        folder = f"{tree.results}/{name}"
        plan = f"{tree.manifest(name)}/clips.tsv"
        call(cut, ["--plan", plan, "--folder", f"{folder}/clips", "--settings",
                   tree.recorded("cut"), "--table", f"{folder}/clips.tsv"])  # fmt: skip
        clips = pd.read_csv(f"{folder}/clips.tsv", sep="\t")
        assert len(clips) == EACH and (clips["frames"] == 16).all()
        # The crop follows the head, so that its speed is in the background only.
        moving = truth["speed_um_s"].to_numpy()
        assert np.abs(clips["vsl_um_s"] - moving).max() < 1 + 0.3 * moving.max()
    folder = tree.folder
    call(audit, ["--table", f"{folder}/manifest/items.tsv", "--settings", tree.recorded("audit"),
                 "--items", "items.tsv", "--findings", "findings.tsv", "--summary", "summary.tsv",
                 "--associations", "associations.tsv"])  # fmt: skip
    call(accept, ["--summary", "summary.tsv", "--accept", tree.accepted(), "--accepted",
                  "accepted.tsv", "--key", "sperm: audit"])  # fmt: skip
    call(splits, ["--items", "items.tsv", "--settings", tree.recorded("splits"),
                  "--splits", "splits.tsv"])  # fmt: skip
    predictions = []
    for model in settings.models:
        for fold in range(2):
            common = ["--items", "items.tsv", "--splits", "splits.tsv", "--model", model,
                      "--fold", str(fold), "--settings", tree.recorded("fit"),
                      "--weights", f"{model}_{fold}.safetensors"]  # fmt: skip
            call(fit, [*common, "--checkpoint", f"{model}_{fold}.ckpt"])
            predictions.append(f"{model}_{fold}.tsv")
            call(predict, [*common, "--predictions", predictions[-1]])
    pictures = [word for name in tree.pictures for word in (f"--{name}", f"{name}.png")]
    call(scores, ["--items", "items.tsv", "--splits", "splits.tsv", "--predictions", *predictions,
                  "--settings", json.dumps({"resamples": 100}), "--scores", "scores.tsv",
                  "--table", "predictions.tsv", *pictures])  # fmt: skip
    found = pd.read_csv("scores.tsv", sep="\t").set_index(["model", "metric"])["value"]
    assert found["floor of the raters", "mse_e2"] < found["mean predictor", "mse_e2"]
    assert {"ours", "vgg16", "ours - vgg16"} <= set(found.index.get_level_values(0))
    assert found["mean predictor", "explained"] == pytest.approx(0)
    call(cross_validation, ["--title", "sperm", "--scores", "scores.tsv", "--pictures",
                            *[f"{name}.png" for name in tree.pictures], "--audit", "accepted.tsv",
                            "--associations", "associations.tsv", "--splits", "splits.tsv",
                            "--page", "page.html"])  # fmt: skip
    assert "floor of the raters" in Path("page.html").read_text()
    name, folder = "v0", f"{tree.results}/v0"
    weights = [f"ours_{fold}.safetensors" for fold in range(2)]
    call(grade, ["--clips", f"{folder}/clips.tsv", "--weights", *weights, "--splits", "splits.tsv",
                 "--predictions", "predictions.tsv", "--settings", "{}",
                 "--grades", "grades.tsv"])  # fmt: skip
    # The same network that held the clip out has graded it before.
    held_out = pd.read_csv("predictions.tsv", sep="\t").query("model == 'ours'").set_index("item")
    graded = pd.read_csv("grades.tsv", sep="\t").set_index("clip")
    shares = held_out.loc[graded.index, [f"p_{one}" for one in GRADES]].to_numpy()
    np.testing.assert_allclose(graded[[f"p{one}" for one in GRADES]], shares, atol=1e-5)
    call(dish, ["--dish", name, "--videos", name, "--clips", f"{folder}/clips.tsv", "--grades",
                "grades.tsv", "--files", "[]", "--origin", tree.origin(None), "--settings", "{}",
                "--table", "dish.tsv", "--gallery", "dish.png", "--page", "dish.html"])  # fmt: skip
    call(table, ["--dishes", "dish.tsv", "--table", "all.tsv"])
    found = pd.read_csv("all.tsv", sep="\t")
    assert list(found["rank"].dropna()) == list(range(1, found["rank"].notna().sum() + 1))
    assert "saw simulated clips only" in Path("dish.html").read_text()
    call(explain, ["--clips", f"{folder}/clips.tsv", "--clip", "v0_1", "--method", "grad_cam",
                   "--weights", *weights, "--splits", "splits.tsv", "--strip", "strip.png",
                   "--overlay", "overlay.mp4"])  # fmt: skip
    assert len(Video("overlay.mp4")) == 16 and Path("strip.png").stat().st_size > 10_000
    with pytest.raises(StepError, match="expected the clip v9"):
        call(explain, ["--clips", f"{folder}/clips.tsv", "--clip", "v9", "--method", "rollout",
                       "--weights", *weights, "--strip", "no.png", "--overlay",
                       "no.mp4"])  # fmt: skip
    assert not Path("no.png").exists()

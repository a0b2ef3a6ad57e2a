"""Networks cross-validated on simulated clips, fold by fold, with what was computed before kept.

    python -m benchmarks.sperm.evaluation [--networks ours timesformer] [--folds 0 1] [--seeds 1]

draws and cuts the clips of config/examples/sperm_benchmark, trains what is missing and writes
docs/tables/sperm-evaluation.tsv. The predictions of each fold are a small table in
docs/tables/sperm-folds/, whose first line holds the key of what they depend on: settings, versions
of the steps, sheets, seed. A table with another key is computed again. ``--estimate`` says what is
missing and, from one step of each network, how long it would take, and trains nothing.
"""

import argparse
import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import yaml
from numpy.typing import NDArray

from benchmarks import ROOT
from benchmarks.sperm import COLUMNS
from snakescope.learning.intervals import paired_difference
from snakescope.learning.splits import assign_folds, roles
from snakescope.sperm.clips import cut
from snakescope.sperm.clips.cut import write_clip
from snakescope.sperm.networks.build import build
from snakescope.sperm.scores import metrics as of
from snakescope.sperm.scores.scores import Predicted, mean_predictor, scores_of
from snakescope.sperm.scores.settings import GradeScoreSettings
from snakescope.sperm.settings import SpermSettings
from snakescope.sperm.simulation.raters import GRADES
from snakescope.sperm.simulation.settings import SimulateSettings
from snakescope.sperm.simulation.simulate import simulate
from snakescope.sperm.training.data import Clips, load
from snakescope.sperm.training.fit import train
from snakescope.sperm.training.predict import graded
from snakescope.sperm.training.settings import FitSettings
from snakescope.sperm.tree import Sperm
from snakescope.step.command import run_step
from snakescope.step.output import atomic_write
from snakescope.step.progress import progress
from snakescope.step.tables import read_table, write_table

EXAMPLE = ROOT / "config/examples/sperm_benchmark"
KEPT = ("mse_e2", "js_e2", "emd", "explained", "balanced_accuracy", "correlation", "coverage_90",
        "mse_at_70_coverage")  # fmt: skip


def settings_of(options: argparse.Namespace) -> SpermSettings:
    """The settings of the example, with what the command line changes."""
    given = yaml.safe_load((EXAMPLE / "config.yaml").read_text())["sperm"]
    given |= {"sheet": str(EXAMPLE / "videos.tsv"), "clips_sheet": str(EXAMPLE / "clips.tsv")}
    if options.epochs:
        given["training"]["epochs"] = options.epochs
    return SpermSettings.model_validate(given)


def prepare(tree: Sperm, folder: Path, clips: int) -> pd.DataFrame:
    """Draw and cut clips that are not there yet: item, group, class, path, truth."""
    simulation = SimulateSettings()
    labels, groups = tree.labels(), tree.groups()
    rows = []
    names = list(tree.graded)[:clips]
    videos = {tree.clips[name].video for name in names}
    for video in progress(sorted(videos), "videos"):
        of_video = [name for name in names if tree.clips[name].video == video]
        paths = {name: folder / f"{name}.tif" for name in of_video}
        if not all(path.exists() for path in paths.values()):
            row = tree.sheet[video]
            seconds = 1 + int(max(tree.clips[name].start_s for name in of_video))
            frames, _ = simulate(video, row.donor, "icsi_pvp", seconds, simulation)
            scale = tree.settings.clips.um_per_px / float(row.um_per_px or 1)
            for name, path in paths.items():
                first = int(tree.clips[name].start_s * simulation.fps)
                side = tree.settings.clips.size_px
                made = [
                    cut.crop(one.grey, 74.5, 74.5, scale, side)
                    for one in frames[first : first + 16]
                ]
                write_clip(path, np.stack(made), tree.settings.clips.um_per_px)
        for name in of_video:
            truth = " ".join(map(str, tree.clips[name].votes))
            rows.append((name, groups[name], labels[name], str(paths[name]), truth))
    return pd.DataFrame(rows, columns=["item", "group", "class", "path", "truth"])


def key_of(
    name: str, fold: int, folds: NDArray[np.int64], settings: SpermSettings, items: pd.DataFrame
) -> str:
    """What the predictions of a fold depend on, as a digest."""
    fit = settings.training.model_dump(mode="json", exclude=set(FitSettings.unrecorded))
    depends = {
        "network": name, "fold": fold, "fit": fit, "fit_version": FitSettings.version,
        "simulate_version": SimulateSettings.version, "clips": settings.clips.model_dump(),
        "items": items[["item", "group", "truth"]].to_csv(index=False), "folds": folds.tolist(),
    }  # fmt: skip
    text = json.dumps(depends, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_kept(path: Path, key: str) -> pd.DataFrame | None:
    """Predictions of a fold, where they have this key."""
    if not path.exists() or not path.read_text().startswith(f"# {key}\n"):
        return None
    return read_table(path, ["item", *GRADES], text=["item"], comment="#")


def write_kept(path: Path, key: str, items: pd.Series, found: NDArray[np.float64]) -> None:
    """Write the predictions of a fold with their key."""
    table = pd.DataFrame(found.round(4), columns=list(GRADES))
    table.insert(0, "item", items.to_numpy())
    with atomic_write(path) as partial:
        partial.write_text(f"# {key}\n" + table.to_csv(sep="\t", index=False, lineterminator="\n"))


def step_seconds(name: str, settings: FitSettings) -> float:
    """Seconds of one training step of one clip on this machine."""
    network = build(name, settings.size, settings.size_px)  # type: ignore[arg-type]
    clips = torch.randn(2, 16, settings.size_px, settings.size_px)
    motion, votes = torch.zeros(2, 19), torch.ones(2, 5)
    started = time.process_time()
    torch.stack(list(network.losses(clips, motion, votes).values())).sum().backward()
    return (time.process_time() - started) / 2


def rows_of(
    found: dict[str, Predicted], settings: GradeScoreSettings
) -> Iterator[tuple[str, str, str, float, float, float, int]]:
    """The rows of the table of all networks whose folds are complete."""
    name = "simulated_donor_folds"
    for network, one in found.items():
        for score in scores_of(network, one, settings):
            if score.metric in KEPT:
                yield name, network, score.metric, score.value, score.low, score.high, score.n
    if found:
        one = next(iter(found.values()))
        constant = of.errors(mean_predictor(one).shares, one.truth)["mse_e2"].mean()
        floor = 100 * of.floor_error(one.truth, one.votes).mean()
        yield name, "mean_predictor", "mse_e2", constant, np.nan, np.nan, len(one.truth)
        yield name, "floor_of_the_raters", "mse_e2", floor, np.nan, np.nan, len(one.truth)
    for other in ("timesformer", "rostfine"):
        if {"ours", other} <= set(found):
            errors = [
                of.errors(found[one].shares, found[one].truth)["mse_e2"] for one in ("ours", other)
            ]
            difference = paired_difference(*errors, found["ours"].groups, 1)
            yield name, f"ours - {other}", "mse_e2", *difference[:3], len(errors[0])


def main() -> None:
    """Train what is missing, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--networks", nargs="+", help="those of the example by default")
    parser.add_argument("--folds", nargs="+", type=int, help="folds to train; all by default")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1], help="seeds of the trainings")
    parser.add_argument("--clips", type=int, default=615, help="clips of the sheet, from the first")
    parser.add_argument("--epochs", type=int, help="in place of those of the example")
    parser.add_argument(
        "--estimate", action="store_true", help="say what is missing, train nothing"
    )
    parser.add_argument("--folder", type=Path, default=Path("simulated/sperm/benchmark"))
    parser.add_argument("--kept", type=Path, default=ROOT / "docs/tables/sperm-folds")
    parser.add_argument("--table", type=Path, help="docs/tables/sperm-evaluation.tsv by default")
    options = parser.parse_args()
    settings = settings_of(options)
    tree = Sperm(settings, scans=False)
    tree.subjects = dict(tree.sheet)  # drawn here, not by the workflow
    items = prepare(tree, options.folder, 0 if options.estimate else options.clips)
    if options.estimate:
        names = list(tree.graded)[: options.clips]
        items = pd.DataFrame({"item": names, "group": [tree.groups()[n] for n in names],
                              "class": [tree.labels()[n] for n in names], "path": "",
                              "truth": [" ".join(map(str, tree.clips[n].votes)) for n in names],
                              })  # fmt: skip
    folds = assign_folds(items, settings.splits)["fold"].to_numpy(np.int64)
    clips: Clips | None = None
    estimates = []
    found: dict[str, Predicted] = {}
    for network in options.networks or settings.models:
        for seed in options.seeds:
            fit = settings.training.model_copy(update={"seed": seed})
            now = settings.model_copy(update={"training": fit})
            shares = np.full((len(items), len(GRADES)), np.nan)
            for fold in range(settings.splits.folds):
                test = folds == fold
                key = key_of(network, fold, folds, now, items)
                path = options.kept / f"{network}_seed{seed}_fold{fold}.tsv"
                kept = read_kept(path, key)
                wanted = options.folds is None or fold in options.folds
                if kept is None and options.estimate and wanted:
                    steps = int((~test).sum()) * fit.epochs
                    minutes = steps * step_seconds(network, fit) / 60
                    print(f"{network}, seed {seed}, fold {fold}: {minutes:.0f} min of one core")
                    estimates.append((network, seed, fold, minutes))
                elif kept is None and wanted:
                    clips = clips or load(items, fit.size_px)
                    trained = train(
                        network, clips, roles(folds, fold), fit, {"key": key},
                        options.folder / f"{key}.ckpt",
                    )  # fmt: skip
                    rows = np.flatnonzero(test)
                    some = Clips(clips.frames[rows], clips.motion[rows], clips.votes[rows])
                    write_kept(path, key, items["item"][test], graded(trained, some))
                    kept = read_kept(path, key)
                if kept is not None:
                    shares[test] = kept[list(GRADES)].to_numpy(np.float64)
            if not np.isnan(shares).any():
                counts = np.array([row.split() for row in items["truth"]], np.float64)
                votes = counts.sum(axis=1)
                name = network if seed == options.seeds[0] else f"{network}, seed {seed}"
                whole = shares / shares.sum(axis=1, keepdims=True)
                truth = counts / votes[:, None]
                groups = items["group"].to_numpy(str)
                found[name] = Predicted(whole, truth, votes, groups, folds)
    if options.estimate:
        columns = ["network", "seed", "fold", "core_minutes"]
        table = pd.DataFrame(estimates, columns=columns)
        if options.table:
            write_table(options.table, table)
        return
    table = pd.DataFrame(list(rows_of(found, GradeScoreSettings())), columns=COLUMNS)
    write_table(options.table or ROOT / "docs/tables/sperm-evaluation.tsv", table)


if __name__ == "__main__":
    run_step(main)

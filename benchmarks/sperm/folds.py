"""Networks trained fold by fold on simulated clips; what they say is kept in small tables.

    python -m benchmarks.sperm.folds [--networks ours timesformer] [--folds 0 1] [--seeds 1]
        [--by donor|clip] [--estimate]

draws and cuts the clips of config/examples/sperm_benchmark, trains what is missing and keeps, in
docs/tables/sperm-folds/, what each fold's network says of its clips: those of the test, the same
with their frames in another order (``_shuffled``, of networks that look at several), and those of
the validation (``_validation``), on which later choices are made. The first line of a table is the
key of what it depends on: settings, versions of the steps, sheets, seed. A table with another key
is made again. Weights lie in the folder of the run, for the explanations. ``--by clip`` draws folds
that part donors, to show what that flatters. ``--estimate`` says what is missing and, from one step
of each network, how long it would take, and trains nothing.
"""

import argparse
import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
import torch
import yaml
from numpy.typing import NDArray

from benchmarks import ROOT
from benchmarks.kept import read_kept, write_kept
from snakescope.learning.splits import assign_folds, roles
from snakescope.learning.weights import load_weights, save_weights
from snakescope.sperm.clips import cut
from snakescope.sperm.clips.cut import write_clip
from snakescope.sperm.clips.motion import features
from snakescope.sperm.networks.build import build
from snakescope.sperm.networks.catalogue import ABOUT
from snakescope.sperm.networks.heads import GradeNetwork
from snakescope.sperm.settings import SpermSettings
from snakescope.sperm.simulation.raters import GRADES
from snakescope.sperm.simulation.settings import SimulateSettings
from snakescope.sperm.simulation.simulate import simulate
from snakescope.sperm.training.correction import Correction, corrected, undo
from snakescope.sperm.training.data import FPS, Clips, load
from snakescope.sperm.training.fit import train
from snakescope.sperm.training.predict import graded, network_of
from snakescope.sperm.training.settings import FitSettings
from snakescope.sperm.tree import Sperm
from snakescope.step.command import run_step
from snakescope.step.progress import progress
from snakescope.step.tables import write_table

EXAMPLE = ROOT / "config/examples/sperm_benchmark"
KEPT = ROOT / "docs/tables/sperm-folds"
FOLDER = Path("simulated/sperm/benchmark")
EACH = 20
"""Clips of a video at most, one a second."""
FRAMES_SEED = 1
"""Of the order that frames are shuffled to."""

SHARES = ("item", *GRADES)
"""Columns of the tables of folds."""

By = Literal["donor", "clip"]
DRIFT_ALONE = "drift_alone"
"""Name of `ours` without pictures, which benchmarks.sperm.drift_alone fits."""
CORRECTED = ("ours", DRIFT_ALONE)
UNCORRECTED_SINCE = 1
"""Version of the fit since which networks without a latent quality are trained alike."""
Part = Literal["test", "shuffled", "validation", "uncorrected"]
"""What is kept of a fold."""


@dataclass(frozen=True)
class Protocol:
    """Which clips there are, and which folds they lie in.

    Attributes:
        items: item, group, class, path, truth.
        folds: shape (N,).
        by: ``donor``, or ``clip`` where folds part donors.
    """

    settings: SpermSettings
    items: pd.DataFrame
    folds: NDArray[np.int64]
    by: By

    def of_seed(self, seed: int) -> FitSettings:
        """How networks are trained."""
        return self.settings.training.model_copy(update={"seed": seed})

    def key(self, network: str, fold: int, seed: int) -> str:
        """What the network of a fold depends on, as a digest."""
        fit = self.of_seed(seed).model_dump(mode="json", exclude=set(FitSettings.unrecorded))
        depends = {
            "network": network, "fold": fold, "fit": fit,
            "fit_version": FitSettings.version if network in CORRECTED else UNCORRECTED_SINCE,
            "simulate_version": SimulateSettings.version,
            "clips": [self.settings.clips.um_per_px, self.settings.clips.size_px],
            "items": self.items[["item", "group", "truth"]].to_csv(index=False),
            "folds": self.folds.tolist(),
        }  # fmt: skip
        text = json.dumps(depends, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def rows(self, fold: int, part: Part) -> NDArray[np.intp]:
        """Numbers of the items that a part of a fold tells of."""
        role = "validation" if part == "validation" else "test"
        return np.flatnonzero(roles(self.folds, fold) == role)

    def path(self, kept: Path, network: str, fold: int, seed: int, part: Part) -> Path:
        """The table of a part of a fold."""
        by = "" if self.by == "donor" else f"_by_{self.by}"
        after = "" if part == "test" else f"_{part}"
        return kept / f"{network}_seed{seed}{by}_fold{fold}{after}.tsv"


def parts_of(network: str) -> tuple[Part, ...]:
    """What is kept of a network: the order of frames is nothing to one that sees the first only."""
    if ABOUT[network].kind == "image":
        return ("test", "validation")
    every: tuple[Part, ...] = get_args(Part)
    return every if network == "ours" else every[:-1]


def settings_of(epochs: int | None = None) -> SpermSettings:
    """The settings of the example, with another number of epochs where one is given."""
    given = yaml.safe_load((EXAMPLE / "config.yaml").read_text())["sperm"]
    given |= {"sheet": str(EXAMPLE / "videos.tsv"), "clips_sheet": str(EXAMPLE / "clips.tsv")}
    if epochs:
        given["training"]["epochs"] = epochs
    return SpermSettings.model_validate(given)


def items_of(tree: Sperm, folder: Path, each: int) -> pd.DataFrame:
    """The first clips of each video of the sheet: item, group, class, path, truth."""
    labels, groups = tree.labels(), tree.groups()
    rows = [
        (name, groups[name], labels[name], str(folder / f"{name}.tif"),
         " ".join(map(str, tree.clips[name].votes)))
        for name in tree.graded
        if tree.clips[name].start_s < each
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["item", "group", "class", "path", "truth"])


def draw(tree: Sperm, items: pd.DataFrame) -> None:
    """Draw and cut the clips that are not there yet."""
    simulation = SimulateSettings()
    paths = {item: Path(path) for item, path in zip(items["item"], items["path"], strict=True)}
    for video in progress(sorted({tree.clips[name].video for name in paths}), "videos"):
        mine = {name: path for name, path in paths.items() if tree.clips[name].video == video}
        if all(path.exists() for path in mine.values()):
            continue
        row = tree.sheet[video]
        seconds = 1 + int(max(tree.clips[name].start_s for name in mine))
        frames, _ = simulate(video, row.donor, "icsi_pvp", seconds, simulation)
        scale = tree.settings.clips.um_per_px / float(row.um_per_px or 1)
        for name, path in mine.items():
            first = int(tree.clips[name].start_s * simulation.fps)
            side = tree.settings.clips.size_px
            made = [
                cut.crop(one.grey, 74.5, 74.5, scale, side) for one in frames[first : first + 16]
            ]
            write_clip(path, np.stack(made), tree.settings.clips.um_per_px)


def protocol_of(
    folder: Path = FOLDER, each: int = EACH, epochs: int | None = None, by: By = "donor",
    drawn: bool = True,
) -> Protocol:  # fmt: skip
    """The protocol of the example.

    Args:
        each: clips of each video, from the first.
        drawn: whether clips are drawn where they are missing.
    """
    settings = settings_of(epochs)
    tree = Sperm(settings, scans=False)
    tree.subjects = dict(tree.sheet)  # drawn here, not by the workflow
    items = items_of(tree, folder, each)
    if drawn:
        draw(tree, items)
    parted = items if by == "donor" else items.assign(group=items["item"])
    folds = assign_folds(parted, settings.splits)["fold"].to_numpy(np.int64)
    return Protocol(settings, items, folds, by)


def shuffled(clips: Clips, um_per_px: float, measured: bool) -> Clips:
    """The same clips with their frames in another order.

    Args:
        measured: whether their movement is measured anew; most networks do not look at it.
    """
    rng = np.random.default_rng(FRAMES_SEED)
    frames = np.stack([clip[rng.permutation(len(clip))] for clip in clips.frames])
    motion = clips.motion
    if measured:
        motion = np.stack([features(clip, um_per_px, FPS) for clip in frames])
    return Clips(frames, motion, clips.votes)


def some(clips: Clips, rows: NDArray[np.intp]) -> Clips:
    """The clips of some rows."""
    return Clips(clips.frames[rows], clips.motion[rows], clips.votes[rows])


def trained(
    protocol: Protocol, clips: Clips | None, network: str, fold: int, seed: int, folder: Path
) -> GradeNetwork:
    """The network of a fold, from the folder of the run where it is there.

    Args:
        clips: to train it on where it is not.
    """
    key, fit = protocol.key(network, fold, seed), protocol.of_seed(seed)
    weights = folder / f"{key}.safetensors"
    if not weights.exists():
        assert clips is not None
        given = roles(protocol.folds, fold)
        found = train(network, clips, given, fit, {"key": key}, folder / f"{key}.ckpt")
        by = corrected(found, clips, np.flatnonzero(given == "validation"))
        card: dict[str, Any] = {"network": network, "size": fit.size, "size_px": fit.size_px}
        card |= {} if by is None else {"correction": by._asdict()}
        save_weights(weights, found, card)
        (folder / f"{key}.ckpt").unlink(missing_ok=True)
    return network_of(str(weights), torch.device("cpu"))[0]


def keep(
    protocol: Protocol, clips: Clips, network: str, fold: int, seed: int, folder: Path, kept: Path
) -> None:
    """Make the tables of a fold that are not there."""
    key = protocol.key(network, fold, seed)
    paths = {part: protocol.path(kept, network, fold, seed, part) for part in parts_of(network)}
    missing = [part for part, path in paths.items() if read_kept(path, key, SHARES) is None]
    if not missing:
        return
    grader = trained(protocol, clips, network, fold, seed, folder)
    for part in missing:
        rows = protocol.rows(fold, part)
        seen = some(clips, rows)
        if part == "uncorrected":  # the last of all
            _, card = load_weights(folder / f"{key}.safetensors")
            undo(grader, Correction(**card["correction"]))
        if part == "shuffled":
            seen = shuffled(seen, protocol.settings.clips.um_per_px, network == "ours")
        table = pd.DataFrame(graded(grader, seen).round(4), columns=list(GRADES))
        table.insert(0, "item", protocol.items["item"].to_numpy()[rows])
        write_kept(paths[part], key, table)


def step_seconds(name: str, settings: FitSettings) -> float:
    """Seconds of one training step of one clip on this machine."""
    network = build(name, settings.size, settings.size_px)  # type: ignore[arg-type]
    clips = torch.randn(2, 16, settings.size_px, settings.size_px)
    motion, votes = torch.zeros(2, 19), torch.ones(2, 5)
    started = time.process_time()
    torch.stack(list(network.losses(clips, motion, votes).values())).sum().backward()
    return (time.process_time() - started) / 2


def estimates(
    protocol: Protocol, wanted: list[tuple[str, int, int]], kept: Path
) -> Iterator[tuple[str, int, int, float]]:
    """Network, seed, fold and minutes of one core of what is missing."""
    for network, seed, fold in wanted:
        path = protocol.path(kept, network, fold, seed, "test")
        if read_kept(path, protocol.key(network, fold, seed), SHARES) is None:
            fit = protocol.of_seed(seed)
            steps = int((roles(protocol.folds, fold) == "train").sum()) * fit.epochs
            minutes = steps * step_seconds(network, fit) / 60
            print(f"{network}, seed {seed}, fold {fold}: {minutes:.0f} min of one core")
            yield network, seed, fold, minutes


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options that this command shares with those that read its tables."""
    parser.add_argument("--networks", nargs="+", help="those of the example by default")
    add_paths(parser)


def add_paths(parser: argparse.ArgumentParser) -> None:
    """Options that say which clips there are, and where tables of their folds are kept."""
    parser.add_argument("--each", type=int, default=EACH, help="clips of each video, the first")
    parser.add_argument("--epochs", type=int, help="in place of those of the example")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="clips and weights")
    parser.add_argument("--kept", type=Path, default=KEPT, help="folder of the tables of folds")


def main() -> None:
    """Train what is missing, and keep what it says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_options(parser)
    parser.add_argument("--folds", nargs="+", type=int, help="folds to train; all by default")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1], help="seeds of the trainings")
    parser.add_argument("--by", choices=get_args(By), default="donor", help="what folds part")
    parser.add_argument("--estimate", action="store_true", help="say what is missing, no training")
    parser.add_argument("--table", type=Path, help="what was estimated, or made, to write")
    options = parser.parse_args()
    protocol = protocol_of(
        options.folder, options.each, options.epochs, options.by, not options.estimate
    )
    wanted = [
        (network, seed, fold)
        for network in options.networks or protocol.settings.models
        for seed in options.seeds
        for fold in options.folds or range(protocol.settings.splits.folds)
    ]
    columns = ["network", "seed", "fold", "core_minutes"]
    if options.estimate:
        rows = list(estimates(protocol, wanted, options.kept))
    else:
        clips = load(protocol.items, protocol.settings.training.size_px)
        rows = []
        for network, seed, fold in wanted:
            print(f"{network}, seed {seed}, by {options.by}, fold {fold}", flush=True)
            started = time.process_time()
            keep(protocol, clips, network, fold, seed, options.folder, options.kept)
            rows.append((network, seed, fold, (time.process_time() - started) / 60))
    if options.table:
        write_table(options.table, pd.DataFrame(rows, columns=columns))


if __name__ == "__main__":
    run_step(main)

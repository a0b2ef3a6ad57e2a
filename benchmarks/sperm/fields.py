"""Speeds of clips of simulated fields, and what `ours` makes of the speed of a track.

    python -m benchmarks.sperm.fields [--fields 20] [--first 100] [--dishes 10]

writes docs/tables/sperm-fields.tsv. Fields have 120 specks down to none and stand still; heads are
found, linked and cut as the workflow does. ``error_track``, ``error_clip``: error of the VSL (um/s)
of clips by the track and by the background of the clip alone. The thresholds of the workflow were
chosen on fields 0 to 9, which are not scored. ``ours`` is told the movement that it was trained on,
measured in the clip (``measured``), and that which a track would give (``track``), of the same
simulated clips of relief contrast, whose background is seen: its error (1e-2), and how far mean
grades are apart.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from benchmarks import ROOT
from benchmarks.sperm import COLUMNS
from snakescope.imaging.videos.video import Video, write_video
from snakescope.learning.intervals import bootstrap_interval
from snakescope.sperm.clips.cut import cut, described, read_plan
from snakescope.sperm.clips.motion import agreement, drift, features, features_of, motion, moved
from snakescope.sperm.clips.movement import DISAGREE
from snakescope.sperm.detection.detect import found_in
from snakescope.sperm.detection.drift import Drift, read_drift, read_seen
from snakescope.sperm.detection.settings import DetectSettings
from snakescope.sperm.detection.table import read_heads
from snakescope.sperm.networks.catalogue import FRAMES
from snakescope.sperm.scores import metrics as of
from snakescope.sperm.simulation.drawing import UM_PER_PX, draw_optics
from snakescope.sperm.simulation.settings import SimulateSettings
from snakescope.sperm.simulation.simulate import draw_field, field, follow, followed, seed_of
from snakescope.sperm.tracking.settings import TrackSettings
from snakescope.sperm.tracking.track import linked, windows_of
from snakescope.sperm.training.data import Clips
from snakescope.sperm.training.predict import graded, network_of
from snakescope.sperm.videos.settings import CutSettings
from snakescope.step.command import run_step
from snakescope.step.progress import progress
from snakescope.step.tables import write_table

SPECKS = (120, 60, 30, 10, 0)
UM, FPS, CLIP_FPS = UM_PER_PX["semen"], 50.0, 16.0
NEAR_PX = 4.0
"""A clip is of the sperm that stays as near to its middle as this, on average."""
Score = tuple[str, str, str, float, float, float, int]


def of_field(number: int, folder: Path) -> Iterator[dict[str, float | str | bool]]:
    """A row a clip of a field: true speed, that by the track and by the background, flags."""
    name = f"field_{number}"
    specks = SPECKS[number % len(SPECKS)]
    settings = SimulateSettings(sperm=25, debris=specks, field_s=2.0)
    rng = np.random.default_rng([seed_of(name), 3])
    optics = draw_optics(rng, "semen")
    sperms = draw_field(rng, 0.0, settings)
    frames = list(field(sperms, settings.field_s, FPS, optics, rng, specks))
    write_video(folder / "field.avi", (one.grey for one in frames), FPS)
    video, followed_field = Video(folder / "field.avi"), Drift()
    detect = DetectSettings()
    detect = detect.model_copy(update={"weights": str(ROOT / detect.weights)})
    write_table(folder / "heads.tsv", found_in(video, detect, UM, followed_field))
    write_table(folder / "drift.tsv", followed_field.table())
    heads = read_heads(folder / "heads.tsv", len(video))
    tracks = linked(heads, video.fps, UM, TrackSettings())
    plan = windows_of(
        list(tracks.values()), list(tracks), str(video.path), video.fps, "", UM, TrackSettings(),
        read_drift(folder / "drift.tsv", len(video)), read_seen(folder / "drift.tsv", len(video)),
    )  # fmt: skip
    write_table(folder / "plan.tsv", plan)
    windows = next(iter(read_plan(folder / "plan.tsv").values()), [])
    settings_of_clips = CutSettings()
    for one, made in zip(windows, cut(video, windows, settings_of_clips), strict=True):
        if len(made.frames) < FRAMES or "two heads" in one.flags:
            continue
        times = one.start_s + np.arange(FRAMES) / CLIP_FPS
        true = np.array([[np.array(each.head_at(time)[:2]) for time in times] for each in sperms])
        away = np.hypot(*(true / UM - np.column_stack([one.x, one.y])).transpose(2, 0, 1))
        nearest = int(away.mean(axis=1).argmin())
        if away[nearest].mean() > NEAR_PX or one.moved is None:
            continue
        seconds = (FRAMES - 1) / CLIP_FPS
        ends = true[nearest, -1] - true[nearest, 0]
        shifts = drift(made.frames)
        row = described(one, made.frames, settings_of_clips)
        yield {
            "specks": specks, "true": float(np.hypot(*ends) / seconds),
            "track": float(np.hypot(*(one.moved[-1] - one.moved[0])) * UM / seconds),
            "clip": motion(shifts, settings_of_clips.um_per_px, CLIP_FPS).vsl,
            "trusted": agreement(made.frames, shifts) >= settings_of_clips.min_agreement,
            "given": float(row["vsl_um_s"]), "flags": str(row["flags"]),
        }  # fmt: skip


def speed_rows(table: pd.DataFrame) -> Iterator[Score]:
    """Errors of speeds, of all clips and of those whose background is trusted."""
    trusted = table["trusted"].to_numpy(bool)
    kept = table["given"].notna().to_numpy()
    for metric, name, rows in (
        ("error_track_um_s", "track", trusted | True), ("error_clip_um_s", "clip", trusted | True),
        ("error_clip_trusted_um_s", "clip", trusted),
        ("error_clip_not_trusted_um_s", "clip", ~trusted), ("error_given_um_s", "given", kept),
    ):  # fmt: skip
        error = (table[name] - table["true"]).abs().to_numpy()[rows]
        if len(error):
            drawn = bootstrap_interval(
                lambda at, e=error: float(np.median(e[at])), np.arange(len(error)), 1, 500
            )  # type: ignore[misc]
            yield "fields", "ours", metric, *drawn, len(error)
            if name != "given":
                continue
            worst = float(np.quantile(error, 0.95))
            yield "fields", "ours", "error_given_95_um_s", worst, np.nan, np.nan, len(error)
    said = {"trusted": trusted, "two_speeds": table["flags"].str.contains(DISAGREE).to_numpy(),
            "given": kept}  # fmt: skip
    for metric, values in said.items():
        yield "fields", "ours", f"share_{metric}", float(values.mean()), np.nan, np.nan, len(table)


def told_rows(dishes: int, each: int, weights: str, first: int) -> Iterator[Score]:
    """Errors of `ours` with the movement as measured in a clip, and as a track gives it."""
    network, size_px = network_of(weights, torch.device("cpu"))
    frames, told, votes = [], [], []
    um, settings = UM_PER_PX["icsi_pvp"], SimulateSettings()
    for number in progress(range(dishes * each), "clips"):
        name = f"told_{first + number // each}"
        one = followed(name, name, number % each, settings)
        rng = np.random.default_rng([seed_of(name), number])
        made = list(follow(one, 1.0, CLIP_FPS, draw_optics(rng, "icsi_pvp"), rng))
        clip = np.stack([frame.grey for frame in made])
        fine = np.array([one.sperm.head_at(at / FPS)[:2] for at in range(-5, 60)])
        fine = uniform_filter1d(fine, round(TrackSettings().smooth_s * FPS), axis=0)
        at = np.arange(FRAMES) / CLIP_FPS * FPS + 5
        path = np.column_stack([np.interp(at, np.arange(65), fine[:, axis]) for axis in (0, 1)])
        steps = np.hypot(*np.diff(path, axis=0).T)
        known = moved(steps, float(np.hypot(*(path[-1] - path[0]))), CLIP_FPS)
        told.append((features(clip, um, CLIP_FPS), features_of(known, CLIP_FPS)))
        kind = cv2.INTER_AREA if size_px < clip.shape[1] else cv2.INTER_LINEAR
        frames.append([cv2.resize(frame, (size_px,) * 2, interpolation=kind) for frame in clip])
        votes.append(one.votes)
    counts, pictures = np.array(votes, np.int64), np.array(frames, np.uint8)
    truth = counts / counts.sum(axis=1, keepdims=True)
    means: list[NDArray[np.float64]] = []
    names = np.arange(len(counts)) // each
    for which, source in enumerate(("measured", "track")):
        clips = Clips(pictures, np.array([one[which] for one in told], np.float32), counts)
        shares = graded(network, clips)
        squared = of.errors(shares, truth)["mse_e2"]
        drawn = bootstrap_interval(lambda at, v=squared: float(v[at].mean()), names, 1, 500)  # type: ignore[misc]
        yield "told", source, "mse_e2", *drawn, len(counts)
        means.append(of.mean_grade(shares))
    apart = float(np.abs(means[0] - means[1]).mean())
    yield "told", "both", "mean_grades_apart", apart, np.nan, np.nan, len(counts)
    shift = float((means[1] - means[0]).mean())
    yield "told", "both", "mean_grade_shift", shift, np.nan, np.nan, len(counts)


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--fields", type=int, default=20, help="simulated fields (count)")
    parser.add_argument("--first", type=int, default=100, help="number of the first")
    parser.add_argument("--dishes", type=int, default=10, help="simulated dishes of 20 (count)")
    parser.add_argument("--each", type=int, default=20, help="sperm of a dish (count)")
    parser.add_argument("--weights", default=str(ROOT / "resources/models/sperm/ours.safetensors"))
    parser.add_argument("--table", type=Path, default=ROOT / "docs/tables/sperm-fields.tsv")
    parser.add_argument("--clips", type=Path, help="table of the speeds of each clip to write")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[Score] = []
    made: list[dict[str, float | str | bool]] = []
    with TemporaryDirectory() as folder:
        for number in range(options.first, options.first + options.fields):
            made += of_field(number, Path(folder))
    if made:
        rows += speed_rows(pd.DataFrame(made))
    if options.clips:
        write_table(options.clips, pd.DataFrame(made))
    if options.dishes:
        rows += told_rows(options.dishes, options.each, options.weights, options.first)
    write_table(options.table, pd.DataFrame(rows, columns=COLUMNS))


if __name__ == "__main__":
    run_step(main)

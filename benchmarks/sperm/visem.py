"""Heads and speeds on real frames: VISEM-Tracking, video 11.

    python -m benchmarks.sperm.visem [--data ../shared/data/sperm/visem_tracking_11]

writes docs/tables/sperm-visem.tsv. The threshold of the network, which saw simulated fields only,
is chosen on frames 0 to 99; frames 100 to 149 are scored. ``detection_f`` is that of what the
workflow keeps: heads of all frames linked to tracks, gaps filled, short tracks left out;
``detection_f_by_frame`` is that of each frame by itself. Speeds: the boxes of a person give the
path of a head; the crop follows it, and what the drift of the background says of the speed is
compared with the boxes. One field of one microscope: no claim that it transfers.
"""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from benchmarks import ROOT
from benchmarks.sperm import COLUMNS
from snakescope.imaging.videos.video import Video
from snakescope.learning.intervals import bootstrap_interval
from snakescope.sperm.clips.cut import Window, cut, speed_error
from snakescope.sperm.clips.motion import drift, motion
from snakescope.sperm.detection.heads import ByBlobs, Points, detector, f_score, matched
from snakescope.sperm.detection.settings import DetectSettings
from snakescope.sperm.networks.catalogue import FRAMES
from snakescope.sperm.tracking.link import link, path
from snakescope.sperm.tracking.settings import TrackSettings
from snakescope.sperm.videos.settings import CutSettings
from snakescope.step.command import run_step
from snakescope.step.errors import StepError
from snakescope.step.progress import progress
from snakescope.step.tables import write_table

UM_PER_PX, FPS, CLIP_FPS = 0.46, 50.0, 16.0
SIZE_XY = np.array([640.0, 480.0])
GATE_PX = 10.0
Speeds = NDArray[np.float64]
Row = tuple[str, str, str, float, float, float, int]
TUNED, SCORED = range(100), range(100, 150)
MOVER_UM_S, IMMOTILE_UM_S = 5.0, 1.0
THRESHOLDS = np.round(np.arange(0.05, 0.75, 0.05), 2)
AIMS = {"detection_f": 0.85, "speed_spearman": 0.9, "speed_error": 0.1}
BLOBS = (25.0, 40.0, 55.0, 70.0, 85.0)


def boxes(folder: Path) -> pd.DataFrame:
    """Boxes of all frames: frame, track, x, y (px, of the middle)."""
    rows = []
    for labels in sorted((folder / "labels_ftid").glob("*.txt")):
        frame = int(labels.stem.removesuffix("_with_ftid").split("_")[-1])
        for line in labels.read_text().splitlines():
            track, _, x, y, *_ = line.split()
            place = np.array([float(x), float(y)]) * SIZE_XY - 0.5
            rows.append((frame, track, *place))
    return pd.DataFrame(rows, columns=["frame", "track", "x", "y"])


def detections(folder: Path) -> dict[str, list[Points]]:
    """Heads of each frame by the network and by blobs, at the lowest threshold of each."""
    low = DetectSettings(threshold=float(THRESHOLDS[0]), log_threshold=BLOBS[0])
    weights = str(ROOT / low.weights)
    both = {
        "ours": detector(low.model_copy(update={"weights": weights}), UM_PER_PX),
        "laplacian_of_gaussian": ByBlobs(low, UM_PER_PX),
    }
    found: dict[str, list[Points]] = {name: [] for name in both}
    for frame in progress(list(Video(folder / "images", FPS).frames()), "frames"):
        for name, detect in both.items():
            found[name].append(detect(frame))
    return found


def after_linking(heads: list[Points], settings: TrackSettings) -> list[Points]:
    """Heads of each frame on the tracks that the workflow keeps, with gaps filled."""
    found: list[list[tuple[float, float, float]]] = [[] for _ in heads]
    for track in link(heads, FPS, UM_PER_PX, settings):
        for frame, (x, y) in zip(*path(track), strict=True):
            found[int(frame)].append((float(x), float(y), 1.0))
    return [np.array(one, np.float64).reshape(-1, 3) for one in found]


def counts(
    heads: list[Points], places: dict[int, NDArray[np.float64]], frames: range
) -> list[tuple[int, int, int]]:
    """Pairs, false and missed heads of some frames."""
    return [matched(heads[frame], places[frame], GATE_PX) for frame in frames]


def detection_rows(
    found: dict[str, list[Points]], truth: pd.DataFrame, every: int
) -> Iterator[Row]:
    """F1 of each detector on frames that it was not tuned on, after linking and by frame.

    Args:
        every: frames from one that is scored to the next; neighbours show the same heads.
    """
    places = {int(number): part[["x", "y"]].to_numpy() for number, part in truth.groupby("frame")}
    tuned, scored = (range(one.start, one.stop, every) for one in (TUNED, SCORED))
    for name, heads in found.items():
        thresholds = THRESHOLDS.tolist() if name == "ours" else list(BLOBS)
        above = {one: [some[some[:, 2] >= one] for some in heads] for one in thresholds}
        best = max(thresholds, key=lambda one: f_score(counts(above[one], places, tuned)))
        linked = after_linking(above[best], TrackSettings())
        for suffix, kept in (("", linked), ("_by_frame", above[best])):
            rows = np.array(counts(kept, places, scored))
            pairs, false, missed = rows.sum(axis=0)
            score = bootstrap_interval(
                lambda drawn, rows=rows: f_score(rows[drawn].tolist()),  # type: ignore[misc]
                np.arange(len(rows)), seed=1, resamples=500,
            )  # fmt: skip
            rest = {
                "detection_precision": pairs / max(pairs + false, 1),
                "detection_recall": pairs / max(pairs + missed, 1),
            }
            yield "visem", name, f"detection_f{suffix}", *score, len(rows)
            for metric, value in rest.items():
                yield "visem", name, metric + suffix, float(value), np.nan, np.nan, len(rows)
        yield "visem", name, "detection_threshold", best, np.nan, np.nan, len(tuned)


def speeds(folder: Path, truth: pd.DataFrame) -> pd.DataFrame:
    """Speed of each head by its boxes and by the background: one second of each track."""
    whole = (FRAMES - 1) / CLIP_FPS
    windows, rows = [], []
    for track, part in truth.groupby("track"):
        part = part.sort_values("frame")
        times = part["frame"].to_numpy() / FPS
        if times[-1] - times[0] < whole:
            continue
        start = (times[0] + times[-1] - whole) / 2
        at = start + np.arange(FRAMES) / CLIP_FPS
        x, y = (np.interp(at, times, part[name]) for name in ("x", "y"))
        if min(x.min(), y.min()) < 40 or x.max() > 600 or y.max() > 440:
            continue  # the background of a crop at the edge is repeated
        windows.append(Window(str(track), start, x, y, UM_PER_PX))
        path = np.column_stack([x, y]) * UM_PER_PX
        rows.append(
            {
                "track": track,
                "box_vsl": float(np.hypot(*(path[-1] - path[0])) / whole),
                "box_vcl": float(np.hypot(*np.diff(path, axis=0).T).sum() / whole),
            }
        )
    settings = CutSettings(um_per_px=UM_PER_PX, size_px=150)
    for row, made in zip(rows, cut(Video(folder / "images", FPS), windows, settings), strict=True):
        found = motion(drift(made.frames), UM_PER_PX, CLIP_FPS)
        row |= {"vsl": found.vsl, "vcl": found.vcl}
    return pd.DataFrame(rows)


def speed_rows(table: pd.DataFrame) -> Iterator[Row]:
    """Agreement of both speeds."""
    true, found = table["box_vsl"].to_numpy(), table["vsl"].to_numpy()
    each = np.arange(len(table))

    def spearman(one: Speeds, other: Speeds, rows: NDArray[np.intp]) -> float:
        return float(stats.spearmanr(one[rows], other[rows]).statistic)

    # Boxes lie on whole pixels, and a drift is known to about one: below two pixels in a clip
    # neither tells which of two sperm is faster, so that these are ties in both.
    least = speed_error(UM_PER_PX, FRAMES, CLIP_FPS)
    yield "visem", "ours", "speed_error_um_s", least, np.nan, np.nan, len(each)
    moves = [np.where(one < least, 0.0, one) for one in (true, found)]
    moving, still = true >= MOVER_UM_S, true < IMMOTILE_UM_S
    known = np.flatnonzero(~still)
    pairs: tuple[tuple[str, Speeds, Speeds, NDArray[np.intp]], ...] = (
        ("speed_spearman", moves[0], moves[1], each),
        ("speed_spearman_untied", true, found, each),
        ("speed_spearman_not_immotile", true, found, known),
    )
    for name, one, other, rows in pairs:
        of_rows = bootstrap_interval(
            lambda at, a=one, b=other, r=rows: spearman(a, b, r[at]),  # type: ignore[misc]
            np.arange(len(rows)), 1, 500,
        )  # fmt: skip
        yield "visem", "ours", name, *of_rows, len(rows)
    said = float(np.mean((true < least) == (found < least)))
    yield "visem", "ours", "stands_agree", said, np.nan, np.nan, len(each)
    error = np.abs(found / np.maximum(true, 1e-9) - 1)[moving]
    yield (
        "visem", "ours", "speed_error",
        *bootstrap_interval(lambda rows: float(np.median(error[rows])),
                            np.arange(len(error)), 1, 500), len(error),
    )  # fmt: skip
    if still.any():
        fastest = float(found[still].max())
        yield "visem", "ours", "immotile_fastest_um_s", fastest, np.nan, np.nan, int(still.sum())


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    root = Path(os.environ.get("SNAKESCOPE_DATA", "../shared/data"))
    parser.add_argument("--data", type=Path, default=root / "sperm/visem_tracking_11")
    parser.add_argument("--every", type=int, default=5, help="frames between those scored")
    parser.add_argument("--table", type=Path, default=ROOT / "docs/tables/sperm-visem.tsv")
    parser.add_argument("--speeds", type=Path, help="table of the speeds of each head to write")
    options = parser.parse_args()
    if options.data.name == "none":  # the names of the scores, without the frames
        rows = [("visem", "ours", name, np.nan, np.nan, np.nan, 0) for name in AIMS]
        write_table(options.table, pd.DataFrame(rows, columns=COLUMNS))
        return
    if not (options.data / "images").is_dir():
        raise StepError(f"{options.data}: expected the frames of VISEM-Tracking, found none")
    truth = boxes(options.data)
    table = speeds(options.data, truth)
    found = detections(options.data)
    rows = [*detection_rows(found, truth, options.every), *speed_rows(table)]
    write_table(options.table, pd.DataFrame(rows, columns=COLUMNS))
    if options.speeds:
        write_table(options.speeds, table)


if __name__ == "__main__":
    run_step(main)

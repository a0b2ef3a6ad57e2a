"""How long a head may be lost within a track, and how long a track must last.

    python -m benchmarks.sperm.linking [--data ../shared/data/sperm/visem_tracking_11]

writes docs/tables/sperm-linking.tsv. On the real field: F1 of heads after linking on frames 0 to 99
alone, by which the defaults are chosen. On simulated points, which know whose head each is: tracks
that hold heads of two sperm, and tracks whose VSL is wrong by more than 5 um/s. Heads are lost for
up to 0.24 s, and where two are nearer than 5 um.
"""

import argparse
import os
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks import ROOT
from benchmarks.sperm.visem import TUNED, after_linking, boxes, counts, detections
from snakescope.sperm.detection.heads import Points, f_score
from snakescope.sperm.detection.settings import DetectSettings
from snakescope.sperm.tracking.link import Track, kinematics, link, path
from snakescope.sperm.tracking.settings import TrackSettings
from snakescope.step.command import run_step
from snakescope.step.tables import write_table

GAPS_S = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.5)
LEAST_S = (0.3, 0.4, 0.5)
RATES = (16.0, 50.0, 100.0)
UM_PER_PX, SIZE_UM = 0.46, (294.0, 221.0)
SPERM, SECONDS, FIELDS = 45, 8.0, 6
LOST_S, LOSSES_A_SECOND, HIDDEN_UM, WRONG_UM_S = 0.24, 0.7, 5.0, 5.0

Row = tuple[str, float, float, float, str, float, int]
COLUMNS = ("set", "fps", "gap_s", "least_s", "metric", "value", "n")


def field_of(seed: int, fps: float) -> tuple[NDArray[np.float64], list[NDArray[np.intp]]]:
    """Places of simulated sperm.

    Returns:
        x, y (px), (frames, sperm, 2), and whose heads are seen in each frame.
    """
    rng = np.random.default_rng([seed, 23])
    count = int(SECONDS * fps)
    place = rng.uniform([0, 0], SIZE_UM, (SPERM, 2))
    speed = np.where(rng.random(SPERM) < 0.6, rng.uniform(15, 80, SPERM), 0.0)
    angle = rng.uniform(0, 2 * np.pi, SPERM)
    lost = np.zeros(SPERM, int)
    places, seen = np.zeros((count, SPERM, 2)), []
    for frame in range(count):
        places[frame] = place / UM_PER_PX
        begins = (lost <= 0) & (rng.random(SPERM) < LOSSES_A_SECOND / fps)
        lost[begins] = rng.integers(1, int(LOST_S * fps) + 2, begins.sum())
        lost -= 1
        inside = ((place >= 0) & (place < SIZE_UM)).all(axis=1)
        away = np.hypot(*(place[:, None] - place[None]).transpose(2, 0, 1))
        np.fill_diagonal(away, np.inf)
        seen.append(np.flatnonzero(inside & (lost < 0) & (away.min(axis=1) > HIDDEN_UM)))
        angle += rng.normal(0, 0.3, SPERM) / np.sqrt(fps)
        place = place + np.column_stack([np.cos(angle), np.sin(angle)]) * speed[:, None] / fps
    return places, seen


def mistakes(
    tracks: list[Track],
    places: NDArray[np.float64],
    seen: list[NDArray[np.intp]],
    fps: float,
    smooth_s: float,
) -> tuple[int, int]:
    """Tracks with heads of two sperm, and tracks with a wrong VSL."""
    mixed = wrong = 0
    for track in tracks:
        whose = [
            int(seen[frame][np.argmin(np.hypot(*(places[frame, seen[frame]] - place).T))])
            for frame, place in zip(track.frames, track.places, strict=True)
        ]
        mixed += len(set(whose)) > 1
        frames, found = path(track)
        true = places[frames[0] : frames[-1] + 1, max(set(whose), key=whose.count)]
        said, is_so = (kinematics(one, fps, UM_PER_PX, smooth_s).vsl for one in (found, true))
        wrong += abs(said - is_so) > WRONG_UM_S
    return mixed, wrong


def simulated_rows(fields: int) -> Iterator[Row]:
    """Shares of mixed tracks and of wrong speeds, of all fields together."""
    for fps in RATES:
        drawn = [field_of(seed, fps) for seed in range(fields)]
        rng = np.random.default_rng(5)
        heads: list[list[Points]] = [
            [
                np.column_stack([at[own] + rng.normal(0, 0.3, (len(own), 2)), np.ones(len(own))])
                for at, own in zip(places, seen, strict=True)
            ]
            for places, seen in drawn
        ]
        for gap, least in product(GAPS_S, LEAST_S):
            settings = TrackSettings(max_gap_s=gap, min_track_s=least)
            total = np.zeros(3, int)
            for one, (places, seen) in zip(heads, drawn, strict=True):
                tracks = link(one, fps, UM_PER_PX, settings)
                total += [
                    len(tracks),
                    *mistakes(tracks, places, seen, fps, settings.smooth_s),
                ]
            for metric, value in zip(("mixed", "wrong_vsl"), total[1:], strict=True):
                share = float(value / max(total[0], 1))
                yield "simulated", fps, gap, least, metric, share, int(total[0])


def real_rows(folder: Path) -> Iterator[Row]:
    """F1 of heads after linking on frames 0 to 99, at the default threshold of the network."""
    heads = [one[one[:, 2] >= DetectSettings().threshold] for one in detections(folder)["ours"]]
    truth = boxes(folder).groupby("frame")
    places = {int(number): part[["x", "y"]].to_numpy() for number, part in truth}
    for gap, least in product(GAPS_S, LEAST_S):
        settings = TrackSettings(max_gap_s=gap, min_track_s=least)
        score = f_score(counts(after_linking(heads, settings), places, TUNED))
        yield "visem, frames 0 to 99", 50.0, gap, least, "detection_f", score, len(TUNED)


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    root = Path(os.environ.get("SNAKESCOPE_DATA", "../shared/data"))
    parser.add_argument("--data", type=Path, default=root / "sperm/visem_tracking_11")
    parser.add_argument("--fields", type=int, default=FIELDS, help="simulated, of each rate")
    parser.add_argument("--table", type=Path, default=ROOT / "docs/tables/sperm-linking.tsv")
    options = parser.parse_args()
    rows = list(simulated_rows(options.fields))
    if (options.data / "images").is_dir():
        rows += real_rows(options.data)
    write_table(options.table, pd.DataFrame(rows, columns=list(COLUMNS)))


if __name__ == "__main__":
    run_step(main)

"""The whole chain from classified detections to curves, on simulated plates without images."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.healthspan.drawn_tracks import simulated_plate
from snakescope.healthspan.survival.curves import plate_curves
from snakescope.healthspan.tracking.settings import TrackSettings
from snakescope.healthspan.tracking.track import track_plate


@pytest.mark.parametrize(("seed", "known"), [(1, True), (2, False)])
def test_curves_of_a_plate_hold_their_errors(seed: int, known: bool) -> None:
    states, frames, truth = simulated_plate(seed, worms=80, frames=40, missing_frames=(9,))
    found = track_plate(states, frames, 0.0, 80 if known else None, TrackSettings())
    table, alive, healthy = plate_curves(found.individuals, found.counts, 0.95)
    assert abs(alive.median()[0] - truth["death_d"].median()) <= 0.25
    assert abs(healthy.median()[0] - truth["healthspan_end_d"].median()) <= 0.35
    day = table["day"].to_numpy()
    for curve, end in ((alive, "death_d"), (healthy, "healthspan_end_d")):
        true = (truth[end].to_numpy()[:, None] > day).mean(axis=0)
        assert np.abs(curve.share - true).max() <= 0.06
    reasons = found.tracks.groupby("track")["reason"].first()
    assert (reasons == "static from the start").sum() == 3
    assert abs(len(found.individuals) - 80) <= 3
    counts = found.counts.dropna()
    assert (counts["total"] == counts["healthy"] + counts["immobile"] + counts["dead"]).all()
    assert (counts["dead"].astype(int).diff().dropna() >= 0).all()


def test_tracking_twice_gives_the_same_tables() -> None:
    states, frames, _ = simulated_plate(5, worms=15, frames=30)
    first = track_plate(states, frames, 0.0, None, TrackSettings())
    mixed = states.sample(frac=1, random_state=0)
    again = track_plate(mixed, frames, 0.0, None, TrackSettings())
    pd.testing.assert_frame_equal(
        first.tracks.reset_index(drop=True), again.tracks.reset_index(drop=True)
    )
    pd.testing.assert_frame_equal(first.individuals, again.individuals)

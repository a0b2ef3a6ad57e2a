"""The whole chain from classified detections to curves, on simulated plates without images."""

import numpy as np
import pandas as pd
import pytest

from snakescope.healthspan.survival.curves import plate_curves
from snakescope.healthspan.tracking.settings import TrackSettings
from snakescope.healthspan.tracking.track import track_plate

RADIUS = 1400.0
STEP_D = 0.5


def simulated_plate(
    seed: int,
    worms: int = 100,
    frames: int = 40,
    scale_d: float = 13.0,
    shape: float = 5.8,
    missed: float = 0.03,
    mover_error: float = 0.03,
    immobile_error: float = 0.07,
    dead_error: float = 0.03,
    spurious: float = 1.0,
    debris: int = 3,
    resting: float = 0.002,
    missing_frames: tuple[int, ...] = (),
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Classified detections of a plate; returns states, frames and the truth per worm.

    Errors as a classifier with a macro F of about 0.95 makes them, twice as many in the
    frame of a change. Corpses are nudged, debris is there from the start, worms rest.
    """
    rng = np.random.default_rng(seed)
    day = np.arange(frames) * STEP_D
    death = scale_d * rng.weibull(shape, worms)
    end = np.maximum(0, death - rng.gamma(1.81, 0.81, worms))

    def place() -> np.ndarray:
        angle, distance = rng.uniform(0, 2 * np.pi), RADIUS * np.sqrt(rng.random())
        return 1540 + distance * np.array([np.sin(angle), np.cos(angle)])

    def probabilities(state: int, error: float) -> np.ndarray:
        shown = state
        if rng.random() < error:
            shown = {0: 1, 1: int(rng.choice([0, 2])), 2: 1}[state]
            if state == 0 and rng.random() < 0.3:
                shown = 2
        sure = rng.beta(12, 1.5) if shown == state else rng.beta(6, 3)
        left = (1 - sure) * rng.dirichlet([1, 1])
        return np.insert(left, shown, sure)

    rows = []

    def see(k: int, where: np.ndarray, state: int, error: float) -> None:
        if k in missing_frames or rng.random() < missed:
            return
        p = probabilities(state, error)
        rows.append((k, *(where + rng.normal(0, 1.5, 2)), *p))

    for w in range(worms):
        where = place()
        rest_until = -1
        for k, now in enumerate(day):
            if now < end[w]:
                if rng.random() < resting:
                    rest_until = k + int(rng.integers(2, 5))
                if k > rest_until:
                    where = place()
                state = 1 if k <= rest_until else 0
                see(k, where, state, mover_error)
            elif now < death[w]:
                first = now - STEP_D < end[w]
                where = place() if first else where + rng.normal(0, 6, 2)
                changing = first or now + STEP_D >= death[w]
                see(k, where, 1, immobile_error * (2 if changing else 1))
            else:
                if now - STEP_D < end[w]:
                    where = place()
                nudged = rng.random() < 0.015
                if nudged:
                    where = where + rng.normal(0, 15, 2)
                first = now - STEP_D < death[w]
                see(k, where, 2, 0.5 if nudged else dead_error * (3 if first else 1))
    for _ in range(debris):
        where = place()
        for k in range(frames):
            if rng.random() < 0.8:
                see(k, where, 2, dead_error)
    for k in range(frames):
        for _ in range(rng.poisson(spurious)):
            see(k, place(), int(rng.integers(0, 3)), 0.0)

    states = pd.DataFrame(
        rows, columns=["timepoint", "y_px", "x_px", "p_healthy", "p_immobile", "p_dead"]
    ).sort_values("timepoint", kind="stable")
    states["area_px"] = 900
    states["instance"] = states["timepoint"] * 100_000 + states.groupby("timepoint").cumcount()
    names = np.array(["healthy", "immobile", "dead"])
    states["state"] = names[states[["p_healthy", "p_immobile", "p_dead"]].to_numpy().argmax(axis=1)]
    table = pd.DataFrame({"timepoint": np.arange(frames), "time_h": day * 24})
    table["status"] = ["missing" if k in missing_frames else "registered" for k in range(frames)]
    truth = pd.DataFrame({"healthspan_end_d": end, "death_d": death})
    return states, table, truth


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

"""Classified detections of simulated plates, without images, and calls of them made wrong."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

RADIUS = 1400.0
STEP_D = 0.5
DEBRIS, SPURIOUS = -1, -2
PROBABILITIES = ["p_healthy", "p_immobile", "p_dead"]


def likeliest(states: pd.DataFrame) -> NDArray[np.str_]:
    """The state of every detection that has the greatest probability."""
    names = np.array(["healthy", "immobile", "dead"])
    return np.asarray(names[states[PROBABILITIES].to_numpy().argmax(axis=1)])


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

    Of each detection ``worm`` says whose it is: -1 of debris, -2 of what is spurious.
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

    def see(k: int, where: np.ndarray, state: int, error: float, worm: int) -> None:
        if k in missing_frames or rng.random() < missed:
            return
        p = probabilities(state, error)
        rows.append((k, *(where + rng.normal(0, 1.5, 2)), *p, worm))

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
                see(k, where, state, mover_error, w)
            elif now < death[w]:
                first = now - STEP_D < end[w]
                where = place() if first else where + rng.normal(0, 6, 2)
                changing = first or now + STEP_D >= death[w]
                see(k, where, 1, immobile_error * (2 if changing else 1), w)
            else:
                if now - STEP_D < end[w]:
                    where = place()
                nudged = rng.random() < 0.015
                if nudged:
                    where = where + rng.normal(0, 15, 2)
                first = now - STEP_D < death[w]
                see(k, where, 2, 0.5 if nudged else dead_error * (3 if first else 1), w)
    for _ in range(debris):
        where = place()
        for k in range(frames):
            if rng.random() < 0.8:
                see(k, where, 2, dead_error, DEBRIS)
    for k in range(frames):
        for _ in range(rng.poisson(spurious)):
            see(k, place(), int(rng.integers(0, 3)), 0.0, SPURIOUS)

    states = pd.DataFrame(
        rows, columns=["timepoint", "y_px", "x_px", *PROBABILITIES, "worm"]
    ).sort_values("timepoint", kind="stable")
    states["area_px"] = 900
    states["instance"] = states["timepoint"] * 100_000 + states.groupby("timepoint").cumcount()
    states["state"] = likeliest(states)
    table = pd.DataFrame({"timepoint": np.arange(frames), "time_h": day * 24})
    table["status"] = ["missing" if k in missing_frames else "registered" for k in range(frames)]
    truth = pd.DataFrame({"healthspan_end_d": end, "death_d": death})
    return states, table, truth


def made_wrong(
    states: pd.DataFrame, truth: pd.DataFrame, share: float, seed: int
) -> tuple[pd.DataFrame, list[int]]:
    """Return detections of which a share of the worms that die is called wrong, and these worms.

    A third looks dead two to eight frames before it is, a third immobile so long after, and a third
    is never seen to be dead. As often in truth, a whole run of frames is wrong, not a single one.
    """
    rng = np.random.default_rng([seed, 19])
    last = int(states["timepoint"].max()) * STEP_D
    die = np.flatnonzero(truth["death_d"].to_numpy() < last - STEP_D)
    number = max(round(share * len(truth)), 1)
    worms = sorted(int(one) for one in rng.choice(die, min(number, len(die)), replace=False))
    changed = states.copy()
    day = states["timepoint"].to_numpy() * STEP_D
    values = changed[PROBABILITIES].to_numpy()
    for place, worm in enumerate(worms):
        death, end = (float(truth[name].iloc[worm]) for name in ("death_d", "healthspan_end_d"))
        frames = int(rng.integers(2, 9)) * STEP_D
        own = (states["worm"] == worm).to_numpy()
        if place % 3 == 0:
            wrong, shown = own & (day >= max(death - frames, end)) & (day < death), 2
        elif place % 3 == 1:
            wrong, shown = own & (day >= death) & (day < death + frames), 1
        else:
            wrong, shown = own & (day >= death), 1
        values[wrong] = 0.05
        values[wrong, shown] = 0.9
    changed[PROBABILITIES] = values
    changed["state"] = likeliest(changed)
    return changed, worms

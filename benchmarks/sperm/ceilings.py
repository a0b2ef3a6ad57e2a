"""How good a perfect reader of simulated clips could be: what the aims on dishes and doubt allow.

    python -m benchmarks.sperm.ceilings [--dishes 400] [--sperm 20000]

writes docs/tables/sperm-ceilings.tsv and draws no picture. Readers of dishes of 20: one who knows
the votes, one who knows the true shares, one whose mean grades have errors as large as make the
correlation of `ours` in docs/tables/sperm-dishes.tsv, and those who know speeds, alone or with some
defects of shape. Readers of clips, for the error of the 70 % that are least doubtful as a share of
the error of all: those who know how fast a sperm swims, with some error of measurement, nothing
else, and for each speed the mean shares and the error that is to be expected; and `ours` in the
folds by donor, if the error of each clip were known, with the raters' noise and without it, or only
what is to be expected at the true quality of its sperm.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq

from benchmarks import ROOT
from benchmarks.aims import found_of
from benchmarks.sperm import COLUMNS
from benchmarks.sperm.evaluation import OURS, SEEDS, predicted, squared
from benchmarks.sperm.folds import Protocol, add_paths, protocol_of
from snakescope.learning.scores import risk_coverage
from snakescope.sperm.scores import metrics as of
from snakescope.sperm.simulation.morphology import Sperm, draw_scores, draw_sperm, quality
from snakescope.sperm.simulation.raters import RATERS, biases, expected
from snakescope.sperm.simulation.settings import SimulateSettings
from snakescope.sperm.simulation.simulate import RATER_SEED, followed
from snakescope.sperm.tree import Sperm as Tree
from snakescope.step.command import run_step
from snakescope.step.errors import StepError
from snakescope.step.tables import read_table, write_table

SET, KEPT_SHARE = "ceilings", 0.7
EACH, TRIES = 20, 10
ERRORS_UM_S = (0.0, 0.25, 0.5, 1.0)
"""Of a speed (SD)."""
ALIKE = 100
"""Sperm of like speed that give the mean shares and the error of theirs (count)."""
LIKE_QUALITY = 40
DEFECTS: dict[str, Callable[[Sperm], float]] = {
    "kink": lambda one: abs(one.kink[0]),
    "droplet": lambda one: one.droplet_um,
    "length": lambda one: abs(one.head_um[0] - HEAD_UM[0]),
    "width": lambda one: abs(one.head_um[1] - HEAD_UM[1]),
    "taper": lambda one: one.taper,
    "vacuoles": lambda one: float(one.vacuoles[:, 2].sum()),
}
"""How large each defect of a simulated sperm is."""
HEAD_UM = (4.4, 2.9)
"""Of a sperm without a defect of size."""
DEFECTS_READ = {
    "kink, droplet, size of head": ("kink", "droplet", "length", "width"),
    "all defects": tuple(DEFECTS),
}
Values = NDArray[np.float64]
Row = tuple[str, str, str, float, float, float, int]


def true_shares(found: Values) -> Values:
    """Expected shares of votes (N, 5) of qualities (N,)."""
    bias = biases(RATER_SEED)
    parts = [expected(found[at : at + 1000], bias) for at in range(0, len(found), 1000)]
    return np.concatenate(parts)


def floor(shares: Values) -> Values:
    """Squared error (1e-2) that the sample of raters makes of true shares, shape (N,)."""
    return np.asarray(100 * (shares * (1 - shares)).mean(axis=1) / RATERS)


def at_kept(error: Values, doubt: Values) -> float:
    """Error of the least doubtful 70 %, as a share of that of all."""
    kept, risk = risk_coverage(error, doubt)
    return float(risk[int(np.searchsorted(kept, KEPT_SHARE))] / error.mean())


def speed_name(error_um_s: float) -> str:
    """Of the reader who knows speeds with such an error."""
    return f"speed known to {error_um_s:g} um/s"


# Dishes


def by_defects(
    sperm: list[Sperm], parts: tuple[str, ...], grades: Values, half: NDArray[np.int64]
) -> Values:
    """Mean grades by least squares from speeds and some defects, shape (N,).

    Args:
        grades: true mean grades, (N,).
        half: 0 or 1, (N,); what is learnt on one is said of the other.
    """
    swim = np.array([one.speed for one in sperm])
    seen = [np.ones_like(swim), swim, np.square(swim), np.sqrt(swim), swim > 0]
    for part in parts:
        size = np.array([DEFECTS[part](one) for one in sperm])
        seen += [size, np.square(size), size > 0]
    known = np.stack(seen, axis=1).astype(np.float64)
    found = np.zeros(len(sperm))
    for one in (0, 1):
        slopes = np.linalg.lstsq(known[half != one], grades[half != one], rcond=None)[0]
        found[half == one] = known[half == one] @ slopes
    return found


def dish_rows(dishes: int, wanted: float) -> Iterator[Row]:
    """Readers of simulated dishes.

    Args:
        wanted: correlation with the mean grades of the votes of the reader with errors.
    """
    settings = SimulateSettings()
    made = [
        [followed(name, name, number, settings) for number in range(EACH)]
        for name in (f"ceiling_{at}" for at in range(dishes))
    ]
    found = np.array([[one.quality for one in dish] for dish in made])
    votes = np.array([[one.votes for one in dish] for dish in made], np.float64)
    said = of.mean_grade(votes / votes.sum(axis=2, keepdims=True))
    true = of.mean_grade(true_shares(found.ravel())).reshape(found.shape)
    noise = np.random.default_rng(1).standard_normal((TRIES, *true.shape))

    def related(error: float) -> float:
        return float(np.corrcoef((true + error * noise[0]).ravel(), said.ravel())[0, 1])

    error = float(brentq(lambda size: related(size) - wanted, 1e-3, 5.0))
    swim = np.array([[one.sperm.speed for one in dish] for dish in made])
    readers = {
        "votes known": said[None],
        "shares known": true[None],
        "correlation of ours": true + error * noise,
        **{speed_name(size): -(swim + size * noise) for size in ERRORS_UM_S},
    }
    sperm = [one.sperm for dish in made for one in dish]
    for name, parts in DEFECTS_READ.items():
        grades = by_defects(sperm, parts, true.ravel(), np.arange(dishes * EACH) // EACH % 2)
        readers[f"speed and {name} known"] = grades.reshape(1, *true.shape)
    for name, several in readers.items():
        best = [
            found[at].argmax() in np.argsort(grades[at], kind="stable")[:3]
            for grades in several for at in range(dishes)
        ]  # fmt: skip
        tau = [
            stats.kendalltau(grades[at], said[at]).statistic
            for grades in several[:2] for at in range(dishes)
        ]  # fmt: skip
        yield SET, name, "best_in_three", float(np.mean(best)), np.nan, np.nan, len(best)
        yield SET, name, "kendall_tau", float(np.mean(tau)), np.nan, np.nan, len(tau)
    yield SET, "correlation of ours", "correlation", related(error), np.nan, np.nan, said.size


# Doubt


def by_speed(speed: Values, shares: Values) -> tuple[Values, Values]:
    """Squared error (1e-2) of the mean shares at each speed, and what is to be expected there.

    Args:
        speed: as measured, shape (N,); 0 of those that do not move.
        shares: true, (N, 5).
    """
    error, doubt = np.zeros(len(speed)), np.zeros(len(speed))
    order = np.argsort(speed, kind="stable")
    still = int((speed <= 0).sum())
    moving = order[still:]
    alike = [order[:still], *np.array_split(moving, max(1, len(moving) // ALIKE))]
    for rows in alike:
        if len(rows):
            mean = shares[rows].mean(axis=0)
            error[rows] = 100 * np.square(shares[rows] - mean).mean(axis=1)
            doubt[rows] = (error[rows] + floor(shares[rows])).mean()
    return error + floor(shares), doubt


def speed_rows(sperm: int) -> Iterator[Row]:
    """Readers who know speeds alone; errors hold the noise of the raters."""
    settings, rng = SimulateSettings(), np.random.default_rng(1)
    scores = [draw_scores(rng, float(rng.standard_normal()), settings) for _ in range(sperm)]
    swim = np.array([draw_sperm(rng, "icsi_pvp", *one).speed for one in scores])
    shares = true_shares(np.array([quality(*one) for one in scores]))
    for size in ERRORS_UM_S:
        seen = np.abs(swim + size * rng.standard_normal(sperm)) if size else swim
        error, doubt = by_speed(seen, shares)
        name = speed_name(size)
        yield SET, name, "mse_e2", float(error.mean()), np.nan, np.nan, sperm
        yield SET, name, "share_at_70_coverage", at_kept(error, doubt), np.nan, np.nan, sperm


def expected_at(found: Values, error: Values, groups: NDArray[np.str_]) -> Values:
    """Mean error of the sperm of other donors whose quality is nearest, shape (N,)."""
    nearest = np.zeros(len(found))
    for at in range(len(found)):
        others = np.flatnonzero(groups != groups[at])
        rows = others[np.argsort(np.abs(found[others] - found[at]), kind="stable")]
        nearest[at] = error[rows[:LIKE_QUALITY]].mean()
    return nearest


def qualities(protocol: Protocol) -> Values:
    """True quality of the sperm of each item, shape (N,)."""
    tree, settings = Tree(protocol.settings, scans=False), SimulateSettings()
    found = []
    for name in protocol.items["item"]:
        clip = tree.clips[name]
        donor = tree.sheet[clip.video].donor
        found.append(followed(clip.video, donor, int(clip.start_s), settings).quality)
    return np.array(found)


def fold_rows(protocol: Protocol, kept: Path) -> Iterator[Row]:
    """`ours` in folds by donor, if more were known of its errors; means over seeds."""
    found = qualities(protocol)
    shares = true_shares(found)
    shown: dict[str, list[float]] = {}
    for seed in SEEDS:
        one = predicted(protocol, kept, OURS, seed)
        if one is None:
            continue
        error = squared(one)
        alone = 100 * np.square(one.shares - shares).mean(axis=1)
        doubts = {
            "errors known": error,
            "errors without the raters' noise known": alone,
            "error expected at the quality known": expected_at(found, error, one.groups),
        }
        for name, doubt in doubts.items():
            shown.setdefault(name, []).append(at_kept(error, doubt))
    for name, values in shown.items():
        mean = float(np.mean(values))
        yield SET, f"ours, {name}", "share_at_70_coverage", mean, np.nan, np.nan, len(found)


def main() -> None:
    """Work out all readers, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_paths(parser)
    parser.add_argument("--dishes", type=int, default=400, help="simulated dishes (count)")
    parser.add_argument("--sperm", type=int, default=20000, help="whose speed is known (count)")
    parser.add_argument("--measured", type=Path, default=ROOT / "docs/tables/sperm-dishes.tsv")
    parser.add_argument("--table", type=Path, default=ROOT / "docs/tables/sperm-ceilings.tsv")
    options = parser.parse_args()
    measured = found_of(
        read_table(options.measured, COLUMNS, text=COLUMNS[:3]), "dishes", OURS, "correlation"
    )
    if measured is None:
        raise StepError(f"{options.measured}: expected the correlation of ours, found none")
    protocol = protocol_of(options.folder, options.each, options.epochs, drawn=False)
    rows = [
        *dish_rows(options.dishes, float(measured["value"])),
        *speed_rows(options.sperm),
        *fold_rows(protocol, options.kept),
    ]
    write_table(options.table, pd.DataFrame(rows, columns=COLUMNS))


if __name__ == "__main__":
    run_step(main)

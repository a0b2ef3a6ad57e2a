"""False positives between alike conditions of every p that is printed as evidence.

    python -m benchmarks.healthspan.false_positives            # 2,000 comparisons a cell

Conditions of one lifespan (N2 at 25 C: Weibull, scale 13 d, shape 5.8), photographed every 12 h,
are compared where plates differ with an SD of 0.8 d. The only p of an experiment is that of the
Cox regression with errors between plates. Intervals are of the share itself (Wilson, 95 %). The
results go to docs/tables/false-positives.tsv; with --kept a run that is stopped goes on.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from benchmarks import ROOT
from snakescope.healthspan.survival.cox import cox_table
from snakescope.healthspan.survival.estimators import OUTCOMES
from snakescope.step.command import run_step
from snakescope.step.progress import progress
from snakescope.step.tables import write_table

COLUMNS = ("plates", "worms", "plate_sd_d", "comparisons", "share", "low", "high", "aim")
AIM = 0.065


def comparison(seed: int, plates: int, worms: int, plate_sd_d: float) -> float:
    """Return the p of one comparison of alike conditions."""
    rng = np.random.default_rng(seed)
    pieces = []
    for condition in "ab":
        for number in range(plates):
            death = 13 * rng.weibull(5.8, worms) + plate_sd_d * rng.normal()
            day = np.floor(np.maximum(death, 0) * 2) / 2 + 0.25
            name = f"{condition}{number}"
            pieces.append(pd.DataFrame({"day": day}).assign(condition=condition, plate=name))
    survival = pd.concat(pieces, ignore_index=True).assign(outcome=OUTCOMES[0], event=1)
    return float(cox_table(survival, ["a", "b"], 0.95)["p"].iloc[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--plates", type=int, nargs="+", default=[2, 3, 6])
    parser.add_argument("--worms", type=int, default=40, help="on a plate")
    parser.add_argument("--plate-sd-d", type=float, default=0.8)
    parser.add_argument("--comparisons", type=int, default=2000)
    parser.add_argument("--kept", type=Path, default=None, help="file of the p values so far")
    parser.add_argument("--table", type=Path, default=ROOT / "docs/tables/false-positives.tsv")
    given = parser.parse_args()
    kept: dict[str, float] = {}
    if given.kept and given.kept.exists():
        old = pd.read_csv(given.kept, sep="\t", names=["key", "p"])
        kept = dict(zip(old["key"], old["p"], strict=True))
    rows = []
    for plates in given.plates:
        values = []
        for seed in progress(range(given.comparisons), f"{plates} plates a condition"):
            key = f"{plates} {given.worms} {given.plate_sd_d} {seed}"
            if key not in kept:
                kept[key] = comparison(seed, plates, given.worms, given.plate_sd_d)
                if given.kept:
                    with given.kept.open("a", encoding="utf-8") as file:
                        file.write(f"{key}\t{kept[key]}\n")
            values.append(kept[key])
        positive = int((np.array(values) < 0.05).sum())
        found = binomtest(positive, len(values)).proportion_ci(method="wilson")
        share = positive / len(values)
        row = (plates, given.worms, given.plate_sd_d, len(values), share, found.low, found.high)
        rows.append((*row, AIM))
        print(f"{plates} plates: {share:.4f} ({found.low:.4f} to {found.high:.4f})", flush=True)
        write_table(given.table, pd.DataFrame(rows, columns=list(COLUMNS)))


if __name__ == "__main__":
    run_step(main)

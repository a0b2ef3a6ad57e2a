"""Whether the conclusion of an experiment is another one with the corrections of its plates.

The comparison of the experiment is made again of the tables of the machine alone, and, where two or
more people scored, of each of them alone: what a scorer did not look at is what the machine says.
The p is the one to quote, between plates. Where there is none, none is compared.
"""

import argparse
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from snakescope.healthspan.review.corrections import ADJUDICATED
from snakescope.healthspan.review.settings import ConclusionSettings
from snakescope.healthspan.survival.cox import cox_table
from snakescope.healthspan.survival.estimators import OUTCOMES
from snakescope.healthspan.survival.experiment import (
    first_days,
    read_plates,
    survival_table,
    without_worms,
)
from snakescope.healthspan.survival.experiment_figure import condition_curve
from snakescope.healthspan.survival.settings import ExperimentSettings
from snakescope.healthspan.tracking.individuals import INDIVIDUALS_COLUMNS
from snakescope.step.tables import read_table, write_table

MACHINE_ALONE, CORRECTED = "machine", "corrected"
SCORER = "scorer"
CONCLUSION_COLUMNS = (
    "experiment",
    "outcome",
    "condition",
    "reference",
    "by",
    "plates_scored",
    "worms",
    "median_d",
    "median_low_d",
    "median_high_d",
    "reference_median_d",
    "reference_median_low_d",
    "reference_median_high_d",
    "hazard_ratio",
    "low",
    "high",
    "p",
    "p_holm",
    "quote",
    "differs",
    "conclusion",
)
SAME, SIGNIFICANCE, SIGN, BOTH, UNKNOWN = (
    "no", "significance", "sign", "significance and sign", "cannot be told",
)  # fmt: skip
"""Values of the column ``differs``: whether the conclusion is another one than the machine's."""

Tables = Mapping[str, pd.DataFrame]
Row = dict[str, Any]


def compared(
    individuals: Tables,
    condition: Mapping[str, str],
    first_d: Mapping[str, float],
    confidence: float,
) -> list[Row]:
    """Return the comparisons of an experiment: medians, hazard ratio and the p to quote.

    Args:
        individuals: the table of each plate.
        condition: of each plate.
        first_d: day of the first usable frame of each condition.
        confidence: coverage of the intervals.
    """
    survival = survival_table(dict(individuals), dict(condition))
    conditions = list(dict.fromkeys(condition.values()))
    rows = []
    medians = {
        (str(outcome), str(name)): condition_curve(own, first_d[str(name)], confidence).median()
        for (outcome, name), own in survival.groupby(["outcome", "condition"])
    }
    for row in cox_table(survival, conditions, confidence).to_dict("records"):
        outcome, name, reference = (str(row[key]) for key in ("outcome", "condition", "reference"))
        own = survival[(survival["outcome"] == outcome) & (survival["condition"] == name)]
        made: Row = {"outcome": outcome, "condition": name, "reference": reference}
        made["worms"] = len(own)
        for words, of in (("", name), ("reference_", reference)):
            values = medians.get((outcome, of), (np.nan,) * 3)
            keys = ("median_d", "median_low_d", "median_high_d")
            made |= {f"{words}{key}": value for key, value in zip(keys, values, strict=True)}
        made |= {key: row[key] for key in ("hazard_ratio", "low", "high", "p", "p_holm")}
        quote = row["quote"] if isinstance(row["quote"], str) else ""
        made["quote"] = "; ".join(filter(None, (quote, str(row["note"] or ""))))
        rows.append(made)
    return rows


def number_of(row: Row, name: str) -> float:
    """Return a number of a row; NaN of an empty cell."""
    value = row[name]
    return float("nan") if pd.isna(value) else float(value)


def finding(row: Row, significance: float) -> str:
    """Return what a comparison says by itself."""
    p, ratio = number_of(row, "p"), number_of(row, "hazard_ratio")
    if row["condition"] == row["reference"]:
        return "one condition only: nothing is compared"
    if not np.isfinite(ratio):
        return "no comparison"
    way = "shorter" if ratio > 1 else "longer"
    estimate = f"hazard ratio {ratio:.3g}"
    if not np.isfinite(p):
        return f"estimated {way} than {row['reference']} ({estimate}), without a valid p"
    if p < significance:
        return f"{way} than {row['reference']} (p = {p:.2g}, {estimate})"
    return f"no difference shown from {row['reference']} (p = {p:.2g}, {estimate})"


def judged(row: Row, machine: Row | None, significance: float) -> tuple[str, str]:
    """Return ``differs`` and ``conclusion`` of a comparison against that of the machine.

    Args:
        row: of a review; machine: the same comparison by the machine alone, None without one.
        significance: p below which a difference counts as shown.
    """
    own = finding(row, significance)
    if machine is None or machine["reference"] != row["reference"]:
        return UNKNOWN, f"{own}; the machine alone compares with another reference"
    ratios = [number_of(one, "hazard_ratio") for one in (machine, row)]
    ps = [number_of(one, "p") for one in (machine, row)]
    if row["condition"] == row["reference"] or not np.isfinite(ratios).all():
        return UNKNOWN, own
    turned = bool(np.prod(np.sign(np.log(ratios))) < 0)
    if not np.isfinite(ps).all():
        sign = "the sign of the estimate changes" if turned else "the sign of the estimate stays"
        return (SIGN if turned else UNKNOWN), f"{own}; {sign}, and without two p nothing is shown"
    crossed = (ps[0] < significance) != (ps[1] < significance)
    was = f"machine alone: p = {ps[0]:.2g}, hazard ratio {ratios[0]:.3g}"
    if crossed:
        became = "is shown only now" if ps[1] < significance else "is no longer shown"
        also = " and its sign changes" if turned else ""
        words = f"{own}; the conclusion changes: the difference {became}{also} ({was})"
        return (BOTH if turned else SIGNIFICANCE), words
    if turned and ps[1] < significance:
        return SIGN, f"{own}; the conclusion changes: the other way round ({was})"
    if turned:
        return SIGN, f"{own}; the sign of the estimate changes, shown is neither ({was})"
    return SAME, f"{own}; the conclusion stays ({was})"


def conclusion_table(
    experiment: str,
    versions: Mapping[str, Tables],
    scored: Mapping[str, int],
    condition: Mapping[str, str],
    first_d: Mapping[str, float],
    confidence: float,
    significance: float,
) -> pd.DataFrame:
    """Return a row per comparison and version of the tables (``CONCLUSION_COLUMNS``).

    Args:
        versions: individuals of each plate, by whom they are; the machine is among them.
        scored: of how many plates each version has corrections.
        condition, first_d, confidence: see :func:`compared`.
        significance: see :func:`judged`.
    """
    found = {
        by: compared(tables, condition, first_d, confidence) for by, tables in versions.items()
    }
    own = {(one["outcome"], one["condition"]): one for one in found[MACHINE_ALONE]}
    rows = []
    for by, comparisons in found.items():
        for row in comparisons:
            differs, words = "", finding(row, significance)
            if by != MACHINE_ALONE:
                machine = own.get((row["outcome"], row["condition"]))
                differs, words = judged(row, machine, significance)
            rows.append(
                {
                    **row,
                    "experiment": experiment,
                    "by": by,
                    "plates_scored": scored[by],
                    "differs": differs,
                    "conclusion": words,
                }
            )
    table = pd.DataFrame(rows, columns=list(CONCLUSION_COLUMNS))
    order = {name: place for place, name in enumerate(versions)}
    outcomes = {name: place for place, name in enumerate(OUTCOMES)}
    keys = pd.DataFrame({"o": table["outcome"].map(outcomes), "b": table["by"].map(order)})
    conditions = list(dict.fromkeys(condition.values()))
    keys["c"] = table["condition"].map({name: place for place, name in enumerate(conditions)})
    return table.loc[keys.sort_values(["o", "c", "b"], kind="stable").index].reset_index(drop=True)


def sentences(table: pd.DataFrame) -> list[str]:
    """Return what changed of an experiment, one sentence for each comparison that did.

    Without any, one sentence that says so, and of how many comparisons it can be told.
    """
    rows = table[table["by"] != MACHINE_ALONE].to_dict("records")
    told = [
        f"{row['outcome']}, {row['condition']}, {row['by']}: {row['conclusion']}"
        for row in rows
        if row["differs"] in (SIGNIFICANCE, SIGN, BOTH)
    ]
    unknown = sum(row["differs"] == UNKNOWN for row in rows)
    if not told and unknown < len(rows):
        told = [f"the conclusion stays in {len(rows) - unknown} of {len(rows)} comparisons"]
    if unknown:
        told.append(f"cannot be told in {unknown} of {len(rows)} comparisons: there is no valid p")
    return told


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--plates", required=True)
    parser.add_argument("--experiment", required=True)
    parser.add_argument("--individuals", required=True, nargs="+", help="with corrections")
    parser.add_argument("--machine", required=True, nargs="+", help="the same, without any")
    parser.add_argument("--scorers", required=True, nargs="+", help="individuals by each scorer")
    parser.add_argument("--summaries", required=True, nargs="+")
    parser.add_argument("--compared", default="{}", help="settings of the experiment")
    parser.add_argument("--settings", default="{}")
    parser.add_argument("--table", required=True)


def main(given: argparse.Namespace) -> None:
    """Run the step."""
    settings = ConclusionSettings.model_validate_json(given.settings)
    confidence = ExperimentSettings.model_validate_json(given.compared).confidence
    corrected, summary, condition = read_plates(given.plates, given.individuals, given.summaries)
    machine, _, _ = read_plates(given.plates, given.machine, given.summaries)
    empty = without_worms(summary)
    condition = {plate: one for plate, one in condition.items() if plate not in empty}
    first_d = first_days(summary[~summary["plate"].isin(empty)], condition)
    columns = ("plate", SCORER, *INDIVIDUALS_COLUMNS)
    alone = pd.concat([read_table(path, columns, text=("plate", SCORER)) for path in given.scorers])
    alone = alone[alone["plate"].isin(condition)]
    scorers = sorted(set(alone[SCORER]) - {ADJUDICATED})
    versions: dict[str, Tables] = {
        MACHINE_ALONE: {plate: machine[plate] for plate in condition},
        CORRECTED: {plate: corrected[plate] for plate in condition},
    }
    scored = {MACHINE_ALONE: 0, CORRECTED: int(alone["plate"].nunique())}
    for name in scorers if len(scorers) > 1 else ():
        own = alone[alone[SCORER] == name]
        theirs = {str(plate): table for plate, table in own.groupby("plate")}
        by = f"scorer {name}"
        versions[by] = {**versions[MACHINE_ALONE], **_without_names(theirs)}
        scored[by] = len(theirs)
    write_table(
        given.table,
        conclusion_table(
            given.experiment,
            versions,
            scored,
            condition,
            first_d,
            confidence,
            settings.significance,
        ),
    )


def _without_names(tables: Tables) -> dict[str, pd.DataFrame]:
    columns = list(INDIVIDUALS_COLUMNS)
    return {plate: one[columns].reset_index(drop=True) for plate, one in tables.items()}

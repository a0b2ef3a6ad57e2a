"""Comparison of the conditions of an experiment over all its plates.

Worms of a condition are pooled for the curves and the log-rank tests. Worms of one plate are more
alike than worms of two (the standard deviation of plate means is about 0.8 d), so the Cox model,
with errors between plates (:mod:`snakescope.healthspan.survival.cox`), is the only one with a p,
where both conditions have two plates or more.
"""

import argparse
import sys
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from lifelines.statistics import logrank_test
from numpy.typing import NDArray

from snakescope.healthspan.plates.sheet import note_of_mixed_days
from snakescope.healthspan.plates.status import SHEET_COLUMNS
from snakescope.healthspan.survival.cox import cox_table
from snakescope.healthspan.survival.curves import NONE_FOUND
from snakescope.healthspan.survival.estimators import END_AND_FLAG, OUTCOMES, intervals
from snakescope.healthspan.survival.experiment_figure import draw_experiment
from snakescope.healthspan.survival.exports import exports_of, jmp, oasis2, prism
from snakescope.healthspan.survival.settings import ExperimentSettings
from snakescope.healthspan.tracking.individuals import (
    CORRECTED_BY,
    INDIVIDUALS_COLUMNS,
    MACHINE,
)
from snakescope.imaging.style import figure_style, note_of_fonts, save_figure
from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write, write_json
from snakescope.step.tables import read_table, with_columns_of, write_table

SURVIVAL_COLUMNS = [
    "outcome",
    "condition",
    "plate",
    "individual",
    "after_d",
    "before_d",
    "day",
    "event",
    "censor_reason",
]
CORRECTED_COLUMNS = ["after_d_machine", "before_d_machine", "event_machine", "corrected_by"]
"""Further columns, where a plate of the experiment has corrections."""
TESTS_COLUMNS = [
    "outcome",
    "condition_a",
    "condition_b",
    "worms_a",
    "worms_b",
    "plates_a",
    "plates_b",
    "events_a",
    "events_b",
    "statistic",
    "note",
]
NO_P = (
    "worms of one plate are alike, so the statistic has no valid p; the p to quote, between plates,"
    " is in cox.tsv"
)


def survival_table(individuals: dict[str, pd.DataFrame], condition: dict[str, str]) -> pd.DataFrame:
    """Return a row per worm and outcome (``SURVIVAL_COLUMNS``), over all plates.

    Args:
        individuals: the table of each plate.
        condition: of each plate.
    """
    pieces = []
    some_corrected = any(CORRECTED_BY in table for table in individuals.values())
    for outcome in OUTCOMES:
        for plate, table in individuals.items():
            found = intervals(table, outcome)
            kept = np.isfinite(table["death_after_d"].to_numpy(float))
            piece = pd.DataFrame(
                {
                    "individual": table.loc[kept, "individual"].to_numpy(),
                    "after_d": found.after,
                    "before_d": np.where(found.observed, found.before, np.nan),
                    "day": found.midpoint,
                    "event": found.observed.astype(int),
                    "censor_reason": table.loc[kept, "censor_reason"].fillna("").to_numpy(),
                }
            ).assign(outcome=outcome, condition=condition[plate], plate=plate)
            piece.loc[piece["event"] == 1, "censor_reason"] = ""
            piece = piece[SURVIVAL_COLUMNS]
            if some_corrected:
                piece = piece.assign(**_of_the_machine(table, outcome, kept))
            pieces.append(piece)
    filled = [piece for piece in pieces if len(piece)]
    return (
        pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=SURVIVAL_COLUMNS)
    )


def _of_the_machine(table: pd.DataFrame, outcome: str, kept: NDArray[np.bool_]) -> dict[str, Any]:
    """Return ``CORRECTED_COLUMNS`` of the kept rows: what the machine says beside what counts."""
    name, flag = END_AND_FLAG[outcome]
    ending = MACHINE if CORRECTED_BY in table else ""
    censored = table[f"{flag}{ending}"].astype("Int64")
    by = table[CORRECTED_BY].fillna("") if CORRECTED_BY in table else pd.Series("", table.index)
    return {
        "after_d_machine": table.loc[kept, f"{name}_after_d{ending}"].to_numpy(),
        "before_d_machine": table.loc[kept, f"{name}_before_d{ending}"].to_numpy(),
        "event_machine": (1 - censored)[kept].array,
        "corrected_by": by[kept].to_numpy(),
    }


def _watched_together(left: pd.DataFrame, right: pd.DataFrame) -> bool:
    """Return whether an event occurred while worms of both groups were at risk."""
    events = pd.concat([left, right]).query("event == 1")["day"]
    return bool((events <= min(left["day"].max(), right["day"].max())).any())


def logrank_tests(survival: pd.DataFrame, conditions: Sequence[str]) -> pd.DataFrame:
    """Return pairwise log-rank statistics of worms (``TESTS_COLUMNS``), without p.

    Plates, not worms, are what conditions are replicated by, so the chi-squared distribution of the
    statistic does not hold: of alike conditions it tells four in ten apart. A pair that cannot be
    tested, and an experiment of one condition, have a row with a note.
    """
    rows: list[dict[str, object]] = []
    for outcome in OUTCOMES:
        own = survival[survival["outcome"] == outcome]
        pairs: list[dict[str, object]] = []
        for a, b in combinations(conditions, 2):
            left, right = own[own["condition"] == a], own[own["condition"] == b]
            row: dict[str, object] = {
                "outcome": outcome,
                "condition_a": a,
                "condition_b": b,
                "worms_a": len(left),
                "worms_b": len(right),
                "plates_a": left["plate"].nunique(),
                "plates_b": right["plate"].nunique(),
                "events_a": int(left["event"].sum()),
                "events_b": int(right["event"].sum()),
                "note": "",
            }
            if min(len(left), len(right)) == 0:
                row["note"] = "a condition without worms"
            elif left["event"].sum() + right["event"].sum() == 0:
                row["note"] = "no event in either condition"
            elif not _watched_together(left, right):
                row["note"] = "no event while worms of both were watched"
            else:
                test = logrank_test(left["day"], right["day"], left["event"], right["event"])
                row |= {"statistic": float(test.test_statistic), "note": NO_P}
            pairs.append(row)
        if not pairs:
            name = conditions[0] if conditions else ""
            pairs = [{"outcome": outcome, "condition_a": name, "note": "one condition only"}]
        rows += pairs
    return pd.DataFrame(rows, columns=TESTS_COLUMNS)


def with_note(table: pd.DataFrame, note: str) -> pd.DataFrame:
    """Append ``note`` to the column of notes."""
    if not note:
        return table
    own = table["note"].fillna("")
    return table.assign(note=(own + "; " + note).where(own != "", note))


def evidence(cox: pd.DataFrame) -> list[str]:
    """Return what a figure says of each comparison: the p to quote with its plates, or none."""
    lines = []
    for row in cox.to_dict("records"):
        if not isinstance(row.get("quote"), str):
            continue
        p = float(row["p"])
        value = f"p = {p:.2g}" if np.isfinite(p) else "no p"
        why = f" ({row['note']})" if row["note"] else ""
        lines.append(
            f"{row['outcome']}, {row['condition']} against {row['reference']}: {value} between"
            f" plates, {row['plates']} and {row['plates_reference']}{why}"
        )
    return lines


def read_plates(
    sheet: str, individuals: Sequence[str], summaries: Sequence[str]
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame, dict[str, str]]:
    """Read individuals per plate, summaries of the plates, and the condition of each.

    Raises:
        StepError: a file is missing, or the plates of the sheet and of the summaries differ.
    """
    rows = read_table(sheet, ["plate", "condition"], text="all")
    columns = ["plate", "time_axis", "first_usable_day"]
    found = [read_table(path, columns, text="all") for path in summaries]
    summary = pd.concat(
        [one.assign(note=one.get("note", ""))[[*columns, "note"]] for one in found],
        ignore_index=True,
    )
    plates = list(summary["plate"])
    condition = dict(zip(rows["plate"], rows["condition"], strict=True))
    if len(individuals) != len(plates) or sorted(plates) != sorted(condition):
        raise StepError(
            f"{sheet}: expected one table of individuals and one summary for each of the plates "
            f"{', '.join(sorted(condition))}, found summaries of {', '.join(sorted(plates))}; "
            "give them in the same order"
        )
    tables = {
        plate: read_table(path, INDIVIDUALS_COLUMNS)
        for plate, path in zip(plates, individuals, strict=True)
    }
    return {plate: tables[plate] for plate in condition}, summary, condition


def without_worms(summary: pd.DataFrame) -> list[str]:
    """Return plates in which no worm was ever found, unless there are no others.

    Their worms, as many as the sheet says, would be censored from the first day on.
    """
    empty = summary.loc[summary["note"] == NONE_FOUND, "plate"]
    return [] if len(empty) == len(summary) else [str(plate) for plate in empty]


def note_of_left_out(plates: Sequence[str]) -> str:
    """Return that some plates are not compared, empty without any."""
    return f"left out, as {NONE_FOUND}: {', '.join(plates)}" if plates else ""


def first_days(summary: pd.DataFrame, condition: dict[str, str]) -> dict[str, float]:
    """Return the day of the first usable frame of each condition; NaN without one.

    Args:
        summary: one row per plate, with plate and first_usable_day as text.
        condition: of each plate.
    """
    day = pd.to_numeric(summary["first_usable_day"], errors="coerce")
    return {
        str(name): float(first)
        for name, first in day.groupby(summary["plate"].map(condition)).min().items()
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--plates", required=True)
    parser.add_argument("--individuals", required=True, nargs="+")
    parser.add_argument("--summaries", required=True, nargs="+")
    parser.add_argument("--experiment", required=True)
    parser.add_argument("--settings", default="{}")
    parser.add_argument("--provenances", nargs="*", default=[], help="of each plate")
    parser.add_argument("--configuration", default="", help="configuration.yaml of the run")
    parser.add_argument("--provenance", default="", help="JSON to write")
    for output in ("survival", "tests", "cox", "jmp"):
        parser.add_argument(f"--{output}", required=True)
    parser.add_argument("--figures", required=True, nargs="+")
    parser.add_argument("--oasis", required=True, nargs=2, help="of lifespan, of healthspan")
    parser.add_argument("--prism", required=True, nargs=2, help="of lifespan, of healthspan")


def main(given: argparse.Namespace) -> None:
    """Run the step."""
    settings = ExperimentSettings.model_validate_json(given.settings)
    individuals, summary, condition = read_plates(given.plates, given.individuals, given.summaries)
    empty = without_worms(summary)
    left_out = note_of_left_out(empty)
    if left_out:
        print(f"warning: {given.plates}: {left_out}", file=sys.stderr)
        individuals = {plate: one for plate, one in individuals.items() if plate not in empty}
        condition = {plate: one for plate, one in condition.items() if plate not in empty}
        summary = summary[~summary["plate"].isin(empty)]
    conditions = list(dict.fromkeys(condition.values()))
    axes = dict(zip(summary["plate"], summary["time_axis"], strict=True))
    mixed = note_of_mixed_days(axes)
    if mixed:
        print(f"warning: {given.plates}: {mixed}; they are pooled as they are", file=sys.stderr)
    mixed = "; ".join(filter(None, (mixed, left_out)))
    survival = survival_table(individuals, condition)
    sheet = read_table(given.plates, text="all").drop(
        columns=list(SHEET_COLUMNS[1:]), errors="ignore"
    )
    write_table(given.survival, with_columns_of(survival, sheet, by="plate"))
    write_table(given.tests, with_note(logrank_tests(survival, conditions), mixed))
    cox = cox_table(survival, conditions, settings.confidence)
    write_table(given.cox, with_note(cox, mixed))
    for path, outcome in zip(given.oasis, OUTCOMES, strict=True):
        with atomic_write(path) as partial:
            partial.write_text(oasis2(survival, outcome), encoding="utf-8")
    tables = [prism(survival, outcome) for outcome in OUTCOMES]
    tables.append(with_columns_of(jmp(survival), sheet, by="plate"))
    for path, table in zip([*given.prism, given.jmp], tables, strict=True):
        with atomic_write(path) as partial:
            table.to_csv(partial, index=False, lineterminator="\n", float_format="%.6g")
    if given.provenance:
        made = exports_of(given.experiment, condition, given.provenances, given.configuration)
        write_json(given.provenance, made)
    text = "".join([given.experiment, *conditions])
    if boxes := note_of_fonts(text):
        print(f"warning: {given.plates}: {boxes}", file=sys.stderr)
    with figure_style(text):
        first_d = first_days(summary, condition)
        axis = next(iter(axes.values())) if len(set(axes.values())) == 1 else "day"
        figure = draw_experiment(
            survival, conditions, first_d, given.experiment, axis, settings, mixed, evidence(cox)
        )
        for path in given.figures:
            save_figure(figure, path)

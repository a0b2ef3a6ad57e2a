"""Whether corrections change what an experiment says, on tables of which it is known."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from snakescope.healthspan.review import conclusion
from snakescope.healthspan.review.conclusion import (
    BOTH,
    CONCLUSION_COLUMNS,
    SAME,
    SIGN,
    SIGNIFICANCE,
    UNKNOWN,
    conclusion_table,
    judged,
    sentences,
)
from snakescope.healthspan.survival.cox import cox_table
from snakescope.healthspan.survival.experiment import survival_table
from snakescope.step.command import call
from snakescope.step.tables import read_table, write_table
from tests.healthspan.survival.test_experiment import plate

CONDITION = {"p1": "N2", "p2": "N2", "p3": "N2", "p4": "x", "p5": "x", "p6": "x"}
FIRST_D = {"N2": 0.0, "x": 0.0}


def plates(scale: float) -> dict[str, pd.DataFrame]:
    """Three plates of N2, of 13 days, and three of x."""
    return {
        name: plate(number, 13 if condition == "N2" else scale)
        for number, (name, condition) in enumerate(CONDITION.items())
    }


def made(corrected: dict[str, pd.DataFrame], **more: dict[str, pd.DataFrame]) -> pd.DataFrame:
    versions = {"machine": plates(9.0), "corrected": corrected, **more}
    scored = {name: 0 if name == "machine" else 3 for name in versions}
    table = conclusion_table("one", versions, scored, CONDITION, FIRST_D, 0.95, 0.05)
    assert list(table.columns) == list(CONCLUSION_COLUMNS)
    return table[table["outcome"] == "lifespan"].set_index("by")


def test_a_difference_that_corrections_take_away_is_a_changed_conclusion() -> None:
    """Longer lives of x by the corrections of one scorer, none of the other."""
    equal = plates(13.0)
    table = made(equal, **{"scorer anna": equal, "scorer ben": plates(9.1)})
    machine, corrected = table.loc["machine"], table.loc["corrected"]
    cox = cox_table(survival_table(plates(9.0), CONDITION), ["N2", "x"], 0.95)
    expected = cox[cox["outcome"] == "lifespan"].iloc[0]
    for name in ("hazard_ratio", "low", "high", "p", "p_holm"):
        assert machine[name] == expected[name]
    assert machine["p"] < 0.05 < corrected["p"] and machine["differs"] == ""
    assert machine["median_d"] < corrected["median_d"]
    assert machine["reference_median_d"] == corrected["reference_median_d"]
    assert "shorter than N2" in machine["conclusion"]
    assert corrected["differs"] in (SIGNIFICANCE, BOTH)
    assert "no longer shown" in corrected["conclusion"]
    assert f"machine alone: p = {machine['p']:.2g}" in corrected["conclusion"]
    assert table.loc["scorer anna", "differs"] == corrected["differs"]
    assert table.loc["scorer ben", "differs"] == SAME
    told = sentences(table.reset_index())
    assert len(told) == 2 and all("no longer shown" in one for one in told)


def test_without_two_plates_there_is_no_p_and_no_verdict() -> None:
    some = {"p1": "N2", "p2": "N2", "p4": "x"}
    versions = {
        name: {one: table for one, table in plates(scale).items() if one in some}
        for name, scale in (("machine", 9.0), ("corrected", 9.5))
    }
    table = conclusion_table(
        "one", versions, {"machine": 0, "corrected": 1}, some, FIRST_D, 0.95, 0.05
    )
    assert table["p"].isna().all() and table["p_holm"].isna().all()
    assert table["hazard_ratio"].notna().all() and table["median_d"].notna().all()
    corrected = table[table["by"] == "corrected"]
    assert set(corrected["differs"]) == {UNKNOWN}
    assert corrected["conclusion"].str.contains("nothing is shown").all()
    assert sentences(table) == ["cannot be told in 2 of 2 comparisons: there is no valid p"]


@pytest.mark.parametrize(
    ("machine", "corrected", "differs"),
    [
        ((0.01, 2.0), (0.03, 1.6), SAME),
        ((0.3, 1.2), (0.9, 1.1), SAME),
        ((0.01, 2.0), (0.06, 1.6), SIGNIFICANCE),
        ((0.06, 1.6), (0.01, 2.0), SIGNIFICANCE),
        ((0.01, 2.0), (0.01, 0.5), SIGN),
        ((0.3, 1.2), (0.3, 0.9), SIGN),
        ((0.01, 2.0), (0.3, 0.9), BOTH),
        ((np.nan, 2.0), (np.nan, 0.9), SIGN),
        ((0.01, 2.0), (np.nan, 1.9), UNKNOWN),
        ((0.01, 2.0), (np.nan, np.nan), UNKNOWN),
    ],
)
def test_verdicts(
    machine: tuple[float, float], corrected: tuple[float, float], differs: str
) -> None:
    names = {"condition": "x", "reference": "N2"}
    rows = [{**names, "p": p, "hazard_ratio": ratio} for p, ratio in (machine, corrected)]
    found, words = judged(rows[1], rows[0], 0.05)
    assert found == differs and words
    assert ("the conclusion changes" in words) == (
        differs in (SIGNIFICANCE, BOTH) or (differs == SIGN and machine[0] < 0.05)
    )
    assert "p = nan" not in words
    other = {**rows[0], "reference": "y"}
    assert judged(rows[1], other, 0.05)[0] == UNKNOWN
    assert judged(rows[1], None, 0.05)[0] == UNKNOWN


def test_the_step_takes_the_scorers_of_reviewed_plates(tmp_path: Path) -> None:
    """Where a scorer did not look, the machine's tables stand; one scorer has no row of its own."""
    sheet = pd.DataFrame({"plate": list(CONDITION), "condition": list(CONDITION.values())})
    write_table(tmp_path / "plates.tsv", sheet)
    words: dict[str, list[str]] = {"individuals": [], "machine": [], "summaries": []}
    for name in CONDITION:
        for kind, scale in (("individuals", 13.0), ("machine", 9.0)):
            path = tmp_path / f"{name}.{kind}.tsv"
            write_table(path, plates(scale)[name])
            words[kind].append(str(path))
        path = tmp_path / f"{name}.summary.tsv"
        row = {"plate": name, "time_axis": "day", "first_usable_day": 0.0, "note": ""}
        write_table(path, pd.DataFrame([row]))
        words["summaries"].append(str(path))
    scorers = []
    for name, by in (("p4", ("anna", "ben", "adjudicated")), ("p5", ("anna",)), ("p6", ("anna",))):
        own = [plates(13.0)[name].assign(plate=name, scorer=one) for one in by]
        path = tmp_path / f"{name}.scorers.tsv"
        write_table(path, pd.concat(own))
        scorers.append(str(path))

    def table_of(*given: str) -> pd.DataFrame:
        out = tmp_path / "conclusion.tsv"
        options = [one for key, paths in words.items() for one in (f"--{key}", *paths)]
        words_of_plates = ("--plates", str(tmp_path / "plates.tsv"), "--experiment", "one")
        call(conclusion, [*options, *words_of_plates, "--scorers", *given, "--table", str(out)])
        found = read_table(out, CONCLUSION_COLUMNS)
        return found[found["outcome"] == "lifespan"].set_index("by")

    table = table_of(*scorers)
    assert list(table.index) == ["machine", "corrected", "scorer anna", "scorer ben"]
    assert list(table["plates_scored"]) == [0, 3, 3, 1]
    for name in ("p", "hazard_ratio", "median_d"):
        assert table.loc["scorer anna", name] == table.loc["corrected", name]
    ben = table.loc["scorer ben", "median_d"]
    assert table.loc["machine", "median_d"] < ben < table.loc["corrected", "median_d"]
    assert list(table_of(scorers[1]).index) == ["machine", "corrected"]

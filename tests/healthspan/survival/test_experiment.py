"""Comparison of conditions and the exports."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from snakescope.healthspan.plates.sheet import OF_ADULTHOOD, SINCE_FIRST_FRAME
from snakescope.healthspan.survival import experiment
from snakescope.healthspan.survival.cox import cox_table
from snakescope.healthspan.survival.experiment import (
    SURVIVAL_COLUMNS,
    evidence,
    first_days,
    logrank_tests,
    read_plates,
    survival_table,
)
from snakescope.healthspan.survival.experiment_figure import draw_experiment
from snakescope.healthspan.survival.exports import jmp, oasis2, prism
from snakescope.healthspan.survival.settings import ExperimentSettings
from snakescope.healthspan.tracking.individuals import INDIVIDUALS_COLUMNS
from snakescope.imaging.style import figure_style
from snakescope.step.checksum import sha256_of
from snakescope.step.command import call
from snakescope.step.errors import StepError
from snakescope.step.tables import read_table, write_table


def plate(seed: int, scale: float, number: int = 30, last: float = 99.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    death = np.floor(scale * rng.weibull(5.8, number) * 2) / 2
    censored = death > last
    table = pd.DataFrame(columns=list(INDIVIDUALS_COLUMNS))
    table["individual"] = range(1, number + 1)
    table["death_after_d"] = np.where(censored, last, death)
    table["death_before_d"] = np.where(censored, np.nan, death + 0.5)
    table["healthspan_end_after_d"] = np.maximum(table["death_after_d"] - 1, 0)
    table["healthspan_end_before_d"] = table["healthspan_end_after_d"] + 0.5
    table["death_censored"], table["health_censored"] = censored.astype(int), 0
    table["censor_reason"] = np.where(censored, "alive at last frame", "")
    return table


CONDITION = {"p1": "N2", "p2": "N2", "p3": "daf-16", "p4": "daf-16", "p5": "blank"}


def tables() -> dict[str, pd.DataFrame]:
    long = {"p1": plate(1, 13), "p2": plate(2, 13)}
    return long | {"p3": plate(3, 8.4), "p4": plate(4, 8.4), "p5": plate(5, 9, 0)}


def test_conditions_differ_and_an_empty_one_says_so() -> None:
    survival = survival_table(tables(), CONDITION)
    tests = logrank_tests(survival, ["N2", "daf-16", "blank"])
    pairs = tests[tests["outcome"] == "lifespan"].set_index(["condition_a", "condition_b"])
    assert pairs.loc[("N2", "daf-16"), "statistic"] > 40
    assert "no valid p" in pairs.loc[("N2", "daf-16"), "note"]
    assert not {"p", "p_holm"} & set(tests.columns)
    assert pairs.loc[("N2", "blank"), "note"] == "a condition without worms"
    cox = cox_table(survival, ["N2", "daf-16", "blank"], 0.95)
    row = cox[(cox["outcome"] == "lifespan") & (cox["condition"] == "daf-16")].iloc[0]
    assert row["low"] > 2 and row["hazard_ratio"] < row["high"] and row["plates"] == 2
    assert cox.loc[cox["condition"] == "blank", "note"].eq("no event in this condition").all()


def test_the_p_to_quote_is_said_with_its_plates_or_why_there_is_none() -> None:
    """One plate fewer must not give more certainty: no p from a condition with one plate."""
    survival = survival_table(tables(), CONDITION)
    cox = cox_table(survival, ["N2", "daf-16"], 0.95)
    assert (
        cox["quote"].tolist()
        == ["quote this p: Cox regression, plates as replicates (2 and 2 plates)"] * 2
    )
    assert "between plates, 2 and 2" in evidence(cox)[0] and "p = " in evidence(cox)[0]
    fewer = survival[survival["plate"] != "p4"]
    cox = cox_table(fewer, ["N2", "daf-16"], 0.95)
    assert cox[["p", "p_holm", "low", "high"]].isna().all(axis=None)
    assert cox["quote"].eq("no p to quote (1 and 2 plates)").all()
    assert "no p between plates, 1 and 2 (a condition has one plate only" in evidence(cox)[0]
    figure = draw_experiment(
        survival, ["N2", "daf-16"], dict.fromkeys(["N2", "daf-16"], 0.0), "e", "day",
        ExperimentSettings(), "", evidence(cox),
    )  # fmt: skip
    assert "no p between plates" in figure.get_supxlabel()


def test_a_condition_called_day_keeps_the_days_of_prism() -> None:
    found = prism(small().assign(condition="day"), "lifespan")
    assert list(found.columns) == ["time (d)", "day"]
    assert found["time (d)"].tolist() == [10.25, 10.25, 12.0]


def test_alike_conditions_do_not_differ() -> None:
    alike = {"p1": plate(1, 13), "p2": plate(2, 13), "p3": plate(3, 13), "p4": plate(4, 13)}
    condition = {"p1": "a", "p2": "a", "p3": "b", "p4": "b"}
    tests = logrank_tests(survival_table(alike, condition), ["a", "b"])
    assert (tests["statistic"] < 3.84).all()


def test_a_condition_lost_before_the_first_event_is_not_tested() -> None:
    lost = plate(5, 13).assign(death_after_d=0.5, death_before_d=np.nan, death_censored=1)
    found = {"p1": plate(1, 13), "p3": plate(3, 8.4), "p5": lost}
    tests = logrank_tests(survival_table(found, CONDITION), ["N2", "daf-16", "blank"])
    pairs = tests[tests["outcome"] == "lifespan"].set_index(["condition_a", "condition_b"])
    for pair in (("N2", "blank"), ("daf-16", "blank")):
        assert pairs.loc[pair, "note"] == "no event while worms of both were watched"


def test_one_condition_and_no_worms_are_rows_not_crashes() -> None:
    survival = survival_table({"p1": plate(1, 13)}, CONDITION)
    assert logrank_tests(survival, ["N2"])["note"].eq("one condition only").all()
    assert cox_table(survival, ["N2"], 0.95)["note"].eq("one condition only").all()
    empty = survival_table({"p5": plate(5, 9, 0)}, CONDITION)
    assert len(empty) == 0 and len(cox_table(empty, ["blank", "N2"], 0.95)) == 2
    draw_experiment(empty, ["blank"], {}, "e", "day of adulthood", ExperimentSettings())
    assert oasis2(empty, "lifespan") == "" and len(prism(empty, "lifespan")) == 0
    assert len(jmp(empty)) == 0


def test_separated_conditions_get_a_note_or_an_estimate() -> None:
    apart = {"p1": plate(1, 40), "p2": plate(2, 40), "p3": plate(3, 4), "p4": plate(4, 4)}
    cox = cox_table(survival_table(apart, CONDITION), ["N2", "daf-16"], 0.95)
    assert ((cox["note"] != "") | np.isfinite(cox["hazard_ratio"].astype(float))).all()


def small() -> pd.DataFrame:
    rows = [("lifespan", "N2", "p1", 10.25, 1), ("lifespan", "N2", "p1", 10.25, 1)]
    rows += [("lifespan", "N2", "p1", 12.0, 0), ("healthspan", "daf-16", "p3", 8.25, 1)]
    return pd.DataFrame(rows, columns=["outcome", "condition", "plate", "day", "event"])


def test_exports_in_the_forms_others_read() -> None:
    assert oasis2(small(), "lifespan").splitlines() == ["% N2", "10.25\t2\t0", "12\t0\t1"]
    assert oasis2(small(), "healthspan") == "% daf-16\n8.25\t1\t0\n"
    both = pd.concat([small(), small().assign(condition="age-1", day=[9.0, 0.0, 9.0, 9.0])])
    table = prism(both, "lifespan")
    # A worm a row, and no row at 0, which Prism passes over.
    assert table.to_csv(index=False).splitlines() == [
        "day,N2,age-1",
        "0.001,,1",
        "9.0,,1",
        "9.0,,0",
        "10.25,1,",
        "10.25,1,",
        "12.0,0,",
    ]
    found = jmp(small())
    assert found[["day", "censored", "count"]].values.tolist() == [
        [10.25, 0, 2],
        [12.0, 1, 1],
        [8.25, 0, 1],
    ]


@pytest.mark.parametrize("number", [1, 2, 9])
def test_the_legends_lie_on_no_curve_and_within_the_figure(number: int) -> None:
    names = [f"condition {i} at 50 uM" for i in range(number)]
    tables = {name: plate(i, 4 + 2 * i) for i, name in enumerate(names)}
    survival = survival_table(tables, {name: name for name in names})
    with figure_style():
        figure = draw_experiment(
            survival, names, dict.fromkeys(names, 0.0), "e", "day", ExperimentSettings()
        )
        figure.draw_without_rendering()
    boxes = [axes.get_window_extent() for axes in figure.axes if axes.axison]
    legends = [axes.get_legend() for axes in figure.axes if axes.get_legend()]
    assert len(legends) == 2 and len(boxes) == 4
    for legend in legends:
        box = legend.get_window_extent()
        assert not any(box.overlaps(other) for other in boxes)
        assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1
    lines = figure.axes[0].get_lines()
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == min(number, 9)


def test_every_condition_is_in_the_legend_whatever_it_begins_with() -> None:
    names = ["_N2", "__nolegend__", "empty", "_empty"]
    tables = {"_N2": plate(1, 5), "__nolegend__": plate(2, 6)}
    survival = survival_table(tables, {name: name for name in tables})
    first_d = dict.fromkeys(names, 0.0)
    figure = draw_experiment(survival, names, first_d, "e", "day", ExperimentSettings())
    for legend in filter(None, (axes.get_legend() for axes in figure.axes)):
        told = [text.get_text() for text in legend.get_texts()]
        assert [one.split(" (")[0] for one in told[:2]] == names[:2]
        assert told[2:] == ["empty: no worms", "_empty: no worms"]


def test_plates_of_sheet_and_summaries_must_agree(tmp_path: Path) -> None:
    sheet = pd.DataFrame({"plate": ["007"], "experiment": ["e"], "condition": ["NA"]})
    write_table(tmp_path / "sheet.tsv", sheet)
    write_table(
        tmp_path / "s.tsv",
        pd.DataFrame(
            {"plate": ["007"], "condition": ["NA"], "time_axis": ["d"], "first_usable_day": [3]}
        ),
    )
    write_table(tmp_path / "i.tsv", plate(1, 13))
    given = [str(tmp_path / name) for name in ("sheet.tsv", "i.tsv", "s.tsv")]
    assert list(read_plates(given[0], [given[1]], [given[2]])[2].items()) == [("007", "NA")]
    with pytest.raises(StepError, match="same order"):
        read_plates(given[0], [given[1]] * 2, [given[2]] * 2)


def compare(axes: dict[str, str], monkeypatch: pytest.MonkeyPatch, **columns: list[str]) -> None:
    """Run the step in the working directory on two plates, with further columns of the sheet."""
    own = {"age_at_first_frame_d": ["3.0", ""], "worms": ["15", ""]}
    sheet = pd.DataFrame({"plate": list(axes)}).assign(
        experiment="e", condition=["N2", "daf-16"], **own, **columns
    )
    write_table("sheet.tsv", sheet)
    for name, axis in axes.items():
        summary = pd.DataFrame({"plate": [name], "time_axis": [axis], "first_usable_day": [0]})
        write_table(f"{name}.summary.tsv", summary)
        write_table(f"{name}.tsv", plate(int(name[1]), 13))
        stated = {"plate": name, "code": None, "configuration": {"sha256": "of its run"}}
        Path(f"{name}.json").write_text(json.dumps(stated))
    Path("configuration.yaml").write_text("healthspan: {}\n")
    command = ["experiment", "--plates", "sheet.tsv", "--experiment", "e", "--jmp", "jmp.csv"]
    command += ["--individuals", "p1.tsv", "p3.tsv"]
    command += ["--summaries", "p1.summary.tsv", "p3.summary.tsv", "--figures", "curves.svg"]
    command += ["--provenances", "p1.json", "p3.json", "--provenance", "provenance.json"]
    command += ["--configuration", "configuration.yaml"]
    command += ["--oasis", "a.txt", "b.txt", "--prism", "a.csv", "b.csv"]
    command += [x for name in ("survival", "tests", "cox") for x in (f"--{name}", f"{name}.tsv")]
    monkeypatch.setattr(sys, "argv", command)
    call(experiment)


def test_further_columns_of_the_sheet_stand_behind_those_of_the_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    axes = dict.fromkeys(("p1", "p3"), OF_ADULTHOOD)
    compare(axes, monkeypatch)
    made = json.loads(Path("provenance.json").read_text())
    assert made["snakescope"] and made["configuration"]["sha256"] == sha256_of("configuration.yaml")
    assert made["plates"]["p3"]["condition"] == "daf-16"
    assert made["plates"]["p3"]["configuration"] == {"sha256": "of its run"}
    assert "middles of the intervals" in made["explanation"]
    files = (Path("survival.tsv"), Path("jmp.csv"))
    plain = [path.read_text() for path in files]
    assert plain[0].splitlines()[0].split("\t") == list(SURVIVAL_COLUMNS)
    compare(axes, monkeypatch, batch=["007", "NA"], dose=["1.50", ""])
    for path, before in zip(files, plain, strict=True):
        mark = "," if path.suffix == ".csv" else "\t"
        rows = [line.rsplit(mark, 2) for line in path.read_text().splitlines()]
        assert [row[0] for row in rows] == before.splitlines()
        assert rows[0][1:] == ["batch", "dose"]
        assert {tuple(row[1:]) for row in rows[1:]} == {("007", "1.50"), ("NA", "")}


def test_plates_with_and_without_an_age_are_told_wherever_they_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    compare({"p1": OF_ADULTHOOD, "p3": SINCE_FIRST_FRAME}, monkeypatch)
    told = "days of p3 count from the first frame, those of other plates from adulthood"
    tests, cox = read_table("tests.tsv"), read_table("cox.tsv")
    assert tests["note"].str.endswith(f"; {told}").all()
    assert cox["note"].str.endswith(f"; {told}").all()
    assert told in Path("curves.svg").read_text(encoding="utf-8")


def test_a_condition_photographed_late_falls_at_its_first_picture() -> None:
    """Six of ten worms dead at the first picture, of day 5: no line slopes there from day 0."""
    late = plate(1, 13, 10)
    at = late.index[:6]
    for name in ("healthspan_end", "death"):
        late.loc[at, f"{name}_after_d"], late.loc[at, f"{name}_before_d"] = 0.0, 5.0
    survival = survival_table({"p1": late}, CONDITION)
    figure = draw_experiment(survival, ["N2"], {"N2": 5.0}, "e", "day", ExperimentSettings())
    (line,) = figure.axes[0].get_lines()
    assert line.get_xdata()[:3].tolist() == [0, 5, 5]
    assert line.get_ydata()[:3] == pytest.approx([1, 1, 0.4])
    (told, _) = (axes.get_legend() for axes in figure.axes if axes.get_legend())
    assert "\N{LESS-THAN OR EQUAL TO} 5.0 d" in told.get_texts()[0].get_text()


def test_the_first_picture_of_a_condition_is_that_of_its_earliest_plate() -> None:
    summary = pd.DataFrame({"plate": ["p1", "p2", "p3"], "first_usable_day": ["5", "3.5", "0"]})
    assert first_days(summary, CONDITION) == {"N2": 3.5, "daf-16": 0.0}
    summary["first_usable_day"] = ["", "3.5", ""]
    found = first_days(summary, CONDITION)
    assert found["N2"] == 3.5 and np.isnan(found["daf-16"])

"""The rule, halving and the replay, on a table whose answer is known."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from snakescope.membranes.features.statistics import STATISTICS
from snakescope.membranes.networks.kernels import BRANCHES, PAPER_SETTINGS, name_of
from snakescope.membranes.search.findings import (
    Comparison,
    comparisons,
    contrast_of_kernels,
    curves,
    hit_rates,
    paper_permutation_p,
    seed_noise,
    sentence,
    settings_table,
)
from snakescope.membranes.search.paper import write_paper
from snakescope.membranes.search.plan import cost_of_halving, halving_plan
from snakescope.membranes.search.replay import (
    FullTable,
    at_budget,
    full_table,
    machine_rule,
    oracle,
    random_search,
    replays,
)
from snakescope.membranes.search.replay import halving as replayed_halving
from snakescope.membranes.search.rule import Tried, idle_order, propose, steps_from
from snakescope.membranes.search.select import select
from snakescope.membranes.search.settings import PaperSettings, SearchSettings
from snakescope.membranes.search.trials_table import COLUMNS, complete, key_of

RUNGS = (10, 20, 40)
BASE = PAPER_SETTINGS[0]


def statistics(idle: str = "F3") -> dict[str, dict[str, float]]:
    """Of three branches, one of which works least."""
    return {name: dict.fromkeys(STATISTICS, 0.1 if name == idle else 0.5) for name in BRANCHES}


def rows(effect: float, seeds: int = 8, noise: float = 0.002) -> pd.DataFrame:
    """Trials in which smaller kernels of F3 raise the IoU by ``effect`` for every 2 px."""
    rng = np.random.default_rng(1)
    found = []
    for seed in range(seeds):
        for kernels in PAPER_SETTINGS:
            iou = 0.6 + effect * (16 - kernels[2]) / 2 * (kernels[:2] == BASE[:2])
            for steps in RUNGS:
                row = dict.fromkeys(COLUMNS, np.nan) | {
                    "kernels": name_of(kernels), "seed": seed, "steps": steps, "seconds": 1.0,
                    "tune_iou": iou - 4 / steps + noise * rng.normal(),
                }  # fmt: skip
                if steps == RUNGS[-1]:
                    row |= {m: iou + noise * rng.normal() for m in
                            ("test_iou", "test_v_rand", "test_v_info")}  # fmt: skip
                    row |= {
                        f"{name}_{one}": value + (kernels[2] != 16) * (name == "F3")
                        for name, values in statistics().items()
                        for one, value in values.items()
                    }
                found.append(row)
    return pd.DataFrame(found)


@pytest.fixture(scope="module")
def table() -> FullTable:
    return full_table(rows(0.02), PAPER_SETTINGS, RUNGS)


def test_the_idle_branch_is_shrunk_first_and_then_enlarged() -> None:
    order = [(4, 8, 14), (4, 8, 12), (4, 8, 10), (4, 8, 18), (4, 8, 20)]
    assert steps_from(BASE, "F3", PAPER_SETTINGS) == order
    history = [Tried(BASE, 0.6)]
    assert propose(statistics(), history, PAPER_SETTINGS) == (4, 8, 14)
    assert propose(statistics("F1"), history, PAPER_SETTINGS) == (2, 8, 16)
    assert propose(statistics("F2"), history, PAPER_SETTINGS) == (4, 6, 16)
    better = [*history, Tried((4, 8, 14), 0.65)]
    assert propose(statistics(), better, PAPER_SETTINGS) == (4, 8, 12)


def test_the_rule_ends_when_a_branch_was_tried_without_an_improvement() -> None:
    history = [Tried(BASE, 0.6)]
    while (proposed := propose(statistics(), history, PAPER_SETTINGS)) is not None:
        history.append(Tried(proposed, 0.5))
    assert [one.kernels for one in history[1:]] == steps_from(BASE, "F3", PAPER_SETTINGS)
    assert propose(statistics(), [Tried(BASE, 0.6)], [BASE]) is None


def test_branches_of_equal_statistics_have_one_order() -> None:
    assert idle_order({name: {"auc": 1.0} for name in BRANCHES}, "auc") == list(BRANCHES)


def test_halving_by_hand() -> None:
    assert halving_plan(16, RUNGS) == [16, 8, 4]
    assert cost_of_halving(16, RUNGS, seeds=2) == 2 * (16 * 10 + 8 * 10 + 4 * 20)
    assert halving_plan(3, RUNGS, 0.3) == [3, 1, 1]


def test_strategies_find_what_there_is(table: FullTable) -> None:
    best = PAPER_SETTINGS.index((4, 8, 10))
    rng = np.random.default_rng(1)
    assert oracle(table, 0, rng).chosen == [best]
    assert replayed_halving(table, 0, rng).chosen[-1] == best
    assert replayed_halving(table, 0, rng).spent == [160, 240, 320]
    course = machine_rule(table, 0, rng)
    assert course.chosen[3] == best and course.spent[3] == 160
    drawn = random_search(table, 0, rng)
    assert drawn.chosen[-1] == best and len(drawn.spent) == 16
    assert at_budget(drawn, 39) is None and at_budget(drawn, 40) == drawn.chosen[0]


def test_a_strategy_is_reported_by_other_seeds_than_it_chose_with() -> None:
    given = rows(0.0, noise=0.0)
    lucky = (given["seed"] == 0) & (given["kernels"] == "k2-8-20")
    given.loc[lucky, ["tune_iou", "test_iou"]] += 0.3
    table = full_table(given, PAPER_SETTINGS, RUNGS)
    assert replays(table, "grid", "test_iou", 1, 1)[0, -1] == pytest.approx(0.6)


def test_the_rule_beats_random_search_where_it_is_right(table: FullTable) -> None:
    found = {one.one: one for one in comparisons(table, 4 * RUNGS[-1], 200, 1)}
    assert found["rule"].value > 0.01 and found["rule"].p < 0.05
    assert "is better than random search of equal budget (160 steps)" in sentence(found["rule"], 8)
    shown = curves(table, 100, 1)
    assert set(shown["strategy"]) == {"random", "halving", "rule", "grid", "oracle"}
    assert (shown["low"] <= shown["value"]).all() and (shown["value"] <= shown["high"]).all()


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            Comparison("rule", "random", 160, 0.0, -0.002, 0.002, 0.9, 0.9),
            "neither better nor worse",
        ),
        (Comparison("rule", "random", 160, 0.0, -0.05, 0.05, 0.9, 0.9), "cannot be told"),
        (Comparison("halving", "random", 160, -0.1, -0.2, -0.05, 0.01, 0.01), "is worse than"),
    ],
)
def test_a_sentence_for_each_case(found: Comparison, said: str) -> None:
    assert said in sentence(found, 10)
    assert "cannot be told" in sentence(found, 5)


def test_statistics_are_scored_by_hits(table: FullTable) -> None:
    found = hit_rates(table).set_index("statistic")
    assert (
        found.loc["loss_without", "hit_rate"] == 1 and found.loc["loss_without", "regret_iou"] == 0
    )
    assert found.loc["loss_without", "p"] < 0.01
    # A high share of zeros is idle, and F3 has the lowest.
    assert found.loc["zeros", "hit_rate"] == 0
    assert found.loc["chance", "regret_iou"] > 0


def test_contrast_is_compared_for_single_changes_only(table: FullTable) -> None:
    found = contrast_of_kernels(table)
    assert len(found) == 9 and set(found["branch"]) == set(BRANCHES)
    assert (found.loc[found["branch"] == "F3", "value"] == 1).all()


def test_settings_and_seed_noise(table: FullTable) -> None:
    found = settings_table(table).set_index("kernels")
    assert found.loc["k4-8-10", "difference"] == pytest.approx(0.06, abs=0.005)
    assert found.loc["k4-8-10", "paper_iou"] == 0.7041
    noise = seed_noise(table)
    assert noise["seeds"] == pytest.approx(0.002, rel=0.4) and noise["settings"] > 0.01


def test_the_table_of_the_paper_is_no_evidence() -> None:
    assert paper_permutation_p() == pytest.approx(0.22, abs=0.03)


def test_only_complete_seeds_are_compared() -> None:
    given = rows(0.02).query("not (seed == 2 and kernels == 'k2-4-10')")
    assert complete(given, list(map(name_of, PAPER_SETTINGS)), 40) == [0, 1, 3, 4, 5, 6, 7]
    assert full_table(given, PAPER_SETTINGS, RUNGS).seeds == (0, 1, 3, 4, 5, 6, 7)
    with pytest.raises(ValueError, match="no seed with a training of every setting"):
        full_table(given[given["seed"] == 2], PAPER_SETTINGS, RUNGS)


def test_the_page_is_written(tmp_path: Path) -> None:
    search = SearchSettings(rungs=RUNGS)
    write_paper(
        rows(0.02, seeds=3), search, PaperSettings(resamples=100), tmp_path / "search.tsv",
        tmp_path / "page.md", tmp_path / "search.png", "Drawn data.",
    )  # fmt: skip
    page = (tmp_path / "page.md").read_text()
    assert "Drawn data. 16 settings with 3 paired seeds of 40 steps" in page
    assert "{" not in page and "nan" not in page and "](search.png)" in page
    assert (tmp_path / "search.png").stat().st_size > 10_000


def test_selection_by_means_over_seeds() -> None:
    given = [
        {"kernels": [4, 8, 16], "tune_iou": 0.5}, {"kernels": [4, 8, 16], "tune_iou": 0.7},
        {"kernels": [2, 8, 16], "tune_iou": 0.65}, {"kernels": [2, 8, 16], "tune_iou": 0.65},
        {"kernels": [6, 8, 16], "tune_iou": 0.6}, {"kernels": [6, 8, 16], "tune_iou": 0.6},
    ]  # fmt: skip
    found = select(given, 2)
    assert found["kernels"].tolist() == ["k2-8-16", "k4-8-16", "k6-8-16"]
    assert found["kept"].tolist() == ["yes", "yes", "no"]


def test_keys_tell_settings_apart() -> None:
    assert key_of({"a": 1}) == key_of({"a": 1}) != key_of({"a": 2})

"""Strategies of the search, replayed on a full table of trainings.

Every strategy sees what it would have trained, and nothing else: scores on tuning sections, and
statistics of branches. What it chooses is reported on test sections, by trainings of other seeds
than those it chose with. One table thus compares all strategies without a training more, as
NAS-Bench and HPO-Bench do.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.membranes.networks.kernels import Kernels, kernels_of, name_of
from snakescope.membranes.search.plan import halving_plan
from snakescope.membranes.search.rule import Tried, propose
from snakescope.membranes.search.trials_table import complete, statistics_of_row

Statistics = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class FullTable:
    """All trainings: settings by seeds by rungs.

    Attributes:
        kernels: the settings, the first is where searches begin.
        seeds: paired over settings.
        rungs: steps, ascending.
        tune: IoU on tuning sections, shape (settings, seeds, rungs).
        test: by metric, on test sections after the last rung, shape (settings, seeds).
        statistics: of branches after the last rung, by setting and seed.
        seconds: of a processor, shape (settings, seeds), of whole trainings.
    """

    kernels: tuple[Kernels, ...]
    seeds: tuple[int, ...]
    rungs: tuple[int, ...]
    tune: NDArray[np.float64]
    test: Mapping[str, NDArray[np.float64]]
    statistics: Mapping[tuple[int, int], Statistics]
    seconds: NDArray[np.float64]


METRICS = ("test_iou", "test_v_rand", "test_v_info")


def full_table(rows: pd.DataFrame, kernels: Sequence[Kernels], rungs: Sequence[int]) -> FullTable:
    """Arrange rows of trials; seeds that lack a setting are left out.

    Args:
        rows: of one key, see :mod:`snakescope.membranes.search.trials_table`.

    Raises:
        ValueError: no seed has all settings.
    """
    found: dict[tuple[Kernels, int, int], dict[str, Any]] = {}
    for record in rows.to_dict("records"):
        one = {str(name): value for name, value in record.items()}
        found[kernels_of(one["kernels"]), int(one["seed"]), int(one["steps"])] = one
    seeds = complete(rows, [name_of(one) for one in kernels], rungs[-1])
    if not seeds:
        raise ValueError("no seed with a training of every setting")
    shape = (len(kernels), len(seeds))
    tune = np.zeros((*shape, len(rungs)))
    test = {metric: np.zeros(shape) for metric in METRICS}
    seconds = np.zeros(shape)
    statistics = {}
    for row, setting in enumerate(kernels):
        for column, seed in enumerate(seeds):
            own = [found[setting, seed, steps] for steps in rungs]
            tune[row, column] = [one["tune_iou"] for one in own]
            seconds[row, column] = sum(one["seconds"] for one in own)
            for metric in METRICS:
                test[metric][row, column] = own[-1][metric]
            statistics[row, column] = statistics_of_row(own[-1])
    return FullTable(tuple(kernels), tuple(seeds), tuple(rungs), tune, test, statistics, seconds)


class Course(NamedTuple):
    """What a strategy would report, had it to end after so many steps.

    Attributes:
        spent: steps of trainings so far, ascending.
        chosen: index of the setting that it would choose then.
    """

    spent: list[int]
    chosen: list[int]


Strategy = Callable[[FullTable, int, np.random.Generator], Course]
"""Of the table, the column of the seed that it trains with, and chance."""


def random_search(table: FullTable, column: int, rng: np.random.Generator) -> Course:
    """Settings in random order, each trained to the end; the best on tuning sections."""
    return _one_by_one(table, column, rng.permutation(len(table.kernels)).tolist())


def grid(table: FullTable, column: int, rng: np.random.Generator) -> Course:
    """All settings, in the order of the table."""
    return _one_by_one(table, column, range(len(table.kernels)))


def _one_by_one(table: FullTable, column: int, order: Sequence[int]) -> Course:
    spent, chosen = [], []
    best = -1
    for count, setting in enumerate(order, start=1):
        if best < 0 or table.tune[setting, column, -1] > table.tune[best, column, -1]:
            best = setting
        spent.append(count * table.rungs[-1])
        chosen.append(best)
    return Course(spent, chosen)


def halving(table: FullTable, column: int, rng: np.random.Generator) -> Course:
    """All settings for a while, the better half for longer (Jamieson and Talwalkar 2016)."""
    alive = list(range(len(table.kernels)))
    spent, chosen, total = [], [], 0
    plan = halving_plan(len(alive), table.rungs)
    new = np.diff([0, *table.rungs]).tolist()
    for place, (count, steps) in enumerate(zip(plan, new, strict=True)):
        alive = alive[:count]
        total += len(alive) * steps
        scores = table.tune[:, column, place]
        alive = sorted(alive, key=lambda setting: -scores[setting])
        spent.append(total)
        chosen.append(alive[0])
    return Course(spent, chosen)


def machine_rule(table: FullTable, column: int, rng: np.random.Generator) -> Course:
    """From the first setting on, by the statistics of the best one so far."""
    index = {kernels: place for place, kernels in enumerate(table.kernels)}
    history = [Tried(table.kernels[0], float(table.tune[0, column, -1]))]
    spent, chosen = [table.rungs[-1]], [0]
    while True:
        best = index[max(history, key=lambda one: one.score).kernels]
        proposed = propose(table.statistics[best, column], history, table.kernels)
        if proposed is None:
            return Course(spent, chosen)
        place = index[proposed]
        history.append(Tried(proposed, float(table.tune[place, column, -1])))
        spent.append(spent[-1] + table.rungs[-1])
        chosen.append(index[max(history, key=lambda one: one.score).kernels])


def oracle(table: FullTable, column: int, rng: np.random.Generator) -> Course:
    """The best setting on test sections of the seeds that report: what no search can know."""
    others = [n for n in range(len(table.seeds)) if n != column]
    means = table.test["test_iou"][:, others].mean(axis=1)
    return Course([table.rungs[-1]], [int(means.argmax())])


STRATEGIES: Mapping[str, Strategy] = {
    "random": random_search,
    "halving": halving,
    "rule": machine_rule,
    "grid": grid,
    "oracle": oracle,
}


def budgets_of(table: FullTable) -> list[int]:
    """Budgets (steps) at which strategies are compared: whole trainings."""
    return [n * table.rungs[-1] for n in range(1, len(table.kernels) + 1)]


def at_budget(course: Course, budget: int) -> int | None:
    """What a strategy has chosen within a budget; None before its first training has ended."""
    within = [n for n, steps in enumerate(course.spent) if steps <= budget]
    return course.chosen[within[-1]] if within else None


def reported(table: FullTable, metric: str, setting: int, column: int) -> float:
    """The mean test score of a setting over the seeds that nothing was chosen with."""
    others = [n for n in range(len(table.seeds)) if n != column]
    return float(table.test[metric][setting, others].mean())


def replays(
    table: FullTable, strategy: str, metric: str, count: int, seed: int
) -> NDArray[np.float64]:
    """Reported test scores of a strategy, shape (seeds, budgets), means over its chance.

    Args:
        count: replays a seed of strategies that draw; others are replayed once.

    Returns:
        NaN at budgets within which nothing was trained to an end.
    """
    budgets = budgets_of(table)
    found = np.full((len(table.seeds), len(budgets)), np.nan)
    for column in range(len(table.seeds)):
        times = count if strategy == "random" else 1
        courses = (
            STRATEGIES[strategy](table, column, np.random.default_rng([seed, column, n]))
            for n in range(times)
        )
        values = np.array([list(_values(table, metric, one, column, budgets)) for one in courses])
        found[column] = values.mean(axis=0)
    return found


def _values(
    table: FullTable, metric: str, course: Course, column: int, budgets: Sequence[int]
) -> Iterator[float]:
    for budget in budgets:
        setting = at_budget(course, budget)
        yield np.nan if setting is None else reported(table, metric, setting, column)

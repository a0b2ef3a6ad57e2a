"""What the full table says: seed noise, kernels, strategies, statistics; each with its interval.

The unit is the seed, paired over settings. Tests flip the signs of paired differences, and p values
are corrected (Holm) over the comparisons that were fixed beforehand.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from snakescope.learning.intervals import (
    bootstrap_interval,
    holm,
    paired_difference,
    sign_flip_test,
    wilson_interval,
)
from snakescope.membranes.features.statistics import LOW_IS_IDLE, STATISTICS
from snakescope.membranes.networks.kernels import (
    BRANCHES,
    PAPER_IOU,
    PAPER_PROPOSED,
    PAPER_SETTINGS,
    name_of,
)
from snakescope.membranes.search.replay import METRICS, STRATEGIES, FullTable, budgets_of, replays
from snakescope.membranes.search.rule import idle_order

CONFIDENCE = 0.95
MARGIN = 0.01
"""Of IoU: a difference below this is none that matters."""
MIN_SEEDS = 6
"""Signs of fewer paired differences cannot give a two-sided p below .05."""
COMPARED = (("rule", "random"), ("halving", "random"))


class Comparison(NamedTuple):
    """A strategy against another at a budget, on test sections."""

    one: str
    other: str
    budget: int
    value: float
    low: float
    high: float
    p: float
    p_holm: float


def seed_noise(table: FullTable, metric: str = "test_iou") -> dict[str, float]:
    """Standard deviations: over seeds within a setting, and of the means of settings."""
    values = table.test[metric]
    within = float(np.sqrt(values.var(axis=1, ddof=1).mean()))
    return {"seeds": within, "settings": float(values.mean(axis=1).std(ddof=1))}


def settings_table(table: FullTable) -> pd.DataFrame:
    """A row a setting: means over seeds, intervals, difference to the first, IoU of the paper."""
    paper = dict(zip(PAPER_SETTINGS, PAPER_IOU, strict=True))
    seeds = np.arange(len(table.seeds))
    rows = []
    for row, kernels in enumerate(table.kernels):
        values = {metric: table.test[metric][row] for metric in METRICS}
        iou = bootstrap_interval(lambda n, v=values["test_iou"]: float(v[n].mean()), seeds, 1)  # type: ignore[misc]
        against = paired_difference(values["test_iou"], table.test["test_iou"][0], seeds, 1)
        rows.append(
            {
                "kernels": name_of(kernels), "iou": iou.value, "low": iou.low, "high": iou.high,
                "difference": against.value, "difference_low": against.low,
                "difference_high": against.high, "p": against.p if row else np.nan,
                "v_rand": values["test_v_rand"].mean(), "v_info": values["test_v_info"].mean(),
                "paper_iou": paper.get(kernels, np.nan), "seeds": len(seeds),
            }
        )  # fmt: skip
    found = pd.DataFrame(rows)
    found["p_holm"] = holm(found["p"].to_numpy(np.float64))
    return found


def curves(table: FullTable, resamples: int, seed: int) -> pd.DataFrame:
    """Expected test scores of every strategy against the budget (steps), intervals over seeds."""
    rows = []
    columns = np.arange(len(table.seeds))
    for strategy in STRATEGIES:
        for metric in METRICS:
            found = replays(table, strategy, metric, resamples // 20, seed)
            for place, budget in enumerate(budgets_of(table)):
                values = found[:, place]
                if np.isnan(values).any():
                    continue
                one = bootstrap_interval(lambda n, v=values: float(v[n].mean()), columns, seed)  # type: ignore[misc]
                rows.append(
                    {
                        "strategy": strategy, "budget_steps": budget,
                        "metric": metric.removeprefix("test_"), **one._asdict(),
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)


def comparisons(table: FullTable, budget: int, resamples: int, seed: int) -> list[Comparison]:
    """Strategies against random search at a budget, by IoU on test sections."""
    place = budgets_of(table).index(budget)
    found = []
    columns = np.arange(len(table.seeds))
    for one, other in COMPARED:
        values, others = (
            replays(table, name, "test_iou", resamples // 20, seed)[:, place]
            for name in (one, other)
        )
        known = np.isfinite(values) & np.isfinite(others)
        if known.all():
            against = paired_difference(values, others, columns, seed)
            found.append((one, other, budget, *against))
    corrected = holm(np.array([one[-1] for one in found]))
    return [
        Comparison(*one, p_holm=float(p))  # type: ignore[arg-type]
        for one, p in zip(found, corrected, strict=True)
    ]


def sentence(found: Comparison, seeds: int, margin: float = MARGIN) -> str:
    """What a comparison says: one of three cases.

    With fewer than ``MIN_SEEDS`` paired seeds it cannot be told, whatever the figures.
    """
    names = {"rule": "The rule from feature maps", "halving": "Successive halving"}
    who, other = names.get(found.one, found.one), f"{found.other} search"
    figures = f"{found.value:+.4f}, {found.low:+.4f} to {found.high:+.4f}, p {found.p_holm:.2g}"
    where = f"of equal budget ({found.budget} steps)"
    told = seeds >= MIN_SEEDS
    if told and found.p_holm < 1 - CONFIDENCE:
        how = "better" if found.value > 0 else "worse"
        return f"{who} is {how} than {other} {where}: IoU {figures}."
    if told and max(abs(found.low), abs(found.high)) < margin:
        return (
            f"{who} is neither better nor worse than {other} {where} by {margin:g}: IoU {figures}."
        )
    return f"Whether {who[0].lower()}{who[1:]} beats {other} {where} cannot be told: IoU {figures}."


def hit_rates(table: FullTable) -> pd.DataFrame:
    """How often the branch that a statistic calls idle is the one whose change helps most.

    By the first setting of each seed. The truth is the branch of the single change that raises the
    IoU on tuning sections most; chance hits 1 in 3.
    """
    base = table.kernels[0]
    single = {
        place: [n for n, one in enumerate(table.kernels) if _differs_in(one, base) == {place}]
        for place in range(3)
    }
    gains = (
        np.array([table.tune[single[place], :, -1].max(axis=0) for place in range(3)])
        - table.tune[0, :, -1]
    )
    truth = gains.argmax(axis=0)
    rows: list[dict[str, Any]] = []
    for name in STATISTICS:
        idle = [
            BRANCHES.index(idle_order(table.statistics[0, n], name, LOW_IS_IDLE[name])[0])
            for n in range(len(table.seeds))
        ]
        hits = int((np.array(idle) == truth).sum())
        regret = float(np.mean([gains[:, n].max() - gains[idle[n], n] for n in range(len(idle))]))
        low, high = wilson_interval(hits, len(idle))
        p = float(stats.binomtest(hits, len(idle), 1 / 3, alternative="greater").pvalue)
        rows.append(
            {"statistic": name, "hit_rate": hits / len(idle), "low": low, "high": high,
             "p": p, "regret_iou": regret, "seeds": len(idle)}
        )  # fmt: skip
    chance = float((gains.max(axis=0) - gains.mean(axis=0)).mean())
    rows.append(
        {"statistic": "chance", "hit_rate": 1 / 3, "low": np.nan, "high": np.nan, "p": np.nan,
         "regret_iou": chance, "seeds": len(table.seeds)}
    )  # fmt: skip
    return pd.DataFrame(rows)


def _differs_in(one: tuple[int, ...], other: tuple[int, ...]) -> set[int]:
    return {n for n in range(3) if one[n] != other[n]}


def contrast_of_kernels(table: FullTable) -> pd.DataFrame:
    """The paper's finding on its data set A: a smaller kernel, a map of higher contrast.

    A row a single change of the first setting: contrast of the changed branch's map against the
    first setting's, paired by seed, and the share of its variance at the stride's period.
    """
    base = table.kernels[0]
    columns = np.arange(len(table.seeds))
    rows = []
    for row, kernels in enumerate(table.kernels):
        changed = _differs_in(kernels, base)
        if len(changed) != 1:
            continue
        (place,) = changed
        name = BRANCHES[place]

        def of(setting: int, statistic: str, name: str = name) -> NDArray[np.float64]:
            return np.array(
                [table.statistics[setting, n][name][statistic] for n in range(len(columns))]
            )

        against = paired_difference(of(row, "contrast"), of(0, "contrast"), columns, 1)
        rows.append(
            {
                "branch": name, "kernel": kernels[place], "from": base[place],
                **against._asdict(), "period_share": of(row, "period_share").mean(),
                "period_share_from": of(0, "period_share").mean(), "seeds": len(columns),
            }
        )  # fmt: skip
    found = pd.DataFrame(rows)
    found["p_holm"] = holm(found["p"].to_numpy(np.float64))
    return found


def paper_permutation_p() -> float:
    """One-sided p that settings proposed in the paper beat its random ones, by their own table."""
    iou = np.array(PAPER_IOU[1:])
    proposed = [PAPER_SETTINGS[1:].index(one) for one in PAPER_PROPOSED]

    def difference(order: NDArray[np.intp]) -> float:
        chosen = iou[order[: len(proposed)]].mean()
        return float(chosen - iou[order[len(proposed) :]].mean())

    rest = [n for n in range(len(iou)) if n not in proposed]
    observed = difference(np.array(proposed + rest))
    rng = np.random.default_rng(1)
    drawn = [difference(rng.permutation(len(iou))) for _ in range(20_000)]
    return float(np.mean(np.array(drawn) >= observed - 1e-12))


def summary(table: FullTable) -> Mapping[str, float]:
    """Figures of the page: seed noise, seconds, and the test of any effect of kernels."""
    noise = seed_noise(table)
    best = settings_table(table)
    others = best.iloc[1:]
    return {
        "seeds": len(table.seeds),
        "sd_seeds": noise["seeds"],
        "sd_settings": noise["settings"],
        "seconds": float(table.seconds.sum()),
        "friedman_p": float(stats.friedmanchisquare(*table.test["test_iou"]).pvalue)
        if len(table.seeds) > 1
        else float("nan"),
        "settings_above_first": int((others["p_holm"] < 1 - CONFIDENCE).sum()),
        "paper_p": paper_permutation_p(),
        "flip_p_of_best": float(
            sign_flip_test(
                table.test["test_iou"][int(best["iou"].argmax())] - table.test["test_iou"][0]
            )
        ),
    }

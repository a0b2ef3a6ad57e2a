"""Figures of the results: ROC, decision curves, calibration, confusion, what may be trusted."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snakescope.fibrosis.classes import class_names
from snakescope.fibrosis.results.measures import (
    THRESHOLDS,
    by_quality,
    confusions,
    net_benefit,
)
from snakescope.imaging.style import FAINT_INK, INK, SERIES_COLOURS, figure_style
from snakescope.learning import scores as of
from snakescope.learning.cross_validation.folds import PROBABILITY
from snakescope.learning.figures import LINES, draw_confusion

LABELS = {"ge_f2": "F2 and more", "ge_f4": "F4"}


def results_figure(
    scans: Mapping[str, pd.DataFrame], patients: Mapping[str, pd.DataFrame], classes: int
) -> Figure:
    """All panels: of all models ROC and net benefit by patient, of the first model the rest."""
    main = next(iter(scans))
    table = scans[main]
    names = class_names(classes)
    values = table[[f"{PROBABILITY}{name}" for name in names]].to_numpy(float)
    truth = np.array([[stage in one for one in _stages(classes)].index(True)
                      for stage in (f"F{s}" for s in table["stage"])])  # fmt: skip
    right = values.argmax(axis=1) == truth
    matrices = confusions(table, classes)
    with figure_style():
        figure = Figure(figsize=(13, 10), layout="constrained")
        axes = figure.subplots(3, 4)
        for column, (name, least) in enumerate(THRESHOLDS.items()):
            _roc(axes[0, column], patients, name, least)
            _benefit(axes[0, column + 2], patients, name, least)
        for ax, (title, (counts, labels)) in zip(axes[1], matrices.items(), strict=False):
            draw_confusion(ax, counts, labels, fontsize=7)
            ax.set(title=f"{main}, {title}", xlabel="predicted (scans)", ylabel="biopsy")
        for ax in axes[1, len(matrices) : 3]:
            ax.axis("off")
        _reliability(axes[1, 3], values, truth, main)
        _risk(axes[2, 0], right, values.max(axis=1), main)
        _quality(axes[2, 1], by_quality(table, right), main)
        _by_stage(axes[2, 2], table, main)
        _dice(axes[2, 3], scans)
        return figure


def _stages(classes: int) -> list[tuple[str, ...]]:
    from snakescope.fibrosis.classes import CLASSES

    return list(CLASSES[classes])


def _roc(ax: Axes, patients: Mapping[str, pd.DataFrame], name: str, least: int) -> None:
    ax.plot([0, 1], [0, 1], color=FAINT_INK, linewidth=0.8, linestyle=(0, (1, 3)))
    for at, (model, table) in enumerate(patients.items()):
        positive = table["stage"].to_numpy(int) >= least
        if positive.all() or not positive.any():
            continue
        score = table[f"p_{name}"].to_numpy(float)
        curve, area = of.roc(positive, score), of.auc(positive, score)
        label = f"{model} {area.value:.2f} ({area.low:.2f} to {area.high:.2f})"
        ax.plot(
            curve.false_positive, curve.true_positive, color=SERIES_COLOURS[at % 7],
            linestyle=LINES[at % 4], label=label,
        )  # fmt: skip
    ax.legend(loc="lower right", fontsize=6.5, title="AUC (95 %, DeLong)", title_fontsize=7)
    ax.set(
        title=f"Patients: {LABELS[name]}", xlabel="1 - specificity", ylabel="sensitivity",
        xlim=(-0.02, 1.02), ylim=(-0.02, 1.02),
    )  # fmt: skip


def _benefit(ax: Axes, patients: Mapping[str, pd.DataFrame], name: str, least: int) -> None:
    for at, (model, table) in enumerate(patients.items()):
        positive = table["stage"].to_numpy(int) >= least
        found = net_benefit(positive, table[f"p_{name}"].to_numpy(float))
        if at == 0:
            ax.plot(found["threshold"], found["all"], color=INK, linewidth=1, label="call all")
            ax.axhline(0, color=INK, linewidth=1, linestyle=":", label="call none")
            top = positive.mean()
        ax.plot(
            found["threshold"], found["model"], color=SERIES_COLOURS[at % 7],
            linestyle=LINES[at % 4], label=model,
        )  # fmt: skip
    ax.legend(fontsize=6.5, loc="best")
    ax.set(
        title=f"Decision curve: {LABELS[name]}", xlabel="threshold (probability)",
        ylabel="net benefit (share of patients)", ylim=(-0.1, top + 0.05),
    )  # fmt: skip


def _reliability(ax: Axes, values: np.ndarray, truth: np.ndarray, model: str) -> None:
    table, error = of.reliability(values, truth, 5), of.calibration_error(values, truth)
    ax.plot([0, 1], [0, 1], color=FAINT_INK, linewidth=0.8, linestyle=(0, (1, 3)))
    ends = [table["accuracy"] - table["low"], table["high"] - table["accuracy"]]
    ax.errorbar(table["confidence"], table["accuracy"], yerr=ends, marker="o", markersize=4,
                color=SERIES_COLOURS[0], elinewidth=1)  # fmt: skip
    ax.set(title=f"{model}: calibration, ECE {error:.2f}", xlabel="confidence (probability)",
           ylabel="accuracy (share of scans)", xlim=(0, 1.02), ylim=(0, 1.02))  # fmt: skip


def _risk(ax: Axes, right: np.ndarray, confidence: np.ndarray, model: str) -> None:
    coverage, risk = of.risk_coverage(~right, -confidence)
    ax.plot(coverage, risk, color=SERIES_COLOURS[0])
    ax.axhline(1 - right.mean(), color=FAINT_INK, linewidth=0.8, linestyle=(0, (1, 3)))
    ax.set(title=f"{model}: errors among the surest", xlabel="share of scans that is answered",
           ylabel="errors (share of these)", xlim=(0, 1.02), ylim=(0, None))  # fmt: skip


def _quality(ax: Axes, found: pd.DataFrame, model: str) -> None:
    ax.set(title=f"{model}: accuracy by liver mask", ylabel="accuracy (share of scans)",
           xlabel="third of the scans, mean Dice", ylim=(0, 1.02))  # fmt: skip
    if found.empty:
        ax.text(0.5, 0.5, "no outlines", transform=ax.transAxes, ha="center")
        return
    ends = [found["accuracy"] - found["low"], found["high"] - found["accuracy"]]
    ax.errorbar(range(len(found)), found["accuracy"], yerr=ends, fmt="o", color=SERIES_COLOURS[0])
    labels = [f"{row.third}\n{row.dice:.2f}" for row in found.itertuples()]
    ax.set_xticks(range(len(found)), labels)


def _by_stage(ax: Axes, table: pd.DataFrame, model: str) -> None:
    rng = np.random.default_rng(0)
    for at, name in enumerate(THRESHOLDS):
        x = table["stage"].to_numpy(int) + (at - 0.5) * 0.36 + rng.uniform(-0.1, 0.1, len(table))
        ax.plot(x, table[f"p_{name}"], "os"[at], markersize=3, alpha=0.6,
                color=SERIES_COLOURS[at], label=LABELS[name])  # fmt: skip
    # Above the points, which reach 1.
    ax.legend(fontsize=7, title="probability of", title_fontsize=7, loc="upper center", ncols=2)
    ax.set_xticks(range(5), [f"F{stage}" for stage in range(5)])
    ax.set(
        title=f"{model}: probabilities", xlabel="stage by biopsy", ylabel="probability",
        ylim=(-0.04, 1.3), yticks=np.linspace(0, 1, 6),
    )  # fmt: skip


def _dice(ax: Axes, scans: Mapping[str, pd.DataFrame]) -> None:
    there = {
        model: table["dice"].dropna().to_numpy(float)
        for model, table in scans.items()
        if "dice" in table and table["dice"].notna().any()
    }
    ax.set(title="Dice of the liver", ylabel="Dice", ylim=(0, 1.02))
    if not there:
        ax.text(0.5, 0.5, "no outlines", transform=ax.transAxes, ha="center")
        return
    ax.boxplot(list(there.values()), widths=0.5, flierprops={"markersize": 3})
    ax.set_xticks(range(1, len(there) + 1), list(there))

"""All figures of the sperm tree in one table and one page.

    python -m benchmarks.sperm.evaluation

reads what benchmarks.sperm.folds, drift_alone, explanations, speed, dishes, ceilings, visem and
fields kept, trains nothing, and writes docs/tables/sperm-evaluation.tsv and
docs/benchmarks/sperm-evaluation.md. Networks whose folds are not complete are told, and have no
rows.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from benchmarks import ROOT
from benchmarks.kept import read_kept
from benchmarks.sperm import COLUMNS
from benchmarks.sperm.corrections import corrected_by_folds
from benchmarks.sperm.explanations import EXPLAINED, explanation_rows
from benchmarks.sperm.folds import (
    DRIFT_ALONE,
    SHARES,
    By,
    Part,
    Protocol,
    add_options,
    parts_of,
    protocol_of,
)
from benchmarks.sperm.page import page
from snakescope.learning.intervals import bootstrap_interval, paired_difference
from snakescope.report.pages import write_text
from snakescope.sperm.networks.build import build, parameters
from snakescope.sperm.networks.catalogue import ABOUT
from snakescope.sperm.scores import metrics as of
from snakescope.sperm.scores.scores import Predicted, explained, mean_predictor, scores_of
from snakescope.sperm.scores.settings import GradeScoreSettings
from snakescope.sperm.simulation.raters import GRADES
from snakescope.step.command import run_step
from snakescope.step.tables import read_table, write_table

TABLES = ROOT / "docs/tables"
PAGE = ROOT / "docs/benchmarks/sperm-evaluation.md"
METRICS = ("mse_e2", "js_e2", "emd", "explained", "balanced_accuracy", "correlation", "coverage_90",
           "mse_at_70_coverage")  # fmt: skip
SEEDS = (1, 2, 3)
OURS, RIVALS = "ours", ("timesformer", "rostfine")
BLIND = "ours, drift alone"
Row = tuple[str, str, str, float, float, float, int]
Grouped = NDArray[np.float64]


def predicted(
    protocol: Protocol, kept: Path, network: str, seed: int, part: Part = "test"
) -> Predicted | None:
    """What the folds of a network say of all clips; None where a fold is not there."""
    shares = np.full((len(protocol.items), len(GRADES)), np.nan)
    for fold in range(int(protocol.folds.max()) + 1):
        path = protocol.path(kept, network, fold, seed, part)
        table = read_kept(path, protocol.key(network, fold, seed), SHARES)
        if table is None:
            return None
        shares[protocol.rows(fold, part)] = table[list(GRADES)].to_numpy(np.float64)
    counts = np.array([row.split() for row in protocol.items["truth"]], np.float64)
    votes = counts.sum(axis=1)
    whole = shares / shares.sum(axis=1, keepdims=True)
    groups = protocol.items["group"].to_numpy(str)
    return Predicted(whole, counts / votes[:, None], votes, groups, protocol.folds)


def squared(one: Predicted) -> Grouped:
    """Squared error (1e-2) of each clip."""
    return of.errors(one.shares, one.truth)["mse_e2"]


def network_rows(set_: str, network: str, one: Predicted) -> Iterator[Row]:
    """The scores of a network."""
    for score in scores_of(network, one, GradeScoreSettings()):
        if score.metric in METRICS:
            yield set_, network, score.metric, score.value, score.low, score.high, score.n


def simple_rows(set_: str, one: Predicted) -> Iterator[Row]:
    """What the mean predictor errs, and what the number of raters leaves."""
    n = len(one.truth)
    for name, errors in (
        ("mean_predictor", squared(mean_predictor(one))),
        ("floor_of_the_raters", 100 * of.floor_error(one.truth, one.votes)),
    ):
        found = bootstrap_interval(lambda at, e=errors: float(e[at].mean()), one.groups, 1)  # type: ignore[misc]
        yield set_, name, "mse_e2", *found, n


def compared(
    set_: str, name: str, one: Grouped, other: Grouped, groups: NDArray[np.str_]
) -> Iterator[Row]:
    """A paired difference of errors, as a share of the other's as well, with its p value."""
    n = len(one)
    found = paired_difference(one, other, groups, 1)
    yield set_, name, "mse_e2", *found[:3], n
    share = bootstrap_interval(lambda at: float(1 - one[at].mean() / other[at].mean()), groups, 1)
    yield set_, name, "mse_lower_by", *share, n
    yield set_, name, "p", found.p, np.nan, np.nan, n


def of_seeds(protocol: Protocol, kept: Path, network: str) -> dict[int, Predicted]:
    """The predictions of each seed whose folds are complete."""
    found = {seed: predicted(protocol, kept, network, seed) for seed in SEEDS}
    return {seed: one for seed, one in found.items() if one is not None}


def comparison_rows(
    protocol: Protocol, kept: Path, first: dict[str, Predicted], set_: str
) -> Iterator[Row]:
    """Image networks against the best of clips, and ours against its rivals over seeds."""
    videos = {name: one for name, one in first.items() if ABOUT[name].kind == "video"}
    published = {name: one for name, one in videos.items() if name != OURS}
    if published:
        best = min(published, key=lambda name: squared(published[name]).mean())
        for name, one in first.items():
            if ABOUT[name].kind == "image":
                yield from compared(set_, f"{best} - {name}", squared(published[best]),
                                    squared(one), one.groups)  # fmt: skip
    ours = of_seeds(protocol, kept, OURS)
    for seed, one in ours.items():
        if seed != SEEDS[0]:
            yield from network_rows(set_, f"{OURS}, seed {seed}", one)
    for rival in RIVALS:
        theirs = of_seeds(protocol, kept, rival)
        for seed, one in theirs.items():
            if seed != SEEDS[0]:
                yield from network_rows(set_, f"{rival}, seed {seed}", one)
        both = sorted(set(ours) & set(theirs))
        if both:
            means = [np.mean([squared(some[seed]) for seed in both], axis=0)
                     for some in (ours, theirs)]  # fmt: skip
            groups = ours[both[0]].groups
            yield from compared(set_, f"{OURS} - {rival}", means[0], means[1], groups)
            yield set_, f"{OURS} - {rival}", "seeds", len(both), np.nan, np.nan, len(groups)


def correction_rows(
    protocol: Protocol, kept: Path, first: dict[str, Predicted], set_: str
) -> Iterator[Row]:
    """Ours without its correction or without pictures, and a rival with the same correction."""
    without = predicted(protocol, kept, OURS, SEEDS[0], "uncorrected") if OURS in first else None
    if without is not None:
        yield from network_rows(set_, f"{OURS}, uncorrected", without)
    alone = predicted(protocol, kept, DRIFT_ALONE, SEEDS[0]) if OURS in first else None
    if alone is not None:
        yield from network_rows(set_, BLIND, alone)
        yield from compared(set_, f"{OURS} - {BLIND}", squared(first[OURS]), squared(alone),
                            alone.groups)  # fmt: skip
    rival = first.get(RIVALS[0])
    if rival is None:
        return
    shares = corrected_by_folds(protocol, kept, RIVALS[0], SEEDS[0], rival.shares, rival.truth)
    if shares is not None:
        yield from network_rows(set_, f"{RIVALS[0]}, corrected", rival._replace(shares=shares))


def shuffled_rows(protocol: Protocol, kept: Path, first: dict[str, Predicted]) -> Iterator[Row]:
    """What the order of frames is worth to each network of clips."""
    for name, one in first.items():
        if "shuffled" not in parts_of(name):
            continue
        other = predicted(protocol, kept, name, SEEDS[0], "shuffled")
        if other is None:
            continue
        n, groups = len(one.truth), one.groups
        errors = squared(other)
        found = bootstrap_interval(lambda at, e=errors: float(e[at].mean()), groups, 1)  # type: ignore[misc]
        yield "shuffled_frames", name, "mse_e2", *found, n
        cost = paired_difference(errors, squared(one), groups, 1)
        yield "shuffled_frames", name, "mse_e2_cost", *cost[:3], n


def fold_rows(options: argparse.Namespace, by: By) -> Iterator[Row]:
    """The rows of the cross-validation with folds of one kind."""
    protocol = protocol_of(options.folder, options.each, options.epochs, by, drawn=False)
    set_ = f"simulated_{by}_folds"
    first = {}
    for network in options.networks or protocol.settings.models:
        one = predicted(protocol, options.kept, network, SEEDS[0])
        if one is None:
            print(f"{network}, folds by {by}: not complete; see benchmarks.sperm.folds")
        else:
            first[network] = one
            yield from network_rows(set_, network, one)
    if not first:
        return
    yield from simple_rows(set_, next(iter(first.values())))
    if by == "donor":
        yield from comparison_rows(protocol, options.kept, first, set_)
        yield from correction_rows(protocol, options.kept, first, set_)
        yield from shuffled_rows(protocol, options.kept, first)
    else:
        yield from flattered_rows(options, first)


def flattered_rows(options: argparse.Namespace, first: dict[str, Predicted]) -> Iterator[Row]:
    """How much folds that part donors explain beyond those that do not."""
    donors = protocol_of(options.folder, options.each, options.epochs, "donor", drawn=False)
    for name, one in first.items():
        other = predicted(donors, options.kept, name, SEEDS[0])
        if other is not None:
            shares = [explained(some) for some in (one, other)]
            found = bootstrap_interval(
                lambda at, s=shares: s[0](at) - s[1](at), one.groups, 1, 500  # type: ignore[misc]
            )  # fmt: skip
            yield "simulated_clip_folds", name, "explained_gain", *found, len(one.truth)


def parameter_rows() -> Iterator[Row]:
    """Trained values of each network, as published (with five grades) and in its tiny form."""
    with torch.device("meta"):
        for name in ABOUT:
            full = parameters(build(name, "full", 224))  # type: ignore[arg-type]
            yield "networks", name, "parameters", full, np.nan, np.nan, 1
            tiny = parameters(build(name, "tiny", 96))  # type: ignore[arg-type]
            yield "networks", name, "parameters_tiny", tiny, np.nan, np.nan, 1


def others(tables: Path) -> Iterator[Row]:
    """Rows of the other benchmarks' tables, where they are there."""
    for name in ("sperm-dishes", "sperm-ceilings", "sperm-visem", "sperm-fields", "sperm-speed"):
        path = tables / f"{name}.tsv"
        if path.exists():
            table = read_table(path, COLUMNS, text=COLUMNS[:3])
            yield from table[COLUMNS].itertuples(index=False, name=None)


def main() -> None:
    """Write the table and the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_options(parser)
    parser.add_argument("--tables", type=Path, default=TABLES, help="folder of other tables")
    parser.add_argument("--table", type=Path, default=TABLES / "sperm-evaluation.tsv")
    parser.add_argument("--page", type=Path, default=PAGE, help="page to write")
    options = parser.parse_args()
    rows = [
        *fold_rows(options, "donor"),
        *fold_rows(options, "clip"),
        *explanation_rows(options.kept / EXPLAINED),
        *parameter_rows(),
        *others(options.tables),
    ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    write_table(options.table, table)
    table = read_table(options.table, COLUMNS, text=COLUMNS[:3])
    write_text(options.page, page(table))


if __name__ == "__main__":
    run_step(main)

"""The figures of the README are those of the tables that the benchmarks wrote."""

import re

import pytest

from snakescope import REPOSITORY
from snakescope.step.tables import read_table

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
TABLES = REPOSITORY / "docs/tables"
FOUND = read_table(TABLES / "healthspan-detection.tsv", ("set", "metric", "value", "n")).set_index(
    ["set", "metric"]
)["value"]
HEALTHSPAN = read_table(
    TABLES / "healthspan-evaluation.tsv", ("set", "metric", "value", "n")
).set_index(["set", "metric"])["value"]
NEURITES = (
    read_table(TABLES / "neurites-evaluation.tsv", ("volume", "method", "metric", "value"))
    .query("metric == 'arand'")
    .set_index(["volume", "method"])["value"]
)
MEMBRANES, FIBROSIS, SPERM = (
    read_table(TABLES / name, ("set", by, "metric", "value")).set_index(["set", by, "metric"])[
        "value"
    ]
    for name, by in (
        ("membranes-evaluation.tsv", "network"),
        ("fibrosis-evaluation.tsv", "method"),
        ("sperm-dishes.tsv", "network"),
    )
)
UNSEEN = "simulated_unseen"
MEDULLA = "fibsem_medulla, sections 110 to 165"


@pytest.mark.parametrize(
    ("row", "figures"),
    [
        ("worms on simulated plates", [f"{HEALTHSPAN[UNSEEN, 'detection_f']:.3f}"]),
        ("overlapping worms", [f"{HEALTHSPAN[UNSEEN, 'overlap_recall']:.3f}"]),
        ("states there", [f"{HEALTHSPAN[UNSEEN, 'state_macro_f']:.3f}"]),
        ("state *immobile*", [f"{HEALTHSPAN[UNSEEN, 'state_f_immobile']:.3f}"]),
        (
            "median lifespan",
            [
                f"{HEALTHSPAN[UNSEEN, f'{end}_median_error_d']:.2f}"
                for end in ("lifespan", "healthspan")
            ],
        ),
        (
            "single worms of QuantWorm",
            [
                f"{FOUND['quantworm_single', 'recall']:.3f}",
                f"{FOUND['quantworm_single_whole', 'recall']:.3f}",
            ],
        ),
        (
            "worms that moved on six QuantWorm",
            [
                f"{FOUND['quantworm_moving', 'recall']:.3f}",
                f"{FOUND['quantworm_moving_looked_at', 'recall']:.3f}",
            ],
        ),
        ("real wells (bbbc010)", [f"{FOUND['bbbc010', 'detection_f']:.3f}"]),
        (
            "real wells, F at IoU 0.75",
            [f"{FOUND['bbbc010', 'detection_f75']:.3f}"],
        ),
        (
            "15 of these wells",
            [
                f"{FOUND[name, 'detection_f75']:.3f}"
                for name in ("bbbc010_test15", "bbbc010_test15_finetuned", "patchperpix_test15")
            ],
        ),
        (
            "moving or still",
            [f"{HEALTHSPAN['quantworm_lifespan', 'state_accuracy']:.3f}"],
        ),
        ("states in real images", [f"{HEALTHSPAN['upv_triplets', 'triplet_accuracy']:.2f}"]),
        ("a real plate", [f"{HEALTHSPAN['upv_plate', 'days_within_one']:.0f} days"]),
        ("membranes, Deep", [f"{MEMBRANES['isbi2012_5fold', 'dcn', 'v_rand']:.3f}"]),
        ("membranes, U-Net", [f"{MEMBRANES['isbi2012_5fold', 'unet', 'v_rand']:.3f}"]),
        (
            "membranes, the two",
            [
                f"{MEMBRANES['isbi2012_5fold', 'dcn', 'v_rand_joined']:.3f} and"
                f" {MEMBRANES['isbi2012_5fold', 'unet', 'v_rand_joined']:.3f}"
            ],
        ),
        (
            "membranes, these",
            [
                f"{MEMBRANES['isbi2012_5fold', 'dcn', 'v_info_joined']:.3f} and"
                f" {MEMBRANES['isbi2012_5fold', 'unet', 'v_info_joined']:.3f}"
            ],
        ),
        ("fibrosis, ten folds", [f"{FIBROSIS['simulated_paper', 'ordinal', 'accuracy']:.3f}"]),
        ("fibrosis, twelve", [f"{FIBROSIS['simulated_paper', 'features', 'accuracy']:.3f}"]),
        (
            "fibrosis, outlines",
            [
                f"{FIBROSIS['abdominal_us', method, 'dice']:.3f}"
                for method in ("ordinal, simulation alone", "ordinal, trained further")
            ],
        ),
        ("sperm, order", [f"{SPERM['dishes', 'ours', 'kendall_tau']:.3f}"]),
        (
            "sperm, the best",
            [
                f"{SPERM['dishes', 'ours', 'best_in_three']:.2f};"
                f" {SPERM['more_dishes', 'ours', 'best_in_three']:.2f}"
            ],
        ),
        (
            "gala_fibsem_small",
            [
                f"{NEURITES['gala_fibsem_small, test', method]:.3f}"
                for method in (
                    "network; distance transform, mean",
                    "boundary probability; waterz watershed and mean",
                )
            ],
        ),
        (
            "fibsem_medulla",
            [
                f"{NEURITES[MEDULLA, method]:.3f}"
                for method in ("network; distance transform, mean", "FFN")
            ],
        ),
    ],
)
def test_figures_are_those_of_the_tables(row: str, figures: list[str]) -> None:
    (line,) = re.findall(rf"^\| {re.escape(row)}.*$", README, re.MULTILINE)
    cells = " | ".join(line.split(" | ")[1:])
    # In this order, and each as a number of its own.
    wanted = ".*".join(rf"(?<![\d.]){re.escape(figure)}(?!\d)" for figure in figures)
    assert re.search(wanted, cells), (line, figures)


def test_the_median_of_the_real_plate_is_that_of_the_table() -> None:
    found, by_hand = (
        f"{HEALTHSPAN['upv_plate', name]:.1f}" for name in ("median_lifespan_d", "median_by_hand_d")
    )
    said = " ".join(README.split())
    assert f"the median lifespan comes out at day {found}, by hand at {by_hand}" in said

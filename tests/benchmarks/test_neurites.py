"""The benchmarks of the neurites tree measure what they say."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.neurites.branches import branches_apart
from benchmarks.neurites.evaluation import (
    APART,
    METHODS,
    METRICS,
    add_rows,
    affinities_of_outlines,
    tuned_scores,
)
from benchmarks.neurites.memory import (
    COLUMNS,
    MEAN,
    QUANTILES,
    measure_agglomeration,
    measure_volume,
)
from benchmarks.neurites.segmentation import METHODS as MEASURED
from benchmarks.neurites.segmentation import measure
from benchmarks.neurites.training import (
    TRAINING,
    Experiment,
    Part,
    network_rows,
    predicted,
    trained,
)
from benchmarks.neurites.volume import SyntheticVolume
from snakescope.step.tables import read_table

SMALL = ((8, 96, 96), (8, 48, 48))
"""Shape of a volume and of its blocks."""


def test_windows_of_the_synthetic_volume_agree() -> None:
    volume = SyntheticVolume()
    whole = volume.affinities(((0, 6), (0, 90), (0, 100)))
    part = volume.affinities(((2, 5), (33, 80), (17, 90)))
    assert np.array_equal(part, whole[:, 2:5, 33:80, 17:90])
    labels = volume.labels(((0, 6), (0, 90), (0, 100)))
    assert np.array_equal(volume.labels(((1, 3), (5, 9), (40, 77))), labels[1:3, 5:9, 40:77])
    assert 6 <= len(np.unique(labels)) <= 30


@pytest.mark.parametrize("method", MEASURED)
def test_every_method_segments_the_synthetic_volume(method: str) -> None:
    found = measure(method, (8, 96, 96), 2)
    assert found["voxels"] == 8 * 96 * 96
    assert found["arand"] < 0.3
    assert found["cpu_seconds"] > 0


def test_every_step_of_a_volume_is_measured_by_its_size(tmp_path: Path) -> None:
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in measure_volume(tmp_path, *SMALL)]
    steps = "ingest ingest segmentation evaluate pictures export image_levels"
    assert [row["step"] for row in rows] == steps.split()
    assert {row["mvoxel"] for row in rows} == {0.074}
    # A block, a picture and a slab are less than the volume, or all of it.
    parts = {row["step"]: row["part"] for row in rows}
    assert parts["segmentation"] == parts["evaluate"] == 0.018
    assert parts["pictures"] == 0.037 and parts["export"] == 0.074
    assert all(20 < float(str(row["peak_rss_mb"])) < 1000 for row in rows)


def test_agglomerations_are_measured_by_block_and_histograms(tmp_path: Path) -> None:
    found = measure_agglomeration(tmp_path, "distance_transform", *SMALL, (MEAN, *QUANTILES))
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in found]
    assert [row["step"] for row in rows] == 3 * ["agglomerate"]
    assert {row["mvoxel"] for row in rows} == {0.074}
    mean, few, many = (float(str(row["part"])) for row in rows)
    assert mean == pytest.approx(15 * 0.018432, abs=1e-3)
    assert many - mean == pytest.approx(4 * (few - mean), abs=1e-2)


def test_affinities_of_outlines_are_those_of_the_surer_voxel() -> None:
    outlines = np.zeros((2, 2, 3), np.uint8)
    outlines[1, 0, 1] = 200
    affinities = affinities_of_outlines(outlines)
    assert affinities[0, 1, 0].tolist() == [255, 55, 255]
    assert affinities[2, 1, 0].tolist() == [0, 55, 55]
    assert affinities[1, 1, 1].tolist() == [255, 55, 255]
    assert not affinities[0, 0].any() and not affinities[1, :, 0].any()


def test_the_threshold_is_chosen_on_the_training_part() -> None:
    volume = SyntheticVolume(noise=0.8)
    boxes = ((0, 8), (0, 80), (0, 80)), ((8, 16), (0, 80), (0, 80))
    train, test = ((volume.affinities(box), volume.labels(box)) for box in boxes)
    threshold, scores = tuned_scores(METHODS["distance transform, mean"], train, test)
    other = tuned_scores(METHODS["distance transform, mean"], train, (test[0], test[1] * 0 + 1))
    # What the test part is does not move the threshold.
    assert other[0] == threshold and other[1].arand > scores.arand
    assert scores.arand < 0.2


def test_branches_that_touch_by_a_thin_neck_are_taken_apart_and_others_are_not() -> None:
    labels = np.zeros((12, 40, 60), np.uint16)
    labels[:, :, :26] = 3
    labels[:, :, 30:] = 3
    labels[4:6, 10:12, 26:30] = 3  # a neck of two voxels
    apart = branches_apart(labels)
    assert (apart[labels == 0] == 0).all() and (apart[labels > 0] > 0).all()
    left, right = apart[0, 0, 0], apart[0, 0, -1]
    assert left != right and left > 3
    assert (apart[:, :, :26] == left).all() and (apart[:, :, 30:] == right).all()
    labels[2:10, 10:20, 26:30] = 3  # of eight and ten
    assert np.array_equal(branches_apart(labels), labels)
    # The volume's faces are no boundaries: a flat object is as thick as it looks beyond them.
    assert np.array_equal(branches_apart(labels[4:6]), labels[4:6])


def test_small_pieces_stay_with_their_object() -> None:
    labels = np.zeros((9, 9, 60), np.uint16)
    labels[:, :, :40] = 7
    labels[4, 4, 40:45] = 7
    labels[:, :, 45:50] = 7
    assert np.array_equal(branches_apart(labels), labels)
    assert len(np.unique(branches_apart(labels, least=10))) == 3


def part(seed: int) -> Part:
    """Cubes with dark outlines."""
    z, y, x = np.mgrid[:16, :16, :40]
    outline = (z % 8 == 0) | (y % 8 == 0) | (x % 8 == 0)
    labels = np.where(outline, 0, 1 + z // 8 * 100 + y // 8 * 10 + x // 8).astype(np.uint16)
    noise = np.random.default_rng(seed).normal(0, 6, labels.shape)
    return Part((np.where(outline, 60, 190) + noise).astype(np.uint8), labels)


def test_a_network_is_trained_on_one_part_and_scored_on_another(tmp_path: Path) -> None:
    tiny = {"features": (4, 6), "patch_zyx": (8, 8, 8), "steps": 2, "epoch_steps": 1,
            "precision": "float32"}  # fmt: skip
    settings = TRAINING.model_copy(update=tiny)
    experiment = Experiment("tiny", "tiny, test", part(1), part(2), 24, settings)
    assert experiment.trained_on.image.shape == (16, 16, 24)
    assert experiment.validation.labels.shape == (16, 16, 16)
    weights = trained(experiment, tmp_path / "training")
    found = list(network_rows(experiment, weights, 1))
    methods = {f"network; {method}" for method in METHODS}
    assert {method for _, method, _, _ in found} == {"network", *methods}
    metrics = {metric for _, method, metric, _ in found if method in methods}
    assert metrics == {*METRICS, "threshold", "arand_validation"}
    # Another truth of the test part moves the scores, and no threshold; weights are not made anew.
    written = weights.stat().st_mtime_ns
    joined = Part(experiment.test.image, (experiment.test.labels > 0).astype(np.uint16))
    other = Experiment("tiny", "tiny, test", experiment.training_half, joined, 24, settings)
    assert trained(other, tmp_path / "training") == weights
    assert weights.stat().st_mtime_ns == written
    again = list(network_rows(other, weights, 1))
    chosen = ("threshold", "arand_validation")
    assert [r for r in found if r[2] in chosen] == [r for r in again if r[2] in chosen]
    assert [r for r in found if r[2] == "arand"] != [r for r in again if r[2] == "arand"]
    with_apart = Experiment(
        "tiny", "tiny, test", experiment.training_half, part(2), 24, settings, branches_apart=True
    )
    assert {row[0] for row in network_rows(with_apart, weights, 1)} == {
        "tiny, test", f"tiny, test{APART}"
    }  # fmt: skip
    # A part that lies in a volume is predicted as the volume is.
    seen = np.concatenate([part(1).image, part(2).image])
    lower = Part(part(2).image, part(2).labels, seen, (16, 0, 0))
    whole = predicted(weights, Part(seen, np.zeros_like(seen)), 1, "float32")
    assert np.array_equal(predicted(weights, lower, 1, "float32"), whole[:, 16:])
    assert np.array_equal(
        predicted(weights, lower.columns(8, 16), 1, "float32"), whole[:, 16:, :, 8:16]
    )
    table = tmp_path / "table.tsv"
    add_rows(table, found)
    add_rows(table, [("tiny, test", "network", "seed", 7.0)])
    kept = read_table(table, ("volume", "method", "metric", "value"))
    assert len(kept) == len(found) - 5 + 1

"""The table of folds, and how a training is derived for each network."""

import json
from pathlib import Path

import pytest

from snakescope.imaging.volumes import Source
from snakescope.membranes.cross_validation.fold import of_fold, of_network
from snakescope.membranes.cross_validation.folds import draw, table_of
from snakescope.membranes.scores.stack_scores import METRICS
from snakescope.membranes.stacks.manifest import Manifest
from snakescope.membranes.training.settings import TrainSettings


def fold(network: str, number: int, iou: float) -> dict[str, object]:
    """Scores of two sections around an IoU."""
    sections = {str(z): dict.fromkeys(METRICS, iou + (0.1 if z else -0.1)) for z in range(2)}
    return {
        "network": network, "fold": number, "sections": sections, "parameters": 7, "seconds": 60.0,
    }  # fmt: skip


def test_means_over_folds_with_the_least_and_the_greatest(tmp_path: Path) -> None:
    folds = [fold("dcn", 0, 0.5), fold("dcn", 1, 0.7), fold("raw", 0, 0.2), fold("raw", 1, 0.2)]
    folds = json.loads(json.dumps(folds))
    table = table_of(folds).set_index(["network", "metric"])
    assert table.loc[("dcn", "iou"), ["value", "low", "high", "n"]].tolist() == pytest.approx(
        [0.6, 0.5, 0.7, 2]
    )
    assert table.loc[("dcn", "parameters"), "value"] == 7
    assert table.loc[("raw", "cpu_minutes"), "value"] == 1
    assert len(draw(folds).axes) == 3


def test_a_fold_divides_labelled_sections_only() -> None:
    source = Source("a.tif", "tiff", (20, 64, 64), "uint8", ("a.tif",))
    parts = {"train": tuple(range(4)), "tune": (4, 5), "test": (6, 7, 8)}
    manifest = Manifest("a", source, source, "", None, (50, 4, 4), parts)
    found = of_fold(manifest, 3, 1).parts
    assert found == {"test": (3, 4, 5), "tune": (6, 7, 8), "train": (0, 1, 2)}


def test_both_networks_are_trained_alike() -> None:
    training = TrainSettings(steps=50)
    unet = of_network(training, "unet")
    assert unet.network.architecture == "unet" and unet.network.width == training.network.width
    assert unet.model_copy(update={"network": training.network}) == training

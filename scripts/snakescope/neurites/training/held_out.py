"""Scores of trained weights on a part of a volume that they were not trained on."""

import itertools
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np

from snakescope.learning.device import choose_device
from snakescope.neurites.agglomeration.segment import segment
from snakescope.neurites.networks.affinity_scores import score_affinities
from snakescope.neurites.networks.model_files import load_network
from snakescope.neurites.prediction.patches import Triple
from snakescope.neurites.prediction.predict import predict_block, prepared
from snakescope.neurites.prediction.settings import PredictSettings
from snakescope.neurites.scores.partition_scores import score_partition
from snakescope.neurites.training.patches import Labelled
from snakescope.neurites.training.settings import TrainSettings

THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)
"""Agglomeration thresholds of the scores."""

SCORED_VOXELS = (32, 256, 256)
"""The scores are of a window at most this large, unless patches are larger."""

Window = tuple[slice, slice, slice]


def _windows(volume: Labelled, size: Triple) -> Iterator[Window]:
    """Windows of a size that cover a volume, the last ones along an axis moved back into it."""
    corners = [
        sorted({min(at, whole - side) for at in range(0, whole, side)})
        for whole, side in zip(volume.shape, size, strict=True)
    ]
    for z, y, x in itertools.product(*corners):
        yield _window(volume, (z, y, x), size)


def _window(volume: Labelled, corner: Triple, size: Triple) -> Window:
    z, y, x = corner
    z += volume.first
    return slice(z, z + size[0]), slice(y, y + size[1]), slice(x, x + size[2])


def scored_window(volume: Labelled, size: Triple) -> Window:
    """The middle of a volume; where half of that has no labels, the window that has the most."""
    z, y, x = ((whole - side) // 2 for whole, side in zip(volume.shape, size, strict=True))
    middle = _window(volume, (z, y, x), size)

    def count(window: Window) -> int:
        return int(np.count_nonzero(np.asarray(volume.labels[window])))

    if 2 * count(middle) >= np.prod(size):
        return middle
    return max([middle, *_windows(volume, size)], key=count)


def held_out_scores(
    weights: Path, volume: Labelled, settings: TrainSettings
) -> dict[str, float | str]:
    """Scores of the written weights on a part of a volume that was not trained on.

    Raises:
        ValueError: nothing of it is labelled.
    """
    network, _ = load_network(weights, None)
    largest = np.maximum(SCORED_VOXELS, settings.patch_zyx)
    depth, height, width = (min(a, int(b)) for a, b in zip(volume.shape, largest, strict=True))
    size = (depth, height, width)
    window = scored_window(volume, size)
    image, truth = np.asarray(volume.image[window]), np.asarray(volume.labels[window])
    how = PredictSettings(patch_zyx=settings.patch_zyx, overlap=0.25, batch=2)
    device = choose_device(settings.device)
    block = ((0, depth), (0, height), (0, width))
    found = predict_block(prepared(network, device), image, block, how, device, volume.name)
    affinity = score_affinities((found / 255).astype(np.float32), truth)
    voxel_nm = (1.0, 1.0, 1.0) if settings.isotropic else (5.0, 1.0, 1.0)  # only the ratio counts
    by_threshold = {
        threshold: score_partition(labels, truth)
        for threshold, labels in segment(found, THRESHOLDS, voxel_nm=voxel_nm).items()
    }
    best = min(by_threshold, key=lambda threshold: by_threshold[threshold].arand)
    partition = by_threshold[best]
    return {
        "volume": volume.name,
        "voxels": " x ".join(map(str, size)),
        **{key: round(value, 4) for key, value in asdict(affinity).items()},
        "best_threshold": best,
        "arand": round(partition.arand, 4),
        "voi_split": round(partition.voi_split, 4),
        "voi_merge": round(partition.voi_merge, 4),
    }

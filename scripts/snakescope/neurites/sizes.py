"""How much a job works on, by the settings and by its part of a volume.

Free of numpy, since the Snakefile asks for it.
"""

import json
from collections.abc import Iterable, Sequence
from math import ceil, prod
from pathlib import Path

from snakescope.neurites.agglomeration.settings import AgglomerateSettings, quantile_of
from snakescope.neurites.fragments.context import context_of
from snakescope.neurites.paper.settings import PaperSettings
from snakescope.neurites.resources import Size, kind_of
from snakescope.neurites.settings import NeuritesSettings
from snakescope.neurites.training.settings import TrainSettings
from snakescope.neurites.volumes.blocks import Block, Grid, Zyx, box_shape, stride_of

CHUNK_SECTIONS = 16
"""Depth of the chunks of a segmentation, of which an export reads one layer at a time."""

PAPER_CHANNELS = 24

CONTACT_VALUES = 15
"""What an agglomeration by the mean keeps of the contacts of a block, as a quantile one bin."""

SURFACE = 2 / 3
"""Power with which the contacts that a block hands on grow with its voxels."""

KEPT_IN_MEMORY = 2**30
"""A training reads volumes of at most so many voxels once, larger ones window by window."""


def mvoxel(shape: Sequence[int]) -> float:
    """Million voxels of a box."""
    return prod(shape) / 1e6


def of_fragments(
    settings: NeuritesSettings, grid: Grid, block: Block, voxel_nm: Sequence[float]
) -> Size:
    """A block with what is seen around it."""
    window = grid.window(block, context_of(settings.fragments, voxel_nm))
    return Size(kind_of(settings.fragments, voxel_nm), mvoxel(box_shape(window)))


def of_region_graph(settings: NeuritesSettings, block: Block, voxel_nm: Sequence[float]) -> Size:
    """A block alone; of its neighbours, faces are read."""
    return Size(kind_of(settings.fragments, voxel_nm), mvoxel(block.shape))


def of_slab(shape: Zyx, depth: int, kind: str, dtype: str) -> Size:
    """A slab of an image or of labels; an image that is to be converted counts as labels."""
    taken = "image" if kind == "image" and dtype == "uint8" else "labels"
    return Size(taken, mvoxel((depth, *shape[1:])))


def channels_of(weights: str | Path) -> int:
    """Channels of the finest level of a network, by the card beside its weights.

    Without one, those of the paper; the step says what is missing.
    """
    try:
        card = json.loads(Path(weights).with_suffix(".json").read_text(encoding="utf-8"))
        return int(card["features"][0])
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return PAPER_CHANNELS


def of_prediction(settings: NeuritesSettings, grid: Grid, block: Block, channels: int) -> Size:
    """A block, the patches of a batch, and what all its patches are to one thread."""
    predict = settings.predict
    patches = 1
    for side, patch, length in zip(block.shape, predict.patch_zyx, grid.shape, strict=True):
        stride = stride_of(patch, predict.overlap)
        patches *= min(ceil((side + patch) / stride), ceil(max(length - patch, 0) / stride) + 1)
    values = mvoxel(predict.patch_zyx) * channels
    return Size(
        "", mvoxel(block.shape), part=values * min(predict.batch, patches),
        work=values * patches * predict.test_time_augmentation / predict.threads,
    )  # fmt: skip


def of_training(
    settings: TrainSettings | PaperSettings,
    network: str,
    n: int,
    channels: int,
    shapes: Iterable[Zyx],
) -> Size:
    """The labelled volumes, the patches of a step and of all steps.

    Args:
        settings: how and for how long is trained.
        network, n: base, or revnet and the blocks of a module.
        channels: of the network's finest level.
        shapes: of the volumes that are trained and validated with.
    """
    kind = f"{settings.memory} {n}" if network == "revnet" else "base 1"
    values = mvoxel(settings.patch_zyx) * settings.batch * channels
    whole = sum(min(mvoxel(shape), KEPT_IN_MEMORY / 1e6) for shape in shapes)
    return Size(kind, whole, part=values, work=values * settings.steps)


def histogram_bins(settings: AgglomerateSettings) -> int:
    """Values that an agglomeration keeps of a contact for its quantiles, if it takes any."""
    asked = any(quantile_of(one) >= 0 for one in settings.scoring)
    return settings.histogram_bins if asked else 0


def _of_agglomeration(settings: NeuritesSettings, whole: float, block: float) -> Size:
    """Whole volume and blocks (million voxels), and the values of the contacts in hand at a time.

    All contacts of a block are in hand once. Histograms weigh most where parts are joined, and
    there are those of contacts near their surfaces. The watershed of waterz leaves so many more
    fragments that those of the whole volume count, and surfaces are everywhere.
    """
    work = whole * len(settings.agglomerate.scoring)
    bins = histogram_bins(settings.agglomerate)
    if settings.fragments.method == "waterz":
        return Size("waterz", whole, part=bins * whole**SURFACE, work=work)
    return Size("", whole, part=CONTACT_VALUES * block + bins * block**SURFACE, work=work)


def of_volume(step: str, settings: NeuritesSettings, grid: Grid) -> Size:
    """A volume, and what of it a step that goes through it holds at a time."""
    depth, height, width = grid.shape
    scorings = len(settings.agglomerate.scoring)
    whole = mvoxel(grid.shape)
    match step:
        case "agglomerate":
            return _of_agglomeration(settings, whole, mvoxel(grid.block))
        case "pictures":
            shown = settings.pictures
            side_y, side_x = min(shown.side_px, height), min(shown.side_px, width)
            return Size("", whole, part=mvoxel((min(shown.sections, depth), side_y, side_x)))
        case "export":
            return Size("", whole, part=mvoxel((min(CHUNK_SECTIONS, depth), height, width)))
        case "evaluate":
            return Size("", whole, part=mvoxel(grid.block), work=whole * scorings)
        case _:
            return Size("", whole, part=mvoxel(grid.block))

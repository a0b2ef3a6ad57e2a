"""What the steps of the tree take, by the voxels that a job works on.

Peaks and seconds of processors are those of docs/tables/neurites-memory.tsv, written by its
benchmark; a test holds the figures here against that table. Free of numpy, since the Snakefile
imports it.

Amounts of a job: ``mvoxel``, million voxels of its block, slab or volume; ``part``, million voxels
that it holds at a time, of networks million voxels of the patches of a batch times the channels of
the finest level; ``work``, million voxels that pass through it; ``process``, processes that work
under it.
"""

from collections.abc import Iterable, Sequence
from math import ceil, inf, prod
from pathlib import Path

from snakescope.learning.registry import rebuilds
from snakescope.neurites.agglomeration.settings import AgglomerateSettings, quantile_of
from snakescope.neurites.fragments.context import context_of, through_sections
from snakescope.neurites.fragments.settings import FragmentsSettings
from snakescope.neurites.paper.settings import PaperSettings
from snakescope.neurites.settings import NeuritesSettings
from snakescope.neurites.training.settings import KEPT_IN_MEMORY, TrainSettings
from snakescope.neurites.volumes.blocks import Block, Grid, Zyx, box_shape, stride_of
from snakescope.tree.costs import TRAINING_MINUTES, Cost, Size

CHUNK_SECTIONS = 16
"""Depth of the chunks of a segmentation, of which an export reads one layer at a time."""

PAPER_CHANNELS = 24

EDGE_VALUES = 15
"""What an agglomeration by the mean keeps of the edges of a block, as a quantile one bin."""

SURFACE = 2 / 3
"""Power with which the edges that a block hands on grow with its voxels."""


def _cost(
    mb: float, mvoxel: float, work: float, part: float = 0.0, max_minutes: float = inf,
    s: float = 4.0,
) -> Cost:  # fmt: skip
    """Memory (MB), also of each million voxels and part; time (s), and of each million voxels."""
    per = {"mvoxel": mvoxel, "part": part, "process": mb}
    return Cost(mb, per, s, {"work": work}, max_minutes)


COSTS = {
    "fragments sections": _cost(216, 23.2, 0.4),
    "fragments 3-D": _cost(210, 24.8, 0.7),
    "fragments waterz": _cost(150, 186, 1.5),
    "region_graph sections": _cost(173, 65, 0.5),
    "region_graph 3-D": _cost(172, 20, 0.5),
    "region_graph waterz": _cost(187, 298, 3.0),
    "simulate": _cost(90, 107, 3.0),
    # Grey values of 8 bit, and all that has to be converted.
    "ingest image": _cost(65, 2.9, 0.1),
    "ingest labels": _cost(70, 23, 0.1),
    # Parts are values of edges in hand.
    "agglomerate": _cost(240, 0.35, 0.1, part=0.85),
    "agglomerate waterz": _cost(240, 190, 4.0, part=10.5),
    # Parts are blocks, sections in a picture, and slabs as deep as chunks are.
    "segmentation": _cost(310, 0.05, 0.2, part=52),
    "provenance": Cost(50, s=0.0),
    "unpack": Cost(1250, s=200),
    "paper_page": Cost(1250, s=100),
    "evaluate": _cost(290, 0.2, 0.2, part=44),
    "pictures": _cost(150, 0.0, 0.1, part=230),
    "export": _cost(43, 0.0, 0.5, part=37),
    "image_levels": _cost(200, 0.0, 0.3, part=20),
    # Parts are whole sections, of which the block is cut.
    "boundaries": _cost(510, 4, 0.4, part=3, s=6.0),
    # By the values of the finest level of the network: voxels of a batch times channels.
    "predict": _cost(575, 34, 0.3, part=22, s=6.0),
    **{
        f"{step} {kind}": cost
        for step in ("train", "paper")
        for kind, cost in {
            "base 1": _cost(1290, 9, 1.0, part=92, max_minutes=TRAINING_MINUTES, s=16.0),
            **{
                f"{memory} {n}": _cost(
                    1175 + 115 * n, 9, 0.6 + 0.6 * n, part=first + n * more,
                    max_minutes=TRAINING_MINUTES, s=10.0 + 6.0 * n,
                )
                for n in range(1, 5)
                for memory, first, more in (
                    ("stored", 52, 77), ("reversible", 71, 9), ("frugal", 64, 0),
                )
            },
        }.items()
    },
}  # fmt: skip
"""Of fragments by the kind of :func:`kind_of`; of a training by what it keeps for the backward
pass and the blocks of a module."""


def kind_of(settings: FragmentsSettings, voxel_nm: Sequence[float]) -> str:
    """How fragments are found: sections, 3-D or waterz; ``voxel_nm`` along z, y and x."""
    if settings.method == "waterz":
        return "waterz"
    return "3-D" if through_sections(settings, voxel_nm) else "sections"


def size(
    kind: str, whole: float, part: float = 0.0, work: float | None = None, processes: int = 1
) -> Size:
    """The size of a job: million voxels, those held by each process, those that pass through."""
    amounts = {
        "mvoxel": whole,
        "part": part * processes,
        "work": whole if work is None else work,
        # Each process, and the one that starts them, which holds no part of its own.
        "process": processes if processes > 1 else 0,
    }
    return Size(kind, amounts)


def mvoxel(shape: Sequence[int]) -> float:
    """Million voxels of a box."""
    return prod(shape) / 1e6


def of_fragments(
    settings: NeuritesSettings, grid: Grid, block: Block, voxel_nm: Sequence[float]
) -> Size:
    """A block with what is seen around it."""
    window = grid.window(block, context_of(settings.fragments, voxel_nm))
    return size(kind_of(settings.fragments, voxel_nm), mvoxel(box_shape(window)))


def of_region_graph(settings: NeuritesSettings, block: Block, voxel_nm: Sequence[float]) -> Size:
    """A block alone; of its neighbours, faces are read."""
    return size(kind_of(settings.fragments, voxel_nm), mvoxel(block.shape))


def of_slab(shape: Zyx, depth: int, kind: str, dtype: str) -> Size:
    """A slab of an image or of labels; an image that is to be converted counts as labels."""
    taken = "image" if kind == "image" and dtype == "uint8" else "labels"
    return size(taken, mvoxel((depth, *shape[1:])))


def channels_of(weights: str | Path) -> int:
    """Channels of the finest level of a network, by the card beside its weights.

    Without one, those of the paper; the step says what is missing.
    """
    try:
        return int(rebuilds(weights)["features"][0])
    except (ValueError, KeyError, IndexError, TypeError):
        return PAPER_CHANNELS


def of_prediction(settings: NeuritesSettings, grid: Grid, block: Block, channels: int) -> Size:
    """A block, the patches of a batch, and what all its patches are to one thread."""
    predict = settings.prediction
    patches = 1
    for side, patch, length in zip(block.shape, predict.patch_zyx, grid.shape, strict=True):
        stride = stride_of(patch, predict.overlap)
        patches *= min(ceil((side + patch) / stride), ceil(max(length - patch, 0) / stride) + 1)
    values = mvoxel(predict.patch_zyx) * channels
    return size(
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
    return size(kind, whole, part=values, work=values * settings.steps)


def histogram_bins(settings: AgglomerateSettings) -> int:
    """Values that an agglomeration keeps of an edge for its quantiles, if it takes any."""
    needed = any(quantile_of(one) >= 0 for one in settings.scoring)
    return settings.histogram_bins if needed else 0


def _of_agglomeration(settings: NeuritesSettings, whole: float, block: float) -> Size:
    """Whole volume and blocks (million voxels), and the values of the edges in hand at a time.

    All edges of a block are in hand once. Histograms weigh most where parts are joined, and
    there are those of edges near their surfaces. The watershed of waterz leaves so many more
    fragments that those of the whole volume count, and surfaces are everywhere.
    """
    work = whole * len(settings.agglomeration.agglomerate.scoring)
    bins = histogram_bins(settings.agglomeration.agglomerate)
    if settings.fragments.method == "waterz":
        return size("waterz", whole, part=bins * whole**SURFACE, work=work)
    return size("", whole, part=EDGE_VALUES * block + bins * block**SURFACE, work=work)


def of_volume(step: str, settings: NeuritesSettings, grid: Grid, processes: int = 1) -> Size:
    """A volume, and what of it a step that goes through it holds at a time."""
    depth, height, width = grid.shape
    scorings = len(settings.agglomeration.agglomerate.scoring)
    whole = mvoxel(grid.shape)
    match step:
        case "agglomerate":
            return _of_agglomeration(settings, whole, mvoxel(grid.block))
        case "pictures":
            shown = settings.report
            side_y, side_x = min(shown.side_px, height), min(shown.side_px, width)
            return size("", whole, part=mvoxel((min(shown.sections, depth), side_y, side_x)))
        case "export":
            return size("", whole, part=mvoxel((min(CHUNK_SECTIONS, depth), height, width)))
        case "evaluate":
            return size("", whole, part=mvoxel(grid.block), work=whole * scorings)
        case _:
            return size("", whole, part=mvoxel(grid.block), processes=processes)

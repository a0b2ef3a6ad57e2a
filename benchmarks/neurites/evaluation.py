"""Segmentations of real volumes against their truth: ours, waterz's and those of peers.

    python -m benchmarks.neurites.evaluation

writes docs/tables/neurites-evaluation.tsv (volume, method, metric, value); the rows of trained
networks come from benchmarks/neurites/training.py. It needs the public volumes that
SNAKESCOPE_DATA names. A threshold is chosen on the training part of a volume and applied to its
test part: what is written was not tuned on what it is measured on.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import tifffile
import waterz
from numpy.typing import NDArray
from skimage.measure import label

from benchmarks import ROOT
from benchmarks.neurites.branches import branches_apart
from snakescope.learning.partition_scores import PartitionScores
from snakescope.neurites.agglomeration.segment import segment_blocks
from snakescope.neurites.fragments.settings import FragmentsSettings
from snakescope.neurites.scores.evaluate import row
from snakescope.neurites.scores.partition_scores import score_partition
from snakescope.step.command import run_step
from snakescope.step.errors import StepError
from snakescope.step.tables import read_table, write_table

THRESHOLDS = (*(round(0.05 * step, 2) for step in range(1, 20)), 0.97, 0.98, 0.99)
METRICS = ("arand", "precision", "recall", "voi_split", "voi_merge", "voi", "v_rand")
COLUMNS = ("volume", "method", "metric", "value")
Triple = tuple[float, float, float]
CUBES: Triple = (10.0, 10.0, 10.0)
SECTIONS: Triple = (30.0, 6.0, 6.0)
DATA = Path(os.environ.get("SNAKESCOPE_DATA", str(ROOT / "../shared/data")))
FOLDERS = {
    "gala": "gala_fibsem_small",
    "medulla": "fibsem_medulla",
    "snemi3d": "snemi3d_mini_labels",
}
"""Of the public volumes, by what the benchmarks call them."""

MEDULLA_TRAIN = 110
SNEMI3D_TRAIN = 16
MEDULLA_TEST = f"fibsem_medulla, sections {MEDULLA_TRAIN} to 165"
APART = "; branches apart"
Volume = NDArray[np.generic]
Affinities = NDArray[np.uint8]
Row = tuple[str, str, str, float]
Partitions = Callable[[Affinities], Iterator[tuple[float, NDArray[np.uint64]]]]


def affinities_of_outlines(outlines: NDArray[np.uint8]) -> Affinities:
    """Affinities from how likely every voxel is an outline: that of the surer one of the two.

    Args:
        outlines: shape (Z, Y, X), 0 to 255.
    """
    affinities = np.zeros((3, *outlines.shape), np.uint8)
    for axis in range(3):
        before = np.roll(outlines, 1, axis)
        affinities[axis] = 255 - np.maximum(outlines, before)
        affinities[axis][tuple(slice(1) if a == axis else slice(None) for a in range(3))] = 0
    return affinities


def by_waterz(affinities: Affinities) -> Iterator[tuple[float, NDArray[np.uint64]]]:
    """The built-in watershed and mean agglomeration of waterz."""
    scaled = affinities.astype(np.float32) / np.float32(255)
    # What waterz yields is overwritten by what it yields next.
    steps = waterz.agglomerate(scaled, THRESHOLDS, aff_threshold_low=0.01, aff_threshold_high=0.99)
    yield from zip(THRESHOLDS, steps, strict=True)


def by_us(scoring: str, voxel_nm: Triple, **settings: object) -> Partitions:
    """Our fragments and agglomeration."""

    def partitions(affinities: Affinities) -> Iterator[tuple[float, NDArray[np.uint64]]]:
        chosen = FragmentsSettings.model_validate(settings)
        z, y, x = affinities.shape[1:]
        done = segment_blocks(affinities, (z, y, x), chosen, voxel_nm, (scoring,))
        for threshold in THRESHOLDS:
            yield threshold, done.labels(scoring, threshold)

    return partitions


def methods(voxel_nm: Triple, **settings: object) -> dict[str, Partitions]:
    """The ways from affinities to partitions that are compared."""
    return {
        "waterz watershed and mean": by_waterz,
        "distance transform, mean": by_us("mean", voxel_nm, **settings),
        "distance transform, quantile 50": by_us("quantile50", voxel_nm, **settings),
    }


FINE = {"seed_radius_px": 3, "smoothing_px": 1.0}
METHODS = methods(CUBES, **FINE)
GREY_METHODS = methods(CUBES, **FINE, boundary_affinity=0.5)
"""For grey values, which are no affinities: most are below the outline affinity that is shipped."""

SECTION_METHODS = methods(SECTIONS)
"""For thick sections, with the settings that are shipped."""


def tuned(partitions: Partitions, affinities: Affinities, truth: Volume) -> tuple[float, float]:
    """The threshold of the least adapted Rand error, and that error."""
    errors = {at: score_partition(found, truth).arand for at, found in partitions(affinities)}
    best = min(errors, key=lambda at: errors[at])
    return best, errors[best]


def tuned_scores(
    partitions: Partitions, train: tuple[Affinities, Volume], test: tuple[Affinities, Volume]
) -> tuple[float, PartitionScores]:
    """Choose the threshold on the training part, score the test part at it."""
    best, _ = tuned(partitions, *train)
    found = next(found for at, found in partitions(test[0]) if at == best)
    return best, score_partition(found, test[1])


def rows(volume: str, method: str, scores: PartitionScores) -> Iterator[Row]:
    """Scores as rows of the table."""
    cells = row(scores)
    for metric in METRICS:
        yield volume, method, metric, cells[metric]


def gala(folder: Path) -> Iterator[Row]:
    """FIB-SEM of the gala package, its training and its test volume."""
    read = {
        (part, what): tifffile.imread(folder / f"{part}-{what}.tif")
        for part in ("train", "test")
        for what in ("image", "gt", "p1", "ws")
    }
    volume = "gala_fibsem_small, test"
    supervoxels = score_partition(read["test", "ws"], read["test", "gt"])
    yield from rows(volume, "supervoxels of gala", supervoxels)
    sources = {
        "boundary probability": "p1",
        "grey values": "image",
    }
    for source, what in sources.items():
        outlines = {
            part: read[part, what] if what == "p1" else 255 - read[part, what]
            for part in ("train", "test")
        }
        yield from tuned_rows(
            volume,
            source,
            (affinities_of_outlines(outlines["train"]), read["train", "gt"]),
            (affinities_of_outlines(outlines["test"]), read["test", "gt"]),
            METHODS if what == "p1" else GREY_METHODS,
        )


def tuned_rows(
    volume: str,
    source: str,
    train: tuple[Affinities, Volume],
    test: tuple[Affinities, Volume],
    compared: dict[str, Partitions],
) -> Iterator[Row]:
    """Rows of every method on affinities of one source."""
    for method, partitions in compared.items():
        best, scores = tuned_scores(partitions, train, test)
        print(f"{volume}; {source}; {method}: {scores.arand:.4f} at {best}", file=sys.stderr)
        named = f"{source}; {method}"
        yield from rows(volume, named, scores)
        yield volume, named, "threshold", best


def medulla(folder: Path) -> Iterator[Row]:
    """FIB-SEM of the medulla: sections 0 to 109 to train with, 110 to 165 to test on."""
    names = ("image", "labels", "ffn_fib25_segmentation", "neuroproof_oversegmentation")
    image, labels, ffn, neuroproof = (tifffile.imread(folder / f"{name}.tif") for name in names)
    for method, found in (("FFN", ffn), ("NeuroProof supervoxels", neuroproof)):
        for volume, part in (
            (MEDULLA_TEST, slice(MEDULLA_TRAIN, None)),
            ("fibsem_medulla, whole", slice(None)),
        ):
            truth, there = labels[part], found[part]
            yield from rows(volume, method, score_partition(there, truth))
            # FFN leaves voxels at 0 that it did not reach; without them it is better.
            reached = np.where(there > 0, truth, 0)
            yield from rows(volume, f"{method}, where it labels", score_partition(there, reached))
            yield volume, method, "labelled", float(np.mean(there[truth > 0] > 0))
    tested = labels[MEDULLA_TRAIN:]
    apart = branches_apart(tested)
    yield from rows(MEDULLA_TEST, "truth, branches apart", score_partition(apart, tested))
    # FFN saw all sections, and joined what is joined outside of the test part.
    alone = label(ffn[MEDULLA_TRAIN:], connectivity=1)
    yield from rows(MEDULLA_TEST, "FFN, its connected pieces", score_partition(alone, tested))
    for method, found in (
        ("FFN", ffn[MEDULLA_TRAIN:]),
        ("FFN, its connected pieces", alone),
        ("NeuroProof supervoxels", neuroproof[MEDULLA_TRAIN:]),
    ):
        yield from rows(f"{MEDULLA_TEST}{APART}", method, score_partition(found, apart))
    affinities = affinities_of_outlines((255 - image).astype(np.uint8))
    yield from tuned_rows(
        MEDULLA_TEST,
        "grey values",
        (affinities[:, :MEDULLA_TRAIN], labels[:MEDULLA_TRAIN]),
        (affinities[:, MEDULLA_TRAIN:], labels[MEDULLA_TRAIN:]),
        GREY_METHODS,
    )


def snemi3d(folder: Path) -> Iterator[Row]:
    """A crop of SNEMI3D without its image: sections 0 to 15 for thresholds, 16 to 31 for scores."""
    probabilities, labels, supervoxels = (
        tifffile.imread(folder / f"train-{name}.tif")
        for name in ("probabilities", "labels", "fragments")
    )
    # 1 is what is no neurite, which the challenge's score leaves out.
    truth = np.where(labels == 1, 0, labels)
    affinities = affinities_of_outlines((255 - probabilities).astype(np.uint8))
    first, second = slice(None, SNEMI3D_TRAIN), slice(SNEMI3D_TRAIN, None)
    volume = f"snemi3d_mini, sections {SNEMI3D_TRAIN} to 31"
    yield from rows(
        volume, "supervoxels of gala", score_partition(supervoxels[second], truth[second])
    )
    yield from tuned_rows(
        volume,
        "membrane probability",
        (affinities[:, first], truth[first]),
        (affinities[:, second], truth[second]),
        SECTION_METHODS,
    )


def add_rows(path: Path, found: Iterable[Row]) -> None:
    """Write rows into a table, in the place of those of the same volume and method."""
    new = pd.DataFrame(found, columns=list(COLUMNS))
    if path.exists():
        table = read_table(path, COLUMNS)
        named = table["volume"] + table["method"]
        new = pd.concat([table[~named.isin(new["volume"] + new["method"])], new])
    write_table(path, new.sort_values(["volume", "method"], kind="stable"))


def read_arguments(
    parser: argparse.ArgumentParser, volumes: tuple[str, ...]
) -> tuple[argparse.Namespace, Path]:
    """Arguments of a benchmark on the public volumes, and the folder of these.

    Adds ``data``, ``table`` and ``volumes`` to the parser's own.

    Raises:
        StepError: the volumes are not there.
    """
    parser.add_argument("--data", type=Path, default=DATA, help="the public volumes")
    parser.add_argument("--table", type=Path, default=ROOT / "docs/tables/neurites-evaluation.tsv")
    parser.add_argument("--volumes", nargs="+", choices=volumes, default=volumes)
    given = parser.parse_args()
    folder = given.data / "neurites"
    if not folder.is_dir():
        raise StepError(
            f"{folder}: expected the public volumes, found no such folder; set SNAKESCOPE_DATA"
        )
    return given, folder


def main() -> None:
    """Score every method on every volume that is at hand."""
    parser = argparse.ArgumentParser(description=__doc__)
    given, folder = read_arguments(parser, ("gala", "medulla", "snemi3d"))
    scored = {"gala": gala, "medulla": medulla, "snemi3d": snemi3d}
    for name in given.volumes:
        add_rows(given.table, scored[name](folder / FOLDERS[name]))


if __name__ == "__main__":
    run_step(main)

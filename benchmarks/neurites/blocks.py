"""How far the result depends on the blocks: one block against 2 x 2 x 2 and 3 x 3 x 3.

    python -m benchmarks.neurites.blocks

writes docs/tables/neurites-blocks.tsv: a row a volume, scoring and division, with the greatest
adapted Rand error between the two partitions over all thresholds. Synthetic volumes have their seed
in their name; the real ones are those that SNAKESCOPE_DATA names, with affinities from grey values
or boundary probabilities, and by trained networks where benchmarks/neurites/training.py has
left some.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tifffile
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks import ROOT
from benchmarks.neurites import training as networks
from benchmarks.neurites.evaluation import (
    CUBES,
    DATA,
    FINE,
    FOLDERS,
    SECTIONS,
    affinities_of_outlines,
)
from benchmarks.neurites.volume import SyntheticVolume
from snakescope.neurites.agglomeration.segment import segment_blocks
from snakescope.neurites.fragments.context import context_px
from snakescope.neurites.fragments.settings import FragmentsSettings
from snakescope.neurites.scores.partition_scores import score_partition
from snakescope.neurites.volumes.blocks import Box
from snakescope.step.command import run_step
from snakescope.step.tables import write_table

THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
SCORINGS = ("mean", "quantile50")
DIVISIONS = (2, 3)
COLUMNS = (
    "volume", "voxels", "seed_radius_px", "context_px", "scoring", "blocks", "greatest_arand",
    "at_threshold",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """Affinities (3, Z, Y, X) and how their fragments are found; voxels in nm along z, y, x."""

    name: str
    affinities: NDArray[np.uint8]
    voxel_nm: tuple[float, float, float]
    settings: dict[str, Any] = field(default_factory=dict)


def box_of(shape: Sequence[int]) -> Box:
    """The box of a whole volume."""
    z, y, x = shape
    return (0, z), (0, y), (0, x)


def synthetic(sections: Sequence[int], cubes: Sequence[int]) -> Iterator[Case]:
    """Volumes of which everything is drawn: thick sections, and cubes, of shapes (z, y, x)."""
    for seed in range(2):
        box = box_of(sections)
        made = SyntheticVolume(seed).affinities(box)
        yield Case(f"synthetic sections, seed {seed}", made, SECTIONS)
    for seed in range(2):
        # A volume of thick sections, taken for cubes: its neurites wander steeply.
        box = box_of(cubes)
        made = SyntheticVolume(seed, noise=1.2).affinities(box)
        yield Case(f"synthetic cubes, seed {seed}", made, CUBES)


def real(data: Path, training: Path) -> Iterator[Case]:
    """Public volumes, as far as they are at hand."""
    isbi = data / "isbi2012" / "train-volume.tif"
    if isbi.exists():
        grey = tifffile.imread(isbi)[:12].astype(np.float32)
        smooth = np.stack([ndimage.gaussian_filter(section, 2.0) for section in grey])
        # Membranes are dark: from 160 on there is surely none, from 60 down there surely is one.
        outlines = (255 * np.clip((160 - smooth) / 100, 0, 1)).astype(np.uint8)
        yield Case("isbi2012, grey values", affinities_of_outlines(outlines), (50.0, 4.0, 4.0))
    outlines_of_gala = data / FOLDERS["gala"] / "test-p1.tif"
    if outlines_of_gala.exists():
        made = affinities_of_outlines(tifffile.imread(outlines_of_gala))
        yield Case("gala_fibsem_small, boundary probability", made, CUBES)
    for name, maker in networks.MAKERS.items():
        weights = training / name / "network.safetensors"
        if weights.exists():
            experiment = maker(data / FOLDERS[name])
            made = networks.predicted(weights, experiment.test, networks.VIEWS)[:3]
            for settings in ({}, FINE):
                yield Case(f"{experiment.test_name}; network", made, CUBES, settings)


def rows(case: Case, contexts: list[int | str]) -> Iterator[dict[str, object]]:
    """A row for every context, division and scoring."""
    z, y, x = case.affinities.shape[1:]
    alone = FragmentsSettings.model_validate(case.settings)
    # A block that is the whole volume has no neighbours to see.
    one = segment_blocks(case.affinities, (z, y, x), alone, case.voxel_nm, SCORINGS)
    for context in contexts:
        settings = FragmentsSettings.model_validate({**case.settings, "context_px": context})
        for parts in DIVISIONS:
            block = (-(-z // parts), -(-y // parts), -(-x // parts))
            many = segment_blocks(case.affinities, block, settings, case.voxel_nm, SCORINGS)
            for scoring in SCORINGS:
                errors = {
                    at: score_partition(
                        many.labels(scoring, at), one.labels(scoring, at).astype(np.int64)
                    ).arand
                    for at in THRESHOLDS
                }
                worst = max(errors, key=lambda at: errors[at])
                yield {
                    "volume": case.name,
                    "voxels": f"{z} x {y} x {x}",
                    "seed_radius_px": settings.seed_radius_px,
                    "context_px": context_px(settings),
                    "scoring": scoring,
                    "blocks": f"{parts} x {parts} x {parts}",
                    "greatest_arand": errors[worst],
                    "at_threshold": worst,
                }


def main() -> None:
    """Compare the divisions of every volume."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="the public volumes")
    parser.add_argument(
        "--training", type=Path, default=ROOT / "training", help="networks of neurites_training.py"
    )
    parser.add_argument("--sections", type=int, nargs=3, default=(24, 512, 512), help="z y x")
    parser.add_argument("--cubes", type=int, nargs=3, default=(72, 256, 256), help="z y x")
    parser.add_argument(
        "--contexts", nargs="+", default=["32", "auto"], help="context_px, several at once"
    )
    parser.add_argument("--table", type=Path, default=ROOT / "docs/tables/neurites-blocks.tsv")
    given = parser.parse_args()
    contexts = [one if one == "auto" else int(one) for one in given.contexts]
    found = []
    for cases in (
        synthetic(given.sections, given.cubes),
        real(given.data / "neurites", given.training),
    ):
        for case in cases:
            for row in rows(case, contexts):
                print(*row.values(), sep="\t", file=sys.stderr, flush=True)
                found.append(row)
    write_table(given.table, pd.DataFrame(found, columns=list(COLUMNS)))


if __name__ == "__main__":
    run_step(main)

"""Networks trained on one part of a real volume and scored on another, beside the other methods.

    python -m benchmarks.neurites.training [--volumes gala medulla]

trains a network for each volume, under training/, and adds its rows to
docs/tables/neurites-evaluation.tsv. A training that was interrupted goes on at its checkpoint, and
finished weights are taken as they are. The last columns (x) of the training part are kept apart:
thresholds are chosen there, and the test part is used for nothing but its scores. It needs the
public volumes that SNAKESCOPE_DATA names, whose licences do not let the weights be shipped.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import zarr
from numpy.typing import NDArray

from benchmarks import ROOT
from benchmarks.neurites.branches import branches_apart
from benchmarks.neurites.evaluation import (
    APART,
    FOLDERS,
    MEDULLA_TEST,
    MEDULLA_TRAIN,
    METHODS,
    Affinities,
    Row,
    Volume,
    add_rows,
    read_arguments,
    rows,
    tuned,
)
from snakescope.learning.device import choose_device
from snakescope.neurites.networks.model_files import load_network
from snakescope.neurites.networks.networks import parameter_count
from snakescope.neurites.prediction.patches import Triple
from snakescope.neurites.prediction.predict import predict_block, prepared
from snakescope.neurites.prediction.settings import PredictSettings
from snakescope.neurites.scores.partition_scores import score_partition
from snakescope.neurites.training.network import build
from snakescope.neurites.training.settings import AugmentSettings, TrainSettings
from snakescope.step.command import run_step
from snakescope.step.errors import StepError

UNIT = 8
"""Patches are multiples of this along every axis: the network halves them three times."""

LARGEST_PATCH = (48, 96, 96)
OVERLAP = 0.25
VIEWS = 4
"""Of test-time augmentation."""

TRAINING = TrainSettings(
    network="base",
    isotropic=True,
    features=(16, 32, 64, 96),
    patch_zyx=(40, 40, 40),
    batch=2,
    steps=2000,
    epoch_steps=100,
    learning_rate=1.5e-3,
    warmup_steps=50,
    precision="bfloat16",
    threads=1,
    augment=AugmentSettings(
        misalignment_share=0,
        misalignment_px=0,
        missing_share=0,
        blurred_share=0.3,
        blur_px=1.5,
        warp_share=0.6,
        rotation_deg=20,
        scaling=0.15,
        elastic_px=1.5,
        grey_share=0.7,
        grey_by_section_share=0,
        contrast=0.25,
    ),
)
"""FIB-SEM voxels are cubes: no section is missing or shifted against the next."""


@dataclass(frozen=True)
class Part:
    """Grey values and labels of one shape (z, y, x).

    Attributes:
        around: grey values of the volume that the part lies in, which a network may look at;
            none where the part is a volume of its own.
        corner: the part's first voxel there (z, y, x).
    """

    image: NDArray[np.uint8]
    labels: Volume
    around: NDArray[np.uint8] | None = None
    corner: Triple = (0, 0, 0)

    def columns(self, first: int, last: int | None) -> "Part":
        """The voxels from ``first`` to ``last`` - 1 along x."""
        inside = np.s_[:, :, first:last]
        z, y, x = self.corner
        return Part(
            np.ascontiguousarray(self.image[inside]),
            np.ascontiguousarray(self.labels[inside]),
            self.around,
            (z, y, x + first),
        )


@dataclass(frozen=True)
class Experiment:
    """What is trained on, what thresholds are chosen on, what is scored.

    Attributes:
        test_name: the test part's name in the table.
        columns: of the training part's x, this many from the first are trained on.
        branches_apart: whether to score against truth with its branches apart as well.
    """

    name: str
    test_name: str
    training_half: Part
    test: Part
    columns: int
    settings: TrainSettings
    branches_apart: bool = False

    @property
    def trained_on(self) -> Part:
        return self.training_half.columns(0, self.columns)

    @property
    def validation(self) -> Part:
        return self.training_half.columns(self.columns, None)


def gala(folder: Path) -> Experiment:
    """The two volumes of the gala package; outlines are labelled 0 there."""
    train, test = (
        Part(*(tifffile.imread(folder / f"{part}-{what}.tif") for what in ("image", "gt")))
        for part in ("train", "test")
    )
    return Experiment("gala", "gala_fibsem_small, test", train, test, 160, TRAINING)


def medulla(folder: Path) -> Experiment:
    """FIB-SEM of the medulla, in which labelled objects touch."""
    image, labels = (tifffile.imread(folder / f"{name}.tif") for name in ("image", "labels"))
    train = Part(image[:MEDULLA_TRAIN], labels[:MEDULLA_TRAIN], image)
    test = Part(image[MEDULLA_TRAIN:], labels[MEDULLA_TRAIN:], image, (MEDULLA_TRAIN, 0, 0))
    settings = TRAINING.model_copy(update={"boundary_px": 1, "steps": 9000})
    return Experiment("medulla", MEDULLA_TEST, train, test, 200, settings, branches_apart=True)


MAKERS = {"gala": gala, "medulla": medulla}


def trained(experiment: Experiment, folder: Path) -> Path:
    """The weights of an experiment, trained unless they are there.

    Raises:
        StepError: the training failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / "network.safetensors"
    if weights.exists():
        return weights
    with tempfile.TemporaryDirectory() as scratch:
        words = []
        parts = {"train": experiment.trained_on, "validation": experiment.validation}
        for purpose, part in parts.items():
            option = "" if purpose == "train" else f"{purpose}-"
            for what, data in (("image", part.image), ("labels", part.labels)):
                path = Path(scratch, purpose, f"{what}.zarr")
                path.parent.mkdir(exist_ok=True)
                zarr.create_array(str(path), data=data, zarr_format=2)
                words += [f"--{option}{what}", str(path)]
        for option, name in (("checkpoint", "ckpt"), ("weights", "safetensors"), ("card", "json")):
            words += [f"--{option}", str(folder / f"network.{name}")]
        words += ["--settings", experiment.settings.model_dump_json()]
        done = subprocess.run(
            [sys.executable, "-m", "snakescope", "neurites", "train", *words],
            env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
        )
    if done.returncode:
        raise StepError(f"{experiment.name}: expected a trained network, found none; see above")
    return weights


def predicted(weights: Path, part: Part, views: int, precision: str) -> Affinities:
    """Affinities of a part of a volume by a trained network, bump-blended patches."""
    network, _ = load_network(weights, None)
    device = choose_device("auto")
    image, corner = part.image, (0, 0, 0)
    if part.around is not None:
        image, corner = part.around, part.corner
    sides = zip(image.shape, LARGEST_PATCH, strict=True)
    z, y, x = (min(side, most) // UNIT * UNIT for side, most in sides)
    how = PredictSettings.model_validate(
        {
            "patch_zyx": (z, y, x),
            "overlap": OVERLAP,
            "precision": precision,
            "test_time_augmentation": views,
        }
    )
    inside = tuple((at, at + side) for at, side in zip(corner, part.image.shape, strict=True))
    return predict_block(prepared(network, device), image, inside, how, device)


def network_rows(experiment: Experiment, weights: Path, views: int) -> Iterator[Row]:
    """Rows of every method on the network's affinities, and what the network was trained with."""
    precision = experiment.settings.precision
    validation = predicted(weights, experiment.validation, views, precision)
    test = predicted(weights, experiment.test, views, precision)
    name = experiment.test_name
    apart = branches_apart(experiment.test.labels) if experiment.branches_apart else None
    found = {
        method: tuned(partitions, validation, experiment.validation.labels)
        for method, partitions in METHODS.items()
    }
    for method, (threshold, error) in found.items():
        labels = next(made for at, made in METHODS[method](test) if at == threshold)
        scores = score_partition(labels, experiment.test.labels)
        print(f"{name}; network; {method}: {scores.arand:.4f} at {threshold}", file=sys.stderr)
        yield from rows(name, f"network; {method}", scores)
        if apart is not None:
            yield from rows(f"{name}{APART}", f"network; {method}", score_partition(labels, apart))
        yield name, f"network; {method}", "threshold", threshold
        yield name, f"network; {method}", "arand_validation", error
    settings = experiment.settings
    facts: dict[str, Any] = {
        "parameters": parameter_count(build(settings)),
        "seed": settings.seed,
        "steps": settings.steps,
        "voxels_a_step": settings.batch * int(np.prod(settings.patch_zyx)),
        "views": views,
    }
    for metric, value in facts.items():
        yield name, "network", metric, float(value)


def main() -> None:
    """Train and score a network for every volume that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--training", type=Path, default=ROOT / "training", help="kept for resuming"
    )
    parser.add_argument("--steps", type=int, help="of a training, where not those of the table")
    parser.add_argument("--views", type=int, default=VIEWS, help="of test-time augmentation")
    parser.add_argument(
        "--precision", choices=("float32", "bfloat16"), default=TRAINING.precision,
        help="bfloat16 is faster on processors that have it, and many times slower on others",
    )  # fmt: skip
    given, folder = read_arguments(parser, ("gala", "medulla"))
    for name in given.volumes:
        experiment = MAKERS[name](folder / FOLDERS[name])
        update = {"precision": given.precision, **({"steps": given.steps} if given.steps else {})}
        settings = experiment.settings.model_copy(update=update)
        experiment = replace(experiment, settings=settings)
        weights = trained(experiment, given.training / name)
        add_rows(given.table, network_rows(experiment, weights, given.views))


if __name__ == "__main__":
    run_step(main)

"""Training of an affinity network on labelled volumes: seeded, resumable, validated on the way.

snakescope neurites train --image image.zarr --labels labels.zarr --settings '{}'
    --checkpoint training/neurites.ckpt --weights neurites.safetensors --card neurites.json

Loss and augmentation after Lee et al. 2017 (see affinity_targets and augment). Where no validation
volume is given, the last sections of every volume are kept for validation and never trained on.
"""

import argparse
import sys
from dataclasses import asdict
from math import prod
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from snakescope.learning.checkpoints import path_of
from snakescope.learning.device import choose_device
from snakescope.learning.history import history_of
from snakescope.learning.loading import prefetched
from snakescope.learning.loop import Training, fit, seed_everything
from snakescope.learning.precision import arithmetic, autocast, name_of
from snakescope.learning.registry import Card, Data, ScoreSet, write_card
from snakescope.learning.schedules import warmup_cosine
from snakescope.learning.weights import save_weights
from snakescope.neurites.networks.affinity_scores import score_affinities
from snakescope.neurites.networks.affinity_targets import NEAREST, balanced_loss, with_outlines
from snakescope.neurites.networks.networks import NeuriteNetwork
from snakescope.neurites.prediction.predict import check_patch, open_volume
from snakescope.neurites.training.held_out import held_out_scores
from snakescope.neurites.training.network import build, description, offsets_of
from snakescope.neurites.training.patches import (
    Batch,
    Labelled,
    check_fits,
    check_labelled,
    content,
    draw_batch,
    draw_patch,
    labelled,
    split,
)
from snakescope.neurites.training.settings import TrainSettings
from snakescope.step.errors import StepError


def rate(step: int, settings: TrainSettings) -> float:
    """Learning rate: linear warm-up, then cosine decay to 0."""
    return warmup_cosine(step, settings.steps, settings.warmup_steps, settings.learning_rate)


def loss(logits: torch.Tensor, labels: torch.Tensor, settings: TrainSettings) -> torch.Tensor:
    """The balanced loss of the pairs that the settings train; shapes as in balanced_loss."""
    outlined = with_outlines(labels, settings.boundary_px)
    return balanced_loss(logits, outlined, offsets_of(settings))


def make_training(
    settings: TrainSettings, volumes: list[Labelled], validation: list[Labelled]
) -> Training:
    """A fresh network and all that its training needs."""
    seed_everything(settings.seed, settings.threads)
    device = choose_device(settings.device)
    dtype = arithmetic(settings.precision, device)
    network = build(settings).to(device)
    if device.type == "cpu":
        # oneDNN then spares itself a change of layout at every convolution.
        network = network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    workers = settings.threads if device.type == "cuda" else 0

    def loss_of(model: torch.nn.Module, batch: Batch, step: int) -> torch.Tensor:
        image = torch.from_numpy(batch[0]).to(device)[:, None]
        labels = torch.from_numpy(batch[1]).to(device)
        with autocast(device, dtype):
            logits = model(image)
        return loss(logits, labels, settings)

    identity = settings.model_dump(mode="json", exclude={"threads", "device", "memory"})
    # By content: a training that has ended leaves its checkpoint, and corrected labels are none of
    # what it has learned.
    identity["volumes"] = [f"{v.name} {v.first}:{v.last} {content(v)}" for v in volumes]
    identity["version"] = settings.version
    return Training(
        model=network,
        optimiser=torch.optim.Adam(network.parameters(), lr=settings.learning_rate),
        rate=lambda step: rate(step, settings),
        batches=lambda first: prefetched(
            lambda step: draw_batch(volumes, settings, step), range(first, settings.steps), workers
        ),
        loss_of=loss_of,
        steps=settings.steps,
        identity=identity,
        report_every=settings.epoch_steps,
        clip_norm=settings.clip_norm,
        dtype=dtype,
        evaluate=lambda model: validate(model, validation, settings),
    )


def validate(
    network: NeuriteNetwork, volumes: list[Labelled], settings: TrainSettings
) -> dict[str, float]:
    """Loss and affinity scores of patches that are the same every time, without augmentation.

    Args:
        network: in evaluation mode.
    """
    rng = np.random.default_rng([settings.seed, 13])
    device = next(network.parameters()).device
    found: list[dict[str, float]] = []
    with torch.inference_mode():
        for _ in range(settings.validation_patches):
            image, labels = draw_patch(rng, volumes, settings, varied=False)
            logits = network(torch.from_numpy(image).to(device)[None, None])
            truth = torch.from_numpy(labels).to(device)[None]
            affinities = torch.sigmoid(logits[0, :NEAREST].float()).cpu().numpy()
            lost = float(loss(logits, truth, settings))
            found.append({"loss": lost, **asdict(score_affinities(affinities, labels))})
    return {key: float(np.mean([one[key] for one in found])) for key in found[0]}


def check_depth(settings: TrainSettings) -> None:
    """See that no level of the network is two sections deep in bfloat16 or float16.

    PyTorch 2.7 (oneDNN) gives gradients of 3 x 3 x 3 kernels on such maps from memory that it never
    wrote: now and then not a number, always another one.

    Raises:
        StepError: one is.
    """
    levels = len(settings.features) if settings.isotropic else 1
    depths = [settings.patch_zyx[0] >> level for level in range(levels)]
    dtype = arithmetic(settings.precision, choose_device(settings.device))
    if dtype != torch.float32 and 2 in depths:
        raise StepError(
            "training: patch_zyx: expected no level to be 2 sections deep in"
            f" {name_of(dtype)}, found {settings.patch_zyx[0]} sections, halved to {depths};"
            " take deeper patches or precision: float32"
        )


def train(
    settings: TrainSettings,
    volumes: list[Labelled],
    validation: list[Labelled],
    checkpoint: str | Path | None = None,
) -> NeuriteNetwork:
    """The trained network; an interrupted training is resumed from its checkpoint.

    Args:
        checkpoint: the name of the file is lengthened by what the training depends on, see
            :func:`snakescope.learning.checkpoints.path_of`.

    Raises:
        StepError: a volume is smaller than a patch or has no labels.
    """
    check_patch(settings.patch_zyx, len(settings.features), settings.isotropic)
    check_depth(settings)
    for purpose, some in (("training", volumes), ("validation", validation)):
        for volume in some:
            check_fits(volume, settings.patch_zyx, purpose)
            check_labelled(volume, purpose)
    training = make_training(settings, volumes, validation)
    own = None if checkpoint is None else path_of(checkpoint, training.identity)
    network: NeuriteNetwork = fit(training, own, history_of(own)).model
    return network


def _name(path: str) -> str:
    """A volume's own name: the folder of its files."""
    return Path(path).parent.name or Path(path).name


def read_volumes(images: list[str], labels: list[str]) -> list[Labelled]:
    """Pairs of zarr arrays.

    Raises:
        StepError: an image has no labels, or a pair does not belong together.
    """
    if len(images) != len(labels):
        raise StepError(
            f"volumes: expected labels for each image, found {len(images)} images and"
            f" {len(labels)} labels"
        )
    return [
        labelled(_name(image), open_volume(image), open_volume(truth))
        for image, truth in zip(images, labels, strict=True)
    ]


def add_volume_options(parser: argparse.ArgumentParser) -> None:
    """The options that name labelled volumes."""
    parser.add_argument("--image", action="append", default=[], help="zarr array, uint8")
    parser.add_argument("--labels", action="append", default=[], help="zarr array, one an image")
    parser.add_argument("--validation-image", action="append", default=[])
    parser.add_argument("--validation-labels", action="append", default=[])


def volumes_of(
    arguments: argparse.Namespace, validation_share: float, least: int
) -> tuple[list[Labelled], list[Labelled]]:
    """What to train on, and what to keep apart: validation volumes or, without any, sections.

    ``least`` is how many sections of a volume are kept apart at least: those of a patch.

    Raises:
        StepError: there is none to train on, or one cannot be used.
    """
    if not arguments.image:
        raise StepError(
            "volumes: expected one of the set train at least, found none; write train into the"
            " column set of the sample sheet, and name the volume's labels"
        )
    volumes = read_volumes(arguments.image, arguments.labels)
    validation = read_volumes(arguments.validation_image, arguments.validation_labels)
    if validation:
        return volumes, validation
    parts = [split(volume, validation_share, least) for volume in volumes]
    return [one for one, _ in parts], [other for _, other in parts]


def published_card(
    settings: TrainSettings, header: dict[str, Any], sha256: str, scores: list[dict[str, Any]]
) -> Card:
    """The card beside the weights, of their header and the scores of held-out volumes."""
    sets = {}
    for given in scores:
        of_volume = dict(given)
        name, size = of_volume.pop("volume"), of_volume.pop("voxels")
        sets[name] = ScoreSet(
            what=f"{size} voxels of {name}, which were not trained on",
            n=prod(int(side) for side in size.split(" x ")),
            cases="voxels",
            scores=of_volume,
        )
    return Card(
        what="affinities of neighbouring voxels in electron micrographs of neurites",
        sha256=sha256,
        model=description(settings),
        data=[Data(what=one, licence="that of the volume") for one in header["data"]],
        seed=settings.seed,
        steps=settings.steps,
        settings=header["settings"],
        held_out=sets,
        limits="volumes with the look and the voxel size of those it was trained on; look at"
        " sections.png before a segmentation is used",
        licence="that of the volumes it was trained on",
        command=header["command"],
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_volume_options(parser)
    parser.add_argument("--settings", required=True, help="settings as JSON")
    parser.add_argument("--checkpoint", required=True, type=Path)
    parser.add_argument("--weights", required=True, type=Path)
    parser.add_argument("--card", required=True, type=Path)


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = TrainSettings.model_validate_json(arguments.settings)
    cv2.setNumThreads(1)
    volumes, validation = volumes_of(arguments, settings.validation_share, settings.patch_zyx[0])
    network = train(settings, volumes, validation, arguments.checkpoint)
    card = {
        **description(settings),
        "data": [f"{v.name}, sections {v.first} to {v.last - 1}" for v in volumes],
        "seed": settings.seed,
        "settings": settings.model_dump(mode="json", exclude={"threads", "device"}),
        "command": "snakescope neurites train --image ... --labels ... --settings ...",
    }
    # The scores are of the file that is shipped, so they cannot be in its own header.
    sha256 = save_weights(arguments.weights, network.to("cpu"), card)
    scores = [held_out_scores(arguments.weights, volume, settings) for volume in validation]
    write_card(arguments.card, published_card(settings, card, sha256, scores))
    print(f"held out: {scores}", file=sys.stderr, flush=True)

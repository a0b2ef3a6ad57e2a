"""Training of the networks that segment and classify: ``paper`` and ``ordinal``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from snakescope.fibrosis.classes import CLASSES, class_of
from snakescope.fibrosis.networks.losses import (
    CLASS_WEIGHT,
    class_loss,
    mask_loss,
)
from snakescope.fibrosis.networks.ordinal import OrdinalNet
from snakescope.fibrosis.networks.unet import UNet
from snakescope.fibrosis.simulation.settings import STAGES
from snakescope.fibrosis.training.beside import simulated_views
from snakescope.fibrosis.training.examples import (
    Drawn,
    Examples,
    Grey,
    Normalisation,
    moved,
    normalisation_of,
    normalised,
    rescanned,
    resized,
    resized_mask,
)
from snakescope.fibrosis.training.settings import FitSettings
from snakescope.learning.device import choose_device
from snakescope.learning.loading import Samples
from snakescope.learning.loop import Training, fit, seed_everything
from snakescope.learning.precision import arithmetic, autocast
from snakescope.learning.schedules import warmup_cosine
from snakescope.learning.weights import load_weights
from snakescope.step.errors import StepError
from snakescope.step.files import repository_file
from snakescope.step.progress import progress

Batch = list[tuple[Drawn, int]]


class Scan(NamedTuple):
    """A training scan at the size of a network, its label, and what it is normalised with."""

    image: Grey
    mask: Grey
    label: int
    norm: Normalisation


PAPER_RHO, PAPER_EPS = 0.95, 1e-7
"""Of ADADELTA in Keras 2.1.6, which Kang et al. used; torch's defaults are others."""


def build(model: str, settings: FitSettings) -> UNet | OrdinalNet:
    """The network of a name, with random weights."""
    if model == "paper":
        one = settings.paper
        return UNet(one.width, one.pieces, one.head, one.size_px, len(CLASSES[settings.classes]))
    return OrdinalNet(settings.ordinal.width)


def size_of(model: str, settings: FitSettings) -> int:
    """Side of the input (px)."""
    return settings.paper.size_px if model == "paper" else settings.ordinal.size_px


def inputs_of(
    model: str, image: NDArray[np.uint8], norm: Normalisation, settings: FitSettings
) -> tuple[Tensor, ...]:
    """What a network is given of a scan, (1, 1, size, size) each.

    ``ordinal`` also sees it at the resolution at which speckle is measured.
    """
    sizes = [size_of(model, settings)]
    if model == "ordinal":
        sizes.append(settings.ordinal.speckle_px)
    return tuple(
        torch.from_numpy(normalised(resized(image, size), norm)[None, None]) for size in sizes
    )


def material(
    model: str, examples: Examples, norm: Normalisation, settings: FitSettings
) -> list[Scan]:
    """What a network is trained on: the scans, and beside few of them simulated views."""
    size = size_of(model, settings)

    def of(part: Examples, norm: Normalisation) -> list[Scan]:
        names = [STAGES[one] for one in part.stages]
        labels = (
            [class_of(stage, settings.classes) for stage in names]
            if model == "paper"
            else part.stages.tolist()
        )
        return [
            Scan(resized(image, size), resized_mask(mask, size), int(label), norm)
            for image, mask, label in zip(part.images, part.masks, labels, strict=True)
        ]

    scans, count = of(examples, norm), settings.ordinal.views
    if model == "paper" or not count:
        return scans
    views = simulated_views(count, settings.seed)
    return scans * max(1, count // (2 * len(scans))) + of(views, normalisation_of(views))


def train_network(
    model: str,
    examples: Examples,
    norm: Normalisation,
    settings: FitSettings,
    identity: Mapping[str, Any],
    checkpoint: Path | None = None,
) -> nn.Module:
    """Train a network from random weights on scans with stage, and mask where there is one.

    ``paper``: ADADELTA, rate 1, all epochs, no early stopping; ``ordinal``: AdamW, cosine, of the
    liver; then its stages are fitted.

    Args:
        identity: of the data; a checkpoint of another is refused.
        checkpoint: to go on from, and to write.
    """
    device = choose_device(settings.device)
    seed_everything(settings.seed, settings.threads)
    network = build(model, settings).to(device)
    if settings.start and isinstance(network, OrdinalNet):
        start_from(network, repository_file(settings.start))
    scans = material(model, examples, norm, settings)

    def draw(index: int, rng: np.random.Generator) -> tuple[Drawn, int]:
        scan = scans[index]
        drawn = moved(scan.image, scan.mask, rng, settings.flip, settings.moves)
        if model != "paper":
            drawn = drawn._replace(image=rescanned(drawn.image, rng))
        return drawn._replace(image=normalised(drawn.image, scan.norm)), scan.label

    one = settings.paper if model == "paper" else settings.ordinal
    samples = Samples(draw, len(scans), min(one.batch, len(scans)), settings.seed)
    steps = one.epochs * samples.epoch_steps
    dtype = arithmetic(settings.precision, device)

    def loss_of(network: nn.Module, batch: Batch, step: int) -> dict[str, Tensor]:
        x = torch.from_numpy(np.stack([drawn.image for drawn, _ in batch])[:, None]).to(device)
        y = torch.from_numpy(np.stack([drawn.mask for drawn, _ in batch])[:, None]).to(device)
        wanted = torch.tensor([label for _, label in batch], device=device)
        if isinstance(network, OrdinalNet):
            with autocast(device, dtype):
                logits = network.liver(x)
            masks = [one.float() for one in logits]
            return {"mask": mask_loss(masks, y, settings.ordinal.overlap)}
        with autocast(device, dtype):
            output = network(x)
        masks = [one.float() for one in output.masks]
        return {
            "mask": mask_loss(masks, y),
            "class": CLASS_WEIGHT * class_loss(output.stage.float(), wanted),
        }

    rate: Any
    if model == "paper":
        optimiser: torch.optim.Optimizer = torch.optim.Adadelta(
            network.parameters(), lr=1.0, rho=PAPER_RHO, eps=PAPER_EPS
        )
        rate = lambda step: 1.0  # noqa: E731
    else:
        decay = settings.ordinal.weight_decay
        optimiser = torch.optim.AdamW(network.parameters(), weight_decay=decay)
        rate = lambda step: warmup_cosine(step, steps, steps // 10, settings.ordinal.rate)  # noqa: E731
    training = Training(
        model=network,
        optimiser=optimiser,
        rate=rate,
        batches=lambda first: samples.batches(first, steps, workers=max(0, settings.threads - 1)),
        loss_of=loss_of,
        steps=steps,
        identity=dict(identity),
        report_every=max(samples.epoch_steps, steps // 10),
        clip_norm=None if model == "paper" else 1.0,
        dtype=dtype,
    )
    history = None if checkpoint is None else checkpoint.with_suffix(".tsv")
    fitted: nn.Module = fit(training, checkpoint, history).model
    if isinstance(fitted, OrdinalNet):
        read_stages(fitted, examples, norm, settings, device)
    return fitted.cpu()


def start_from(network: OrdinalNet, path: str) -> None:
    """Take over the weights of another training.

    Raises:
        StepError: no such file, or weights of another network.
    """
    tensors, _ = load_weights(path)
    try:
        network.load_state_dict(dict(tensors))
    except RuntimeError:
        width = network.width
        raise StepError(
            f"{path}: expected weights of a network `ordinal` of width {width}, found other ones;"
            " set `fibrosis: training: ordinal: width` to that of the weights"
        ) from None


@torch.no_grad()
def read_stages(
    network: OrdinalNet,
    examples: Examples,
    norm: Normalisation,
    settings: FitSettings,
    device: torch.device,
) -> None:
    """Fit the stages of a network that has learnt the liver, on scans as they are."""
    network.forget()
    found = []
    for image in progress(examples.images, "scans measured"):
        x, detail = (one.to(device) for one in inputs_of("ordinal", image, norm, settings))
        found.append(network.measures(x, detail, network.liver(x)[0]).cpu())
    stages = torch.from_numpy(examples.stages)
    with torch.enable_grad():
        network.cpu().read(torch.cat(found), stages, settings.ordinal.ridge)

"""Every model behind one face: fitted to scans, kept as tensors, asked for probabilities."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from snakescope.fibrosis.classes import CLASSES, class_of
from snakescope.fibrosis.networks import vgg
from snakescope.fibrosis.networks.simple import Logistic, Majority
from snakescope.fibrosis.networks.texture import NAMES, texture_measures
from snakescope.fibrosis.simulation.settings import STAGES
from snakescope.fibrosis.training.examples import (
    Examples,
    Normalisation,
    normalisation_of,
)
from snakescope.fibrosis.training.networks import build, inputs_of, train_network
from snakescope.fibrosis.training.settings import FitSettings
from snakescope.learning.device import choose_device
from snakescope.step.errors import StepError
from snakescope.step.progress import progress

NETWORKS = ("paper", "ordinal")


class Prediction(NamedTuple):
    """What a model says of a scan.

    Attributes:
        logits: (classes,), whose softmax are the probabilities of the classes.
        thresholds: probabilities (4,) of stages >= F1 to >= F4; NaN where the model has none.
        liver: probability of the liver, (512, 512), or None.
        features: what tells unusual scans; empty where there is none.
    """

    logits: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    liver: NDArray[np.float32] | None
    features: NDArray[np.float32]


class VggModel(nn.Module):
    """A head with the mean and SD of its features; the convolutions are made again."""

    def __init__(self, classes: int):
        super().__init__()
        self.head = vgg.Head(classes)
        self.register_buffer("mean", torch.zeros(vgg.CHANNELS))
        self.register_buffer("sd", torch.ones(vgg.CHANNELS))


class Fitted(NamedTuple):
    """A fitted model with what it needs to be asked."""

    name: str
    module: nn.Module
    norm: Normalisation
    settings: FitSettings

    @property
    def card(self) -> dict[str, Any]:
        """What rebuilds it, as JSON can hold it."""
        settings = self.settings.model_dump(mode="json", exclude={"device", "threads"})
        return {"model": self.name, "norm": list(self.norm), "settings": settings}


def labels_of(examples: Examples, settings: FitSettings) -> NDArray[np.int64]:
    """The class of every scan."""
    return np.array([class_of(STAGES[one], settings.classes) for one in examples.stages])


def measures_of(examples: Examples) -> NDArray[np.float64]:
    """Texture measures (N, 12) inside the given outlines, or in the sector without one."""
    found = []
    for image, mask in zip(examples.images, examples.masks, strict=True):
        found.append(texture_measures(image, (image if mask is None else mask) > 0))
    return np.array(found).reshape(len(examples), len(NAMES))


def vgg_features(name: str, examples: Examples, settings: FitSettings) -> list[torch.Tensor]:
    """Features of the scan, or of each of its patches, scan by scan."""
    net = name.removesuffix("_patches")
    weights = getattr(settings.vgg, f"weights_{net}")
    model = vgg.convolutions(net, weights, settings.seed)
    pairs = list(zip(examples.images, examples.masks, strict=True))
    return [
        vgg.features(model, vgg.crops(image, mask, name.endswith("_patches"), settings.vgg))
        for image, mask in progress(pairs, name)
    ]


def fit_model(
    name: str,
    examples: Examples,
    settings: FitSettings,
    identity: Mapping[str, Any],
    checkpoint: Path | None = None,
    cached: Sequence[torch.Tensor] | None = None,
) -> Fitted:
    """Fit the model of a name to scans with stage.

    Args:
        identity: what tells the training data apart from others, for the checkpoint.
        cached: of :func:`vgg_features`, where several folds share them.

    Raises:
        StepError: no scans.
    """
    if not len(examples):
        raise StepError("training: expected scans with a stage, found none; add rows to the sheet")
    torch.set_num_threads(settings.threads)
    norm = normalisation_of(examples)
    classes, labels = len(CLASSES[settings.classes]), labels_of(examples, settings)
    if name in NETWORKS:
        whole = {**identity, "settings": settings.recorded(), "version": settings.version}
        module = train_network(name, examples, norm, settings, whole, checkpoint)
    elif name == "features":
        module = Logistic.fitted(measures_of(examples), labels, classes)
    elif name == "majority":
        module = Majority.fitted(labels, classes)
    else:
        values = cached or vgg_features(name, examples, settings)
        repeated = np.repeat(labels, [len(one) for one in values])
        epochs = settings.vgg.epochs
        head, mean, sd = vgg.train_head(
            torch.cat(list(values)), torch.from_numpy(repeated), classes, epochs, settings.seed
        )
        module = VggModel(classes)
        module.head.load_state_dict(head.state_dict())
        module.mean, module.sd = mean, sd
    return Fitted(name, module.eval(), norm, settings)


def restored(tensors: Mapping[str, torch.Tensor], card: Mapping[str, Any]) -> Fitted:
    """A model as it was fitted, from its weights and card."""
    settings = FitSettings.model_validate(card["settings"])
    name, classes = card["model"], len(CLASSES[settings.classes])
    module: nn.Module
    if name in NETWORKS:
        module = build(name, settings)
    elif name == "features":
        module = Logistic(len(NAMES), classes)
    elif name == "majority":
        module = Majority(classes)
    else:
        module = VggModel(classes)
    module.load_state_dict(dict(tensors))
    return Fitted(name, module.eval(), Normalisation(*card["norm"]), settings)


def predict(
    fitted: Fitted, examples: Examples, cached: Sequence[torch.Tensor] | None = None
) -> list[Prediction]:
    """What a model says of every scan; its stage is not looked at."""
    name, module, settings = fitted.name, fitted.module, fitted.settings
    none, empty = np.full(4, np.nan), np.zeros(0, np.float32)
    with torch.inference_mode():
        if name in NETWORKS:
            device = choose_device(settings.device)
            module = module.to(device)
            return [_of_network(fitted, module, device, one) for one in examples.images]
        if name in ("features", "majority"):
            measures = torch.from_numpy(measures_of(examples))
            return [
                Prediction(row.numpy(), none, None, value.numpy().astype(np.float32))
                for row, value in zip(module(measures).double(), measures, strict=True)
            ]
        found = []
        head: Any = module
        for values in cached or vgg_features(name, examples, settings):
            seen_values = (values - head.mean) / head.sd
            # The votes of patches are the mean of their log-probabilities.
            logits = torch.log_softmax(head.head(seen_values), dim=1).mean(0)
            found.append(Prediction(logits.double().numpy(), none, None, empty))
    return found


def _of_network(
    fitted: Fitted, module: nn.Module, device: torch.device, image: NDArray[np.uint8]
) -> Prediction:
    inputs = inputs_of(fitted.name, image, fitted.norm, fitted.settings)
    output = module(*(one.to(device) for one in inputs))
    mask = torch.sigmoid(output.masks[0])[0, 0].float().cpu().numpy()
    whole = cv2.resize(mask, image.shape[::-1], interpolation=cv2.INTER_LINEAR)
    liver = np.asarray(np.where(image > 0, whole, 0), np.float32)
    logits = output.stage[0].double().cpu().numpy()
    thresholds = np.full(4, np.nan)
    if fitted.name == "ordinal":
        thresholds = 1 / (1 + np.exp(-logits))
        logits = class_logits(thresholds, fitted.settings.classes)
    return Prediction(logits, thresholds, liver, output.features[0].float().cpu().numpy())


def class_logits(thresholds: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    """Logarithms of class probabilities (K,), by differences of P(>= F1) to P(>= F4)."""
    return np.log(np.maximum(class_probabilities(thresholds, classes), 1e-9))


def class_probabilities(thresholds: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    """Probabilities (..., K) of 3, 4 or 5 classes from P(>= F1) to P(>= F4), (..., 4)."""
    ends = np.concatenate(
        [np.ones((*thresholds.shape[:-1], 1)), thresholds, np.zeros((*thresholds.shape[:-1], 1))],
        axis=-1,
    )
    stages = -np.diff(ends, axis=-1)
    parts = [
        stages[..., [STAGES.index(stage) for stage in names]].sum(axis=-1)
        for names in CLASSES[classes]
    ]
    return np.stack(parts, axis=-1)

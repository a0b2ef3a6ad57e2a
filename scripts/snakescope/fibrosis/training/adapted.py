"""A network of other scans on a new device: its normalisation is that of the device's own scans.

Layers scale each channel by its mean and SD over the scans that they were trained on; on another
device these are off, and outlines are lost with them. No outline is needed to measure them anew (Li
et al., Pattern Recognit. 80 (2018) 109-117).
"""

import copy

import numpy as np
import torch
from torch import nn

from snakescope.fibrosis.training.examples import (
    Examples,
    normalisation_of,
    normalised,
    resized,
)
from snakescope.fibrosis.training.models import Fitted

MOST = 200
"""Scans that are shown at once, from all over the table: more need gigabytes, and say the same."""


@torch.no_grad()
def adapted(fitted: Fitted, examples: Examples) -> Fitted:
    """A copy of a fitted `ordinal` whose means and SDs are those of some scans, best of one device.

    The outlines and stages of the scans are not looked at.
    """
    module = copy.deepcopy(fitted.module)
    layers = [one for one in module.modules() if isinstance(one, nn.BatchNorm2d)]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the mean of all that is shown, here of one batch
    norm, size = normalisation_of(examples), fitted.settings.ordinal.size_px
    some = np.unique(np.linspace(0, len(examples) - 1, min(MOST, len(examples))).astype(int))
    images = [examples.images[at] for at in some]
    shown = [torch.from_numpy(normalised(resized(one, size), norm)) for one in images]
    module.train()
    module.liver(torch.stack(shown)[:, None])  # type: ignore[operator]
    return fitted._replace(module=module.eval(), norm=norm)

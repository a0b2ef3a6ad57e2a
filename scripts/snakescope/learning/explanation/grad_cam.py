"""Grad-CAM (Selvaraju et al., ICCV 2017), by captum."""

from collections.abc import Callable

import numpy as np
import torch
from captum.attr import LayerGradCam
from numpy.typing import NDArray
from torch import Tensor, nn


def grad_cam(
    model: nn.Module, layer: nn.Module, inputs: Tensor, score: Callable[[Tensor], Tensor]
) -> NDArray[np.float32]:
    """Where a layer's activations raise a score, equation 2: never negative.

    Args:
        model: in evaluation mode.
        layer: whose output is (N, channels, Y, X).
        inputs: (N, ...), what the model takes.
        score: of the inputs, (N,): runs the model.

    Returns:
        Shape (N, Y, X) of the layer, each map scaled to 0 .. 1; zeros where nothing raises it.
    """
    wanted = [one.requires_grad for one in model.parameters()]
    for one in model.parameters():
        one.requires_grad_(True)
    try:
        with torch.enable_grad():
            found = LayerGradCam(score, layer).attribute(inputs, relu_attributions=True)
    finally:
        for one, before in zip(model.parameters(), wanted, strict=True):
            one.requires_grad_(before)
    maps: NDArray[np.float32] = found.detach().sum(1).float().cpu().numpy()
    top = maps.max(axis=(1, 2), keepdims=True)
    return np.divide(maps, top, out=np.zeros_like(maps), where=top > 0)

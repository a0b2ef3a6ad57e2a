"""Grad-CAM (Selvaraju et al., ICCV 2017), by captum."""

from collections.abc import Callable

import numpy as np
import torch
from captum.attr import LayerGradCam
from numpy.typing import NDArray
from torch import Tensor, nn


def layer_maps(
    layer: nn.Module, inputs: Tensor, score: Callable[[Tensor], Tensor], absolute: bool = False
) -> NDArray[np.float32]:
    """How much a layer's activations raise a score, equation 2: never negative, not scaled.

    Args:
        layer: of a model in evaluation mode; its output is (N, channels, places ...).
        inputs: (N, ...), what the model takes.
        score: of the inputs, (N,): runs the model.
        absolute: count what lowers the score like what raises it.

    Returns:
        Shape (N, places ...) of the layer.
    """
    # Gradients reach the layer by the inputs, so that weights may stay as they are.
    wanted = inputs.detach().clone().requires_grad_(True)
    with torch.enable_grad():
        found = LayerGradCam(score, layer).attribute(wanted).detach().sum(1)
    maps: NDArray[np.float32] = (found.abs() if absolute else found.relu()).float().cpu().numpy()
    return maps


def grad_cam(
    layer: nn.Module, inputs: Tensor, score: Callable[[Tensor], Tensor]
) -> NDArray[np.float32]:
    """Where a layer's activations raise a score: :func:`layer_maps`, from 0 to 1.

    Returns:
        Shape (N, Y, X) of the layer, each map scaled by its greatest value; zeros where nothing
        raises the score.
    """
    maps = layer_maps(layer, inputs, score)
    top = maps.max(axis=(1, 2), keepdims=True)
    return np.divide(maps, top, out=np.zeros_like(maps), where=top > 0)

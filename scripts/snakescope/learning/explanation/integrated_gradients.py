"""Integrated gradients (Sundararajan et al., ICML 2017), by captum."""

from collections.abc import Callable

import numpy as np
import torch
from captum.attr import IntegratedGradients
from numpy.typing import NDArray
from torch import Tensor


def integrated_gradients(
    inputs: Tensor, baseline: Tensor, score: Callable[[Tensor], Tensor], steps: int
) -> NDArray[np.float32]:
    """What each value adds to a score, against a baseline; below 0 where it lowers the score.

    The sum over all values is the score of the inputs less that of the baseline, but for the error
    of so many steps.

    Args:
        inputs: (1, ...), what the model takes; baseline: the same without what is asked for.
        score: of inputs (N, ...), (N,): runs a model in evaluation mode.
        steps: points on the way from the baseline to the inputs.

    Returns:
        Shape of the inputs, without the first axis.
    """
    # One point at a time: a clip with its gradients needs much memory.
    with torch.enable_grad():
        found: Tensor = IntegratedGradients(score).attribute(
            inputs.detach(), baseline.detach(), n_steps=steps, method="riemann_middle",
            internal_batch_size=1,
        )  # fmt: skip
    values: NDArray[np.float32] = found[0].detach().float().cpu().numpy()
    return values

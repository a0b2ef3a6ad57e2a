"""The three classifiers of Matsuo et al. (section 3.3.2), scaled down for CPUs.

Input are composites as float32 (N, 7, 64, 64), the fractions of their seven colours; output are
logits (N, 3) in the order of ``STATES``. The models are built from classes of timm and trained from
scratch, since composites of binary masks do not resemble photographs.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from timm.layers import get_attn
from timm.models.mlp_mixer import MlpMixer
from timm.models.resnet import Bottleneck, ResNet
from timm.models.vision_transformer import VisionTransformer

from snakescope.healthspan.states.states import STATES
from snakescope.step.errors import StepError

INPUT_PX = 64
WINDOW_PX = 128
COLOURS = 7

HYPER_PARAMETERS: dict[str, dict[str, Any]] = {
    # tokens of 8x8 px, mixed between places and between channels
    "mlp_mixer": {"patch_size": 8, "num_blocks": 4, "embed_dim": 96, "mlp_ratio": [1.0, 2.0]},
    "vit": {"patch_size": 8, "depth": 4, "embed_dim": 96, "num_heads": 3, "mlp_ratio": 2.0},
    # ResNet-RS-50 at a quarter of its width, two blocks a stage: the pictures are small
    "resnet_rs": {"layers": [2, 2, 2, 2], "channels": [16, 32, 64, 128], "stem_width": 16},
}


def _resnet_rs(layers: list[int], channels: list[int], stem_width: int) -> torch.nn.Module:
    """ResNet-RS: a deep stem without pooling, shortcuts of ResNet-D, squeeze and excitation."""
    return ResNet(
        Bottleneck,  # type: ignore[arg-type]  # timm asks for an instance, means the class
        layers=tuple(layers),
        channels=tuple(channels),
        num_classes=len(STATES),
        in_chans=COLOURS,
        stem_width=stem_width,
        stem_type="deep",
        replace_stem_pool=True,
        avg_down=True,
        block_args={"attn_layer": partial(get_attn("se"), rd_ratio=0.25)},
    )


_BUILDERS: dict[str, Callable[..., torch.nn.Module]] = {
    "mlp_mixer": partial(MlpMixer, num_classes=len(STATES), img_size=INPUT_PX, in_chans=COLOURS),
    "vit": partial(VisionTransformer, num_classes=len(STATES), img_size=INPUT_PX, in_chans=COLOURS),
    "resnet_rs": _resnet_rs,
}


def build_model(architecture: str, parameters: Mapping[str, Any] | None = None) -> torch.nn.Module:
    """Build a model with random weights from the global generator of torch.

    Args:
        architecture: a key of :data:`HYPER_PARAMETERS`.
        parameters: hyper-parameters in place of the defaults.

    Raises:
        StepError: an unknown architecture.
    """
    if architecture not in _BUILDERS:
        raise StepError(
            f"state classifier: expected one of {', '.join(_BUILDERS)}, found {architecture!r}"
        )
    chosen = HYPER_PARAMETERS[architecture] if parameters is None else parameters
    return _BUILDERS[architecture](**chosen)


def colours_of(composites: NDArray[np.uint8]) -> torch.Tensor:
    """Return the colour of every pixel, uint8 (N, 128, 128): 1 before + 2 at + 4 after.

    Args:
        composites: uint8 (N, 128, 128, 3).

    Raises:
        ValueError: another shape.
    """
    if composites.ndim != 4 or composites.shape[1:] != (WINDOW_PX, WINDOW_PX, 3):
        raise ValueError(f"composites of shape {composites.shape}, expected (N, 128, 128, 3)")
    bits = composites > 127
    return torch.from_numpy(bits[..., 0] + np.uint8(2) * bits[..., 1] + np.uint8(4) * bits[..., 2])


def model_input(colours: torch.Tensor) -> torch.Tensor:
    """Return the fraction of each colour in 2 x 2 px, float32 (N, 7, 64, 64), by ``colours_of``.

    Matsuo et al. discuss the fractions of white and yellow (section 4.3.3). Downsampling red, green
    and blue separately would lose their overlap, so pixels are classified by colour first and then
    averaged.
    """
    shares = [(colours == colour).float() for colour in range(1, COLOURS + 1)]
    return torch.nn.functional.avg_pool2d(torch.stack(shares, dim=1), WINDOW_PX // INPUT_PX)


def probabilities(logits: torch.Tensor, temperature: float) -> NDArray[np.float64]:
    """Return calibrated probabilities (N, 3): softmax of the logits divided by a temperature."""
    return torch.softmax(logits.double() / temperature, dim=1).cpu().numpy()

"""Where networks look when they grade a clip: one map a frame.

The score that is explained is the predicted mean grade, not the most frequent grade: one that
splits its votes between B and C has no class to ask about.
"""

from typing import Literal, get_args

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from snakescope.learning.explanation.attention import explained
from snakescope.learning.explanation.grad_cam import layer_maps
from snakescope.learning.explanation.integrated_gradients import integrated_gradients
from snakescope.sperm.networks.catalogue import FRAMES
from snakescope.sperm.networks.heads import GRADES, GradeNetwork, Softmax
from snakescope.sperm.networks.joined import SlowFastTimeSformer
from snakescope.sperm.networks.ours import Ours
from snakescope.sperm.networks.residual3d import I3D, SlowFast
from snakescope.sperm.networks.rostfine import RoSTFine
from snakescope.sperm.networks.transformers import TimeSformer, ViViT
from snakescope.sperm.networks.x3d import X3D

Method = Literal["grad_cam", "rollout", "relevance", "integrated_gradients"]
METHODS: tuple[Method, ...] = get_args(Method)
BLURRED, SMOOTHED = 1 / 16, 1 / 48
"""SDs of Gaussians, as shares of the side: of the baseline of integrated gradients, whose sperm
have no details, and of their maps."""
STEPS = 6
"""Of integrated gradients."""
Maps = NDArray[np.float32]


def mean_grade(network: GradeNetwork, clips: Tensor, motion: Tensor) -> Tensor:
    """Predicted mean grade of clips, 0 (A) to 4 (E), shape (B,)."""
    values = torch.arange(GRADES, dtype=torch.float32, device=clips.device)
    found: Tensor = network(clips, motion).exp() @ values
    return found


def layer_of_maps(network: GradeNetwork) -> nn.Module | None:
    """The layer of convolutions whose maps are shown; None of networks without places.

    It is the last one, as in the paper, but for `ours`: its last maps have 16 px of a clip a place,
    and a head in the middle lies on the corner of four of them. On six simulated sperm that no
    figure is taken from, maps behind its first convolutions pointed better, gathered more, changed
    more where the sperm had changed, and were less like those of random weights.
    """
    inner: nn.Module = network.network if isinstance(network, Softmax) else network
    if isinstance(inner, SlowFastTimeSformer):
        inner = inner.slowfast
    match inner:
        case Ours():
            return inner.stem
        case I3D():
            return inner.stages[-1]
        case SlowFast():
            return inner.slow[-1]
        case X3D():
            return inner.norm5
    if hasattr(inner, "layer4"):  # ResNet of images and of clips
        return inner.layer4  # type: ignore[return-value]
    if isinstance(getattr(inner, "features", None), nn.Sequential):  # VGG: its last ReLU
        return [one for one in inner.features if isinstance(one, nn.ReLU)][-1]  # type: ignore[union-attr]
    return None


def transformer(network: GradeNetwork) -> nn.Module | None:
    """The part with attention over the patches of frames; None of others."""
    inner: nn.Module = network.network if isinstance(network, Softmax) else network
    if isinstance(inner, RoSTFine):
        return inner.base
    if isinstance(inner, SlowFastTimeSformer):
        return inner.timesformer
    if isinstance(inner, (TimeSformer, ViViT)):
        return inner
    blocks = getattr(inner, "blocks", None)
    return inner if blocks is not None and hasattr(blocks[0], "attn") else None


def methods_of(network: GradeNetwork) -> tuple[Method, ...]:
    """The methods that can explain a network, the one to read first before others."""
    found: list[Method] = ["integrated_gradients"] if isinstance(network, Ours) else []
    found += ["grad_cam"] if layer_of_maps(network) is not None else []
    one = transformer(network)
    if one is not None and (isinstance(one, (TimeSformer, ViViT)) or _plain_attention(one)):
        found += ["rollout", "relevance"]
    return tuple(found)


def _plain_attention(network: nn.Module) -> bool:
    return all(hasattr(block.attn, "fused_attn") for block in network.blocks)  # type: ignore[union-attr]


def maps_of(network: GradeNetwork, method: Method, clip: Tensor, motion: Tensor) -> Maps:
    """One map for each frame that a network looks at, float32 (T, y, x), never negative.

    Values of all frames are on one scale, 1 at the most; zeros where nothing raises the score.

    Args:
        network: in evaluation mode.
        clip: shape (16, Y, X), normalised; motion: (19,).

    Raises:
        ValueError: the method cannot explain this network.
    """
    if method not in methods_of(network):
        raise ValueError(f"{method} cannot explain {type(network).__name__}")
    clips, moved = clip[None], motion[None]
    if method == "grad_cam":
        found = _grad_cam(network, clips, moved)
    elif method == "integrated_gradients":
        found = _integrated(network, clips, moved)
    else:
        found = _attention(network, clips, moved, method == "relevance")
    top = float(found.max())
    return np.asarray(found / top if top > 0 else found, np.float32)


def _grad_cam(network: GradeNetwork, clips: Tensor, motion: Tensor) -> Maps:
    """Selvaraju et al., ICCV 2017, equation 2; what lowers or raises the mean grade counts alike.

    The layer of a network of clips has times as well as places.
    """
    layer = layer_of_maps(network)
    assert layer is not None
    (maps,) = layer_maps(
        layer, clips, lambda seen: mean_grade(network, seen, motion), absolute=True
    )
    return maps[None] if maps.ndim == 2 else maps


def _integrated(network: GradeNetwork, clips: Tensor, motion: Tensor) -> Maps:
    """Where pictures raise the mean grade, towards E, against the same clip blurred.

    What the drift says is the same in both. Smoothed, as neighbouring pixels of an edge raise and
    lower the grade in turn. What lowers the grade is left out: maps of the same places with another
    sign are other maps, and those of a network with random weights are then unlike these.
    """
    side = clips.shape[-1]
    blurred = np.stack([_smoothed(frame, BLURRED * side) for frame in clips[0].cpu().numpy()])
    baseline = torch.from_numpy(blurred)[None].to(clips.device)
    found = integrated_gradients(
        clips, baseline, lambda seen: mean_grade(network, seen, motion), STEPS
    )
    smooth = np.stack([_smoothed(one, SMOOTHED * side) for one in found])
    return np.asarray(np.maximum(smooth, 0), np.float32)


def _smoothed(image: Maps, sd_px: float) -> Maps:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sd_px), np.float32)


def _attention(network: GradeNetwork, clips: Tensor, motion: Tensor, gradients: bool) -> Maps:
    """Of the class token to the patches of each frame; attention over time is left out."""
    one = transformer(network)
    blocks = one.spatial if isinstance(one, ViViT) else one.blocks  # type: ignore[union-attr]
    wanted = clips.detach().clone().requires_grad_(True)
    whole = explained(
        [block.attn for block in blocks],  # type: ignore[union-attr]
        lambda: mean_grade(network, wanted, motion),
        gradients,
    )
    patches = whole[:, 0, 1:]
    side = round(patches.shape[1] ** 0.5)
    return np.asarray(patches.reshape(-1, side, side).numpy(), np.float32)


def frames_of(maps: Maps) -> NDArray[np.intp]:
    """The frames of the clip that maps belong to, evenly spread as networks take them."""
    return np.arange(len(maps)) * (FRAMES // len(maps))


def time_attention(network: GradeNetwork, clip: Tensor, motion: Tensor) -> Maps:
    """Attention between the times of a TimeSformer, mean over places and heads, (layers, T, T).

    Raises:
        ValueError: another network.
    """
    one = transformer(network)
    if not isinstance(one, TimeSformer):
        raise ValueError(f"{type(network).__name__} has no attention over time")
    from snakescope.learning.explanation.attention import recorded

    modules = [block.temporal_attn for block in one.blocks]
    with recorded(modules) as found, torch.no_grad():
        network(clip[None], motion[None])
    return np.stack([one.mean((0, 1)).float().cpu().numpy() for one in found])

"""Published weights to begin a training with, from a file, by a map of their names.

Kinetics weights of PyTorchVideo (``.pyth``), of TimeSformer's authors and of torchvision, and
ImageNet weights of timm. Files are read as tensors only: nothing in them is executed.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from snakescope.sperm.networks.heads import GradeNetwork
from snakescope.step.errors import StepError

Rules = tuple[tuple[str, str], ...]
"""Regular expressions and their replacements, all applied in order."""

_BLOCK: Rules = (
    (r"res_blocks\.(\d+)\.branch2\.", r"\1."),
    (r"res_blocks\.(\d+)\.branch1_conv\.", r"\1.shortcut.0."),
    (r"res_blocks\.(\d+)\.branch1_norm\.", r"\1.shortcut.1."),
)
RULES: Mapping[str, Rules] = {
    # pytorchvideo i3d_r50: blocks.0 stem, blocks.2 a pooling, blocks.6 the head
    "i3d": (
        (r"^blocks\.0\.", "stem."),
        (r"^blocks\.1\.", "stages.0."),
        *((rf"^blocks\.{at + 2}\.", f"stages.{at}.") for at in (1, 2, 3)),
        (r"^blocks\.6\.proj\.", "head."),
        *_BLOCK,
    ),
    # pytorchvideo slowfast_r50: pathway 0 slow, 1 fast; blocks.6 the head
    "slowfast": (
        (r"^blocks\.0\.multipathway_blocks\.0\.", "slow_stem."),
        (r"^blocks\.0\.multipathway_blocks\.1\.", "fast_stem."),
        (r"^blocks\.(\d)\.multipathway_fusion\.conv_fast_to_slow\.", r"fuse.\1.conv."),
        (r"^blocks\.(\d)\.multipathway_fusion\.norm\.", r"fuse.\1.norm."),
        *((rf"^blocks\.{at + 1}\.multipathway_blocks\.0\.", f"slow.{at}.") for at in range(4)),
        *((rf"^blocks\.{at + 1}\.multipathway_blocks\.1\.", f"fast.{at}.") for at in range(4)),
        (r"^blocks\.6\.proj\.", "head."),
        *_BLOCK,
    ),
    # pytorchvideo x3d_m: the names of the stem's convolutions say the opposite of their axes
    "x3d": (
        (r"^blocks\.0\.conv\.conv_t\.", "stem_yx."),
        (r"^blocks\.0\.conv\.conv_xy\.", "stem_t."),
        (r"^blocks\.0\.norm\.", "stem_norm."),
        *((rf"^blocks\.{at + 1}\.", f"stages.{at}.") for at in range(4)),
        (r"\.norm_b\.0\.", ".norm_b."),
        (r"\.norm_b\.1\.block\.0\.", ".squeeze.reduce."),
        (r"\.norm_b\.1\.block\.2\.", ".squeeze.expand."),
        (r"^blocks\.5\.pool\.pre_conv\.", "conv5."),
        (r"^blocks\.5\.pool\.pre_norm\.", "norm5."),
        (r"^blocks\.5\.pool\.post_conv\.", "project."),
        (r"^blocks\.5\.proj\.", "head."),
        *_BLOCK,
    ),
    # facebookresearch/TimeSformer, divided attention
    "timesformer": (
        (r"^(module\.)?model\.", ""),
        (r"^patch_embed\.proj\.", "patch_embed."),
    ),
}
"""Of networks whose published names differ from ours; others are read as they are."""
HEADS = ("head.", "fc.", "head.fc.", "classifier.")
"""Layers with an output for each class of the published task."""


def renamed(name: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Published weights with the names of our network."""
    found = {}
    for key, value in tensors.items():
        for pattern, new in RULES.get(name, ()):
            key = re.sub(pattern, new, key)
        if name == "x3d" and key == "project.weight":
            value = value.flatten(1)  # a convolution of 1 x 1 x 1 there, a linear layer here
        found[key] = value
    return found


def read_published(path: str | Path) -> dict[str, Tensor]:
    """Tensors of a file: safetensors, or a checkpoint of torch with tensors only.

    Raises:
        StepError: no such file, or one that holds anything else.
    """
    if not Path(path).is_file():
        raise StepError(
            f"{path}: expected published weights (sperm: training: weights), found no such file;"
            " download them, or take the network out to begin at random"
        )
    try:
        if Path(path).suffix == ".safetensors":
            return dict(load_file(path))
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise StepError(
            f"{path}: expected weights as tensors only (safetensors, or a checkpoint of torch),"
            f" found something else ({type(error).__name__}); convert them to safetensors"
        ) from None
    for key in ("model_state", "state_dict", "model"):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    return {key: value for key, value in content.items() if isinstance(value, Tensor)}


def begin_with(network: GradeNetwork, name: str, path: str | Path) -> None:
    """Load published weights into a network, all but the layer of its classes.

    Raises:
        StepError: a tensor of the network is missing in the file, or has another shape.
    """
    inner: nn.Module = getattr(network, "network", network)
    wanted = {
        key: value
        for key, value in inner.state_dict().items()
        if not key.startswith(HEADS) and not key.endswith("num_batches_tracked")
    }
    given = renamed(name, read_published(path))
    missing = [key for key in wanted if key not in given]
    other = [key for key in wanted if key in given and given[key].shape != wanted[key].shape]
    if missing or other:
        what = f"no {missing[0]}" if missing else f"{other[0]} of {tuple(given[other[0]].shape)}"
        raise StepError(
            f"{path}: expected the published weights of {name}, found {what}"
            f" ({len(missing) + len(other)} tensors of {len(wanted)} differ); give the file of this"
            " network, with sperm: training: size: full and its size_px"
        )
    inner.load_state_dict({key: given[key] for key in wanted}, strict=False)

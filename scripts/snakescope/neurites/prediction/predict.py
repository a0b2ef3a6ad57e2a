"""Affinities of one block of a volume, from a trained network.

snakescope neurites predict --image image.zarr --block 0:32,0:256,0:256
    --weights resources/models/neurites_demo.safetensors --sha256 ... --settings '{}'
    --affinities affinities.h5

Patches of the whole volume's grid that reach into the block are computed and blended with bump
weights (Lee et al. 2017, section 3.3), so the result does not depend on how blocks are cut.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np
import torch
import zarr
from numpy.typing import NDArray
from torch import Tensor, nn

from snakescope.learning.device import choose_device
from snakescope.neurites.networks.model_files import load_network
from snakescope.neurites.networks.networks import folded
from snakescope.neurites.prediction.patches import (
    Block,
    Triple,
    bump,
    parse_block,
    patches_of,
    text_of,
)
from snakescope.neurites.prediction.settings import PredictSettings
from snakescope.step.checksum import sha256_of
from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write
from snakescope.step.progress import progress

DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}


class ArrayLike3D(Protocol):
    """An array of shape (z, y, x), in memory or on disk."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> Any: ...
    def __getitem__(self, key: tuple[slice, ...]) -> Any: ...


View = tuple[tuple[int, ...], bool]
"""Axes that are mirrored (2 to 4 of a tensor (N, C, z, y, x)), and whether y and x change."""


def views(count: int) -> list[View]:
    """Return the views of test-time augmentation: 1, 4, 8 or 16, the identity first."""
    exchanged = [False, True] if count >= 8 else [False]
    mirrors: list[tuple[int, ...]] = [(), (3,), (4,), (3, 4)] if count >= 4 else [()]
    if count == 16:
        mirrors += [(2, *axes) for axes in mirrors]
    return [(axes, swap) for swap in exchanged for axes in mirrors]


def turned(image: Tensor, view: View) -> Tensor:
    """Apply a view to an image (N, C, z, y, x)."""
    axes, swap = view
    image = image.transpose(3, 4) if swap else image
    return image.flip(axes)


def turned_back(affinities: Tensor, view: View) -> Tensor:
    """Transform affinities (N, 3, z, y, x) of a view back to those of the image.

    Channel c at voxel v is the pair of v and its predecessor along c. In a mirrored image the
    predecessor is the successor, so the channel is shifted by one; the first voxels, whose pair
    is outside of the patch, get the value of the next.
    """
    axes, swap = view
    result = affinities.flip(axes)
    for axis in axes:
        channel = axis - 2
        values = result[:, channel]
        moved = values.roll(1, dims=axis - 1)
        moved.select(axis - 1, 0).copy_(values.select(axis - 1, 0))
        result[:, channel] = moved
    if swap:
        result = result.transpose(3, 4)[:, [0, 2, 1]]
    return result


def patch_affinities(network: nn.Module, images: Tensor, settings: PredictSettings) -> Tensor:
    """Predict affinities 0 to 1, float32 (N, 3, z, y, x), of images (N, 1, z, y, x) in 0 to 1."""
    combined: Tensor | None = None
    all_views = views(settings.test_time_augmentation)
    half = DTYPES.get(settings.precision)
    for view in all_views:
        with torch.autocast(images.device.type, dtype=half, enabled=half is not None):
            logits = network(turned(images, view))
        found = turned_back(torch.sigmoid(logits.float()), view)
        if combined is None:
            combined = found
        elif settings.combine == "min":
            combined = torch.minimum(combined, found)
        else:
            combined = combined + found
    assert combined is not None
    return combined / len(all_views) if settings.combine == "mean" else combined


def predict_block(
    network: nn.Module,
    volume: ArrayLike3D,
    block: Block,
    settings: PredictSettings,
    device: torch.device,
    name: str = "image",
) -> NDArray[np.uint8]:
    """Predict the affinities of a block, uint8 (3, z, y, x), 0 to 255 for 0 to 1.

    Args:
        network: (N, 1, z, y, x) in 0 to 1, to logits (N, 3, z, y, x).
        volume: grey values, uint8 (z, y, x).
        name: names the volume in errors, such as its path.

    Raises:
        StepError: the volume is smaller than a patch, or no uint8; or the network gives no numbers.
    """
    if np.dtype(volume.dtype) != np.uint8 or len(volume.shape) != 3:
        raise StepError(
            f"{name}: expected grey values of 8 bit along z, y, x, found {volume.dtype} of"
            f" {len(volume.shape)} axes; ingest the volume again"
        )
    shape = _triple(volume.shape)
    corners = patches_of(block, shape, settings.patch_zyx, settings.overlap, name)
    weights = bump(settings.patch_zyx)
    low = np.array([span[0] for span in block])
    sizes = tuple(span[1] - span[0] for span in block)
    total = np.zeros((3, *sizes), np.float32)
    weight = np.zeros(sizes, np.float32)
    batches = list(_batched(corners, settings.batch))
    with torch.inference_mode():
        for batch in progress(batches, f"patches of block {text_of(block)}"):
            pictures = np.stack([_patch(volume, at, settings.patch_zyx) for at in batch])
            images = torch.from_numpy(pictures).to(device).float().div_(255)[:, None]
            found = patch_affinities(network, images, settings).cpu().numpy()
            for corner, affinities in zip(batch, found, strict=True):
                here, there = _common(np.array(corner) - low, settings.patch_zyx, sizes)
                total[(slice(None), *here)] += affinities[(slice(None), *there)] * weights[there]
                weight[here] += weights[there]
    total /= weight
    if not np.isfinite(total).all():
        raise StepError(
            f"affinities of block {text_of(block)}: expected numbers, found NaN; set neurites:"
            " prediction: precision: float32, or train the network again"
        )
    np.rint(total.clip(0, 1) * 255, out=total)
    return total.astype(np.uint8)


def _triple(shape: tuple[int, ...]) -> Triple:
    z, y, x = shape
    return int(z), int(y), int(x)


def _batched(corners: list[Triple], size: int) -> Iterator[list[Triple]]:
    for first in range(0, len(corners), size):
        yield corners[first : first + size]


def _patch(volume: ArrayLike3D, corner: Triple, patch: Triple) -> NDArray[np.uint8]:
    where = tuple(slice(low, low + side) for low, side in zip(corner, patch, strict=True))
    return np.asarray(volume[where])


def _common(
    corner: NDArray[np.int64], patch: Triple, sizes: tuple[int, ...]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Return the intersection of a patch and a block, as slices of both."""
    here, there = [], []
    for low, side, size in zip(corner, patch, sizes, strict=True):
        first, last = max(0, int(low)), min(size, int(low) + side)
        here.append(slice(first, last))
        there.append(slice(first - int(low), last - int(low)))
    return tuple(here), tuple(there)


def prepared(network: nn.Module, device: torch.device) -> nn.Module:
    """Prepare a network for inference: fold batch normalisation, use channels-last memory."""
    network = folded(network)  # type: ignore[arg-type]
    return network.to(device, memory_format=torch.channels_last_3d)  # type: ignore[call-overload, no-any-return]


def check_patch(patch: Triple, levels: int, cubes: bool = False) -> None:
    """Refuse a patch whose sides the network cannot halve at every level.

    Raises:
        StepError: height or width (or, for isotropic voxels, depth) is not divisible by 2 once
            per level after the first.
    """
    unit = 2 ** (levels - 1)
    halved, axes = (patch, "z, y and x") if cubes else (patch[1:], "y and x")
    if any(side % unit for side in halved):
        raise StepError(
            f"patch_zyx: expected multiples of {unit} along {axes}, found"
            f" {' and '.join(map(str, halved))}; the network halves them {levels - 1} times"
        )


def open_volume(path: str | Path) -> ArrayLike3D:
    """Open a Zarr array, which is read lazily.

    Raises:
        StepError: the array does not exist or is damaged.
    """
    try:
        volume: ArrayLike3D = zarr.open_array(str(path), mode="r")
    except Exception as error:  # zarr raises many kinds
        raise StepError(
            f"{path}: expected a volume as neurites.ingest stores it, found none"
            f" ({type(error).__name__}); ingest the volume again"
        ) from None
    return volume


def write_affinities(
    path: str | Path, affinities: NDArray[np.uint8], block: Block, shape: Triple, sha256: str
) -> None:
    """Write a block as HDF5: dataset ``affinities``, uint8 (3, z, y, x), with its position."""
    chunks = tuple(min(a, b) for a, b in zip((1, 16, 128, 128), affinities.shape, strict=True))
    with atomic_write(path) as partial, h5py.File(partial, "w", track_order=True) as file:
        data = file.create_dataset(
            "affinities", data=affinities, chunks=chunks, compression="lzf", shuffle=True
        )
        data.attrs["block_begin"] = [low for low, _ in block]
        data.attrs["block_end"] = [high for _, high in block]
        data.attrs["volume_shape"] = shape
        data.attrs["weights_sha256"] = sha256


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--image", required=True, help="zarr array, uint8 (z, y, x)")
    parser.add_argument("--block", required=True, help="Z0:Z1,Y0:Y1,X0:X1 (voxels)")
    parser.add_argument("--weights", required=True)
    parser.add_argument("--sha256", help="the weights must have this checksum")
    parser.add_argument("--settings", required=True, help="settings as JSON")
    parser.add_argument("--affinities", required=True, help="HDF5 file to write")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = PredictSettings.model_validate_json(arguments.settings)
    block = parse_block(arguments.block)
    torch.set_num_threads(settings.threads)
    network, card = load_network(arguments.weights, arguments.sha256)
    check_patch(settings.patch_zyx, len(card["features"]), card.get("cubes", False))
    device = choose_device(settings.device)
    volume = open_volume(arguments.image)
    ready = prepared(network, device)
    affinities = predict_block(ready, volume, block, settings, device, arguments.image)
    write_affinities(
        arguments.affinities, affinities, block, _triple(volume.shape), sha256_of(arguments.weights)
    )

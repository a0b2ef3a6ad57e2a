"""Masks of the network as probabilities on the frame, before they are cut.

torchvision pastes a mask into its box rounded to whole pixels, on an image of the size of the view.
For a body 8 px wide half a pixel matters, so here each pixel of the box is interpolated from the
mask at its own place, and only the box is filled.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from snakescope.healthspan.detection.detections import SoftDetection, TileDetection, View
from snakescope.healthspan.detection.model import as_input
from snakescope.imaging.masks import cropped

CUT_MARGIN_PX = 3
"""Masks this close to the border of their tile (px) may be incomplete."""


def interpolation(first: int, count: int, low: float, high: float, cells: int) -> NDArray[Any]:
    """Weights of the cells of a mask, zero beyond them, at pixels of the frame.

    The targets of training are drawn by ``roi_align`` as torchvision calls it, in which whole
    numbers are the centres of pixels.

    Args:
        first, count: the pixels.
        low, high: sides of the box (px).
        cells: of the mask along this axis.

    Returns:
        float32 (count, cells).
    """
    place = (np.arange(first, first + count) - low) / max(high - low, 1e-6) * cells - 0.5
    distance = np.abs(place[:, None] - np.arange(cells)[None, :])
    return np.maximum(1 - distance, 0).astype(np.float32)


def pasted(
    mask: NDArray[np.float32], box: NDArray[np.float32], height: int, width: int
) -> tuple[int, int, NDArray[np.uint8]]:
    """A mask of (cells, cells) in 0 to 1 on the pixels of its box: top, left, uint8 (h, w)."""
    x0, y0, x1, y1 = (float(side) for side in box)
    cells = mask.shape[0]
    # Half a cell beyond the box, as far as the interpolation reaches.
    beyond_y, beyond_x = (y1 - y0) / cells / 2, (x1 - x0) / cells / 2
    top, left = max(int(np.floor(y0 - beyond_y)), 0), max(int(np.floor(x0 - beyond_x)), 0)
    bottom = min(int(np.ceil(y1 + beyond_y)) + 1, height)
    right = min(int(np.ceil(x1 + beyond_x)) + 1, width)
    rows = interpolation(top, max(bottom - top, 0), y0, y1, cells)
    columns = interpolation(left, max(right - left, 0), x0, x1, cells)
    values = rows @ mask @ columns.T
    return top, left, np.rint(values * 255).astype(np.uint8)


@torch.inference_mode()
def look(model: Any, pictures: list[NDArray[np.uint8]], views: list[View]) -> list[SoftDetection]:
    """Run the network on views of a frame.

    Args:
        model: a Mask R-CNN of :mod:`snakescope.healthspan.detection.model`, in evaluation mode.
        pictures: of the views, uint8 (height, width).
    """
    device = next(model.parameters()).device
    inputs = [as_input(torch.from_numpy(picture).to(device)) for picture in pictures]
    images, _ = model.transform(inputs)
    features = model.backbone(images.tensors)
    proposals, _ = model.rpn(images, features)
    outputs, _ = model.roi_heads(features, proposals, images.image_sizes)
    return [
        one
        for view, output in zip(views, outputs, strict=True)
        for one in soft_detections(output, view)
    ]


def soft_detections(output: dict[str, Tensor], view: View) -> list[SoftDetection]:
    """The detections of one view, best first.

    Args:
        output: ``scores`` (n), ``boxes`` (n, 4) and ``masks`` (n, 1, cells, cells) of a view.
    """
    masks = output["masks"][:, 0].float().cpu().numpy()
    boxes = output["boxes"].float().cpu().numpy()
    scores = output["scores"].float().cpu().numpy()
    found = []
    for mask, box, score in zip(masks, boxes, scores, strict=True):
        top, left, values = pasted(mask, box, view.height, view.width)
        if values.size:
            place = (view.top + top, view.left + left)
            found.append(SoftDetection(view, *place, values, float(score)))
    return found


def cut_mask(one: SoftDetection, timepoint: int, mask_threshold: float) -> TileDetection | None:
    """The detection with its mask where the probability reaches the threshold; None if nowhere."""
    mask = one.probability >= mask_threshold * 255
    instance = cropped(mask, one.top, one.left, timepoint, 0, one.score)
    if instance is None:
        return None
    view = one.view
    room = min(instance.top - view.top, instance.left - view.left)
    room = min(room, view.top + view.height - instance.bottom)
    room = min(room, view.left + view.width - instance.right)
    what = (timepoint, 0, instance.top, instance.left, instance.mask, instance.score)
    return TileDetection(*what, cut=room < CUT_MARGIN_PX, soft=one)


def objects_of(
    found: Sequence[SoftDetection], timepoint: int, score_threshold: float, mask_threshold: float
) -> list[TileDetection]:
    """The detections of at least a score, with their masks cut."""
    cut = [
        cut_mask(one, timepoint, mask_threshold) for one in found if one.score >= score_threshold
    ]
    return [one for one in cut if one is not None]

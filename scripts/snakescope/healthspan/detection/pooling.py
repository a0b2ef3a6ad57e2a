"""What the heads see of the maps of a view, computed where it is needed.

The same values as torchvision's, up to rounding, for evaluation on a CPU. There its ``roi_align``
copies whole maps into another layout, and its proposals decode the boxes of all anchors, 2.6
million on a frame of 3080 px, of which 1,600 a level are looked at. The scale of a map is stated
here; torchvision infers it from its first picture, and errs where that is 33 px wide.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.rpn import RegionProposalNetwork


class Pool(NamedTuple):
    """How boxes are pooled.

    Attributes:
        level: name of the map; stride: of its pixels (px).
        cells: of a box along each side; samples: of a cell along each side.
    """

    level: str
    stride: int
    cells: int
    samples: int


def cell_weights(low: Tensor, high: Tensor, pool: Pool, first: int, end: int, last: int) -> Tensor:
    """Weights of the rows (or columns) of a map in the cells of a box along one axis.

    Args:
        low, high: sides of the box on the map (px).
        pool: how many cells the box has, and places a cell.
        first, end: rows of the map that are weighted.
        last: of the map; a row beyond is the last one's, and what lies farther is 0.

    Returns:
        float32 (cells, end - first); of a cell on the map they sum to 1.
    """
    count = pool.cells * pool.samples
    places = (torch.arange(count, device=low.device) + 0.5) / count
    wanted = low + places * (high - low).clamp(min=1)
    seen = (wanted >= -1) & (wanted <= last + 1)
    at = wanted.clamp(0, last)
    distance = (at[:, None] - torch.arange(first, end, device=low.device)).abs()
    near = (1 - distance).clamp(min=0) * seen[:, None]
    return near.reshape(pool.cells, pool.samples, -1).mean(1)


def reach(low: Tensor, high: Tensor, length: int) -> tuple[int, int]:
    """First row of a map that has weight in a box, and the one after the last."""
    first = min(max(int(low), 0), length - 1)
    end = int(max(float(high), float(low) + 1)) + 2
    return first, min(max(end, first + 1), length)


class BoxPool(nn.Module):
    """``roi_align`` (He et al., ICCV 2017) on one level, as two small matrix products a box.

    Bilinear interpolation at places on a grid is a product of weights along rows and along columns.
    """

    def __init__(self, pool: Pool) -> None:
        super().__init__()
        self.pool = pool

    def forward(
        self, maps: dict[str, Tensor], boxes: list[Tensor], sizes: list[tuple[int, int]]
    ) -> Tensor:
        """Pool (n, channels, cells, cells) of the boxes (n_i, 4) of each view."""
        level, cells = maps[self.pool.level], self.pool.cells
        pooled = [
            self._pool(one, box)
            for one, some in zip(level.permute(0, 2, 3, 1), boxes, strict=True)
            for box in some / self.pool.stride
        ]
        if not pooled:
            return level.new_zeros((0, level.shape[1], cells, cells))
        # Seen as (n, channels, y, x), with the channels of a place together.
        return torch.stack(pooled).permute(0, 3, 1, 2)

    def _pool(self, one: Tensor, box: Tensor) -> Tensor:
        """Pool a box (x0, y0, x1, y1 on the map) of a map (y, x, channels)."""
        height, width, channels = one.shape
        x0, y0, x1, y1 = box
        (top, bottom), (left, right) = reach(y0, y1, height), reach(x0, x1, width)
        rows = cell_weights(y0, y1, self.pool, top, bottom, height - 1)
        columns = cell_weights(x0, x1, self.pool, left, right, width - 1)
        inside = one[top:bottom, left:right].reshape(bottom - top, -1)
        half = (rows.to(one.dtype) @ inside).reshape(self.pool.cells, right - left, channels)
        return columns.to(one.dtype) @ half


def proposed(network: RegionProposalNetwork, images: ImageList, maps: list[Tensor]) -> list[Tensor]:
    """The proposals of each view (n, 4) in evaluation; only the likeliest are decoded.

    Args:
        network: of torchvision, with its settings.
        images: their sizes; maps: the levels that are proposed from.
    """
    objectness, deltas = network.head(maps)
    generator = network.anchor_generator
    generator.set_cell_anchors(maps[0].dtype, maps[0].device)
    height, width = images.tensors.shape[-2:]
    boxes, logits = [], []
    for score, delta, cell in zip(objectness, deltas, generator.cell_anchors, strict=True):
        views, shapes, rows, columns = score.shape
        flat = score.permute(0, 2, 3, 1).reshape(views, -1)
        best, index = flat.topk(min(network.pre_nms_top_n(), flat.shape[1]), dim=1)
        at = index.div(shapes, rounding_mode="floor")
        y, x = at.div(columns, rounding_mode="floor"), at % columns
        shift = torch.stack([x * (width // columns), y * (height // rows)], dim=-1).repeat(1, 1, 2)
        anchors = (shift + cell[index % shapes]).reshape(-1, 4)
        every = delta.permute(0, 2, 3, 1).reshape(views, -1, 4)
        chosen = every[torch.arange(views, device=index.device)[:, None], index].reshape(-1, 4)
        decoded = network.box_coder.decode_single(chosen, anchors)
        boxes.append(decoded.reshape(views, -1, 4))
        logits.append(best)
    counts = [one.shape[1] for one in logits]
    found, _ = network.filter_proposals(
        torch.cat(boxes, dim=1), torch.cat(logits, dim=1), images.image_sizes, counts
    )
    return list(found)

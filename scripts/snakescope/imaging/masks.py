"""Instance masks as COCO run-length encodings.

Overlapping objects share pixels, which a label image cannot represent, so every instance has its
own mask, cropped to its bounding box. Run-length encodings of whole frames are written from, and
read into, these crops; whole frames are never allocated.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write

INSTANCES_PER_TIMEPOINT = 100_000


@dataclass(frozen=True)
class Instance:
    """One object of one frame.

    Attributes:
        timepoint: index of the frame in its series.
        identifier: unique in the series, ``timepoint * 100_000 + k``.
        top, left: first row and column of the crop in the frame (px).
        mask: bool, shape (height, width) of the bounding box.
        score: confidence of the detector, 0 to 1.
    """

    timepoint: int
    identifier: int
    top: int
    left: int
    mask: NDArray[np.bool_]
    score: float

    @property
    def bottom(self) -> int:
        return self.top + self.mask.shape[0]

    @property
    def right(self) -> int:
        return self.left + self.mask.shape[1]

    @cached_property
    def area(self) -> int:
        """Pixels of the mask."""
        return int(np.count_nonzero(self.mask))

    @cached_property
    def centroid(self) -> tuple[float, float]:
        """Mean (y, x) of the mask's pixels in the frame (px)."""
        rows, columns = np.nonzero(self.mask)
        return self.top + float(rows.mean()), self.left + float(columns.mean())


@dataclass(frozen=True)
class MaskSet:
    """Instances of some frames of a series with frames of height x width px.

    ``candidates`` are objects that may be looked at again: found, but not surely enough.
    ``border`` says in words where the masks end.
    """

    plate: str
    pixel_size_um: float
    height: int
    width: int
    timepoints: tuple[int, ...]
    instances: tuple[Instance, ...]
    candidates: tuple[Instance, ...] = ()
    border: str = ""

    def at(self, timepoint: int) -> list[Instance]:
        return [one for one in self.instances if one.timepoint == timepoint]


def cropped(
    mask: NDArray[np.bool_], top: int, left: int, timepoint: int, identifier: int, score: float
) -> Instance | None:
    """An instance from a mask with empty margins, placed at (top, left); None if nothing is set."""
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return None
    inner = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Instance(
        timepoint, identifier, top + int(rows[0]), left + int(columns[0]), inner.copy(), score
    )


def on_shared_box(
    one: Instance, other: Instance
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]] | None:
    """Views of both masks where their boxes overlap; None where they do not."""
    top, bottom = max(one.top, other.top), min(one.bottom, other.bottom)
    left, right = max(one.left, other.left), min(one.right, other.right)
    if top >= bottom or left >= right:
        return None
    first = one.mask[top - one.top : bottom - one.top, left - one.left : right - one.left]
    second = other.mask[
        top - other.top : bottom - other.top, left - other.left : right - other.left
    ]
    return first, second


def intersection(one: Instance, other: Instance) -> int:
    """Number of pixels that both masks cover."""
    both = on_shared_box(one, other)
    return int(np.count_nonzero(both[0] & both[1])) if both else 0


def iou(one: Instance, other: Instance) -> float:
    """Intersection over union of two masks, 0 to 1."""
    shared = intersection(one, other)
    return shared / (one.area + other.area - shared) if shared else 0.0


def paint(instances: Iterable[Instance], height: int, width: int) -> NDArray[np.bool_]:
    """Union of the masks on a frame of height x width px; what lies outside is cut off."""
    canvas = np.zeros((height, width), dtype=bool)
    for one in instances:
        top, bottom = max(one.top, 0), min(one.bottom, height)
        left, right = max(one.left, 0), min(one.right, width)
        if top < bottom and left < right:
            canvas[top:bottom, left:right] |= one.mask[
                top - one.top : bottom - one.top, left - one.left : right - one.left
            ]
    return canvas


def encode(instance: Instance, height: int, width: int) -> dict[str, object]:
    """COCO compressed run-length encoding of an instance on a height x width frame.

    COCO runs go down the columns and alternate, beginning with background.
    """
    mask = instance.mask.T
    padded = np.zeros((mask.shape[0], mask.shape[1] + 2), dtype=np.int8)
    padded[:, 1:-1] = mask
    steps = np.diff(padded, axis=1)
    columns, starts = np.nonzero(steps == 1)
    ends = np.nonzero(steps == -1)[1]
    origin = (columns + instance.left) * height + instance.top
    edges = np.stack([origin + starts, origin + ends], axis=1).ravel()
    counts = np.diff(edges, prepend=0, append=height * width)
    run_length = coco_mask.frPyObjects(
        {"size": [height, width], "counts": counts.tolist()}, height, width
    )
    return {"size": [height, width], "counts": run_length["counts"].decode("ascii")}


def _runs(counts: str) -> NDArray[np.int64]:
    """Run lengths of COCO's compressed text: base 32 digits, each third on a difference."""
    runs: list[int] = []
    value = shift = 0
    for character in counts.encode("ascii"):
        digit = character - 48
        value |= (digit & 0x1F) << shift
        shift += 5
        if digit & 0x20:
            continue
        if digit & 0x10:
            value -= 1 << shift
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value = shift = 0
    return np.array(runs, dtype=np.int64)


def decode(
    segmentation: dict[str, object], timepoint: int, identifier: int, score: float
) -> Instance:
    """The instance of a COCO compressed run-length encoding.

    Raises:
        ValueError: the encoding is empty or does not fit its size.
    """
    height = int(segmentation["size"][0])  # type: ignore[index]
    edges = np.cumsum(_runs(str(segmentation["counts"])))
    starts, ends = edges[0::2], edges[1::2]
    starts = starts[: ends.size]
    filled = ends > starts
    starts, ends = starts[filled], ends[filled]
    if starts.size == 0 or ends[-1] > height * int(segmentation["size"][1]):  # type: ignore[index]
        raise ValueError("an empty or oversized run-length encoding")
    pixels = np.concatenate([np.arange(a, b) for a, b in zip(starts, ends, strict=True)])
    columns, rows = np.divmod(pixels, height)
    top, left = int(rows.min()), int(columns.min())
    mask = np.zeros((int(rows.max()) - top + 1, int(columns.max()) - left + 1), dtype=bool)
    mask[rows - top, columns - left] = True
    return Instance(timepoint, identifier, top, left, mask, score)


def _annotation(one: Instance, masks: MaskSet) -> dict[str, object]:
    return {
        "id": one.identifier,
        "image_id": one.timepoint,
        "category_id": 1,
        "iscrowd": 0,
        "bbox": [one.left, one.top, one.mask.shape[1], one.mask.shape[0]],
        "area": one.area,
        "score": round(one.score, 4),
        "segmentation": encode(one, masks.height, masks.width),
    }


def write_masks(path: str | Path, masks: MaskSet) -> None:
    """Write a COCO JSON file; ``image_id`` is the timepoint.

    Candidates have a list of their own, which readers of COCO skip.
    """
    document: dict[str, object] = {
        "info": {
            "plate": masks.plate,
            "pixel_size_um": masks.pixel_size_um,
            "coordinates": "registered frame, resampled to pixel_size_um",
        },
        "categories": [{"id": 1, "name": "worm"}],
        "images": [
            {
                "id": timepoint,
                "file_name": f"t{timepoint:03d}",
                "height": masks.height,
                "width": masks.width,
            }
            for timepoint in masks.timepoints
        ],
        "annotations": [_annotation(one, masks) for one in masks.instances],
    }
    if masks.candidates:
        document["candidates"] = [_annotation(one, masks) for one in masks.candidates]
    if masks.border:
        document["info"] |= {"border": masks.border}  # type: ignore[operator]
    document["info"] |= {"height": masks.height, "width": masks.width}  # type: ignore[operator]
    with atomic_write(path) as partial:
        partial.write_text(json.dumps(document), encoding="utf-8")


def read_masks(path: str | Path) -> MaskSet:
    """Read a file of :func:`write_masks`.

    Raises:
        StepError: the file is absent or is not such a file.
    """
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
        info = document["info"]
        instances, candidates = (
            tuple(
                decode(one["segmentation"], one["image_id"], one["id"], one.get("score", 1.0))
                for one in listed
            )
            for listed in (document["annotations"], document.get("candidates", ()))
        )
        return MaskSet(
            plate=info["plate"],
            pixel_size_um=float(info["pixel_size_um"]),
            height=int(info["height"]),
            width=int(info["width"]),
            timepoints=tuple(image["id"] for image in document["images"]),
            instances=instances,
            candidates=candidates,
            border=str(info.get("border", "")),
        )
    except FileNotFoundError:
        raise StepError(f"{path}: expected instance masks, found no such file") from None
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise StepError(
            f"{path}: expected COCO instance masks of this workflow, found something else"
            f" ({type(error).__name__}: {error}); remove the file and run again"
        ) from None

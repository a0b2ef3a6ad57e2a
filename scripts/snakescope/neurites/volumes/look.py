"""A look at a volume before the first job: what a run would find out too late, or never.

Size of voxels against what the file says, grey values that need a range, data that are absent, and
labels that are no objects. Voxels are read once, of a few sections, and again when files change.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snakescope.imaging.volume_source import of_voxel_size
from snakescope.imaging.volumes import Source, kept_look, look_at_grey, read
from snakescope.neurites.volumes.scan import BOUNDARIES
from snakescope.neurites.volumes.settings import IngestSettings
from snakescope.neurites.volumes.sheet import Volume
from snakescope.step.errors import StepError

LOOK = "look.json"
PIECES = 10
"""Connected pieces of a label in one section beyond which it is no object."""
FEW_LABELS, FEW_PIECES = 16, 3
"""Where there are no more labels than that, so many pieces tell as much."""
CLASSES, DENSE_CLASSES, DENSE = 2, 0.1, 0.5
"""Few labels are no objects where they cover so much of a section: a map of membranes has one or
two and covers a tenth; classes cover half. Neurites that were traced one by one are in many pieces
as well, but sparse."""
MOST_LABELS = 100
"""Labels of a section that are looked at."""
LARGEST_ID = 2**32 - 1
MOST_LOST = 0.25
"""Of a section that a range of grey values may make black or white without a word."""
RESERVED = {np.dtype(np.uint64): 2**64 - 16, np.dtype(np.uint32): 2**32 - 4}
"""Ids from which on labels stand for what is not annotated, as CREMI writes them."""


def unlabelled(values: NDArray[Any]) -> NDArray[Any]:
    """Return labels with those that are reserved for what is not annotated as 0.

    CREMI writes 2^64 - 1 to 2^64 - 3 (background, transparent, outside), which are -1 to -3 where
    a program took them for signed numbers.
    """
    if values.dtype.kind == "i":
        return np.where((values < 0) & (values >= -16), values.dtype.type(0), values)
    least = RESERVED.get(values.dtype.newbyteorder("="))
    return values if least is None else np.where(values >= least, values.dtype.type(0), values)


def label_ids(values: NDArray[Any], where: str) -> NDArray[np.uint64]:
    """Validate true labels; reserved ones of what is not annotated become 0.

    Raises:
        StepError: a label is not an integer, negative, or above 2^32 - 1.
    """
    if values.dtype.kind == "b" or values.dtype.kind not in "ui":
        raise StepError(
            f"{where}: expected labels as whole numbers, one an object, found {values.dtype}; "
            "write them as uint32 or uint64"
        )
    values = unlabelled(values)
    if values.size and int(values.min()) < 0:
        raise StepError(
            f"{where}: expected labels from 0, found {int(values.min())}; write what is unlabelled "
            "as 0"
        )
    if values.size and int(values.max()) > LARGEST_ID:
        raise StepError(
            f"{where}: expected labels up to 2^32 - 1, found {int(values.max())}; number the "
            "objects anew"
        )
    return values.astype(np.uint64)


def of_grey(source: Source, settings: IngestSettings) -> list[str]:
    """Refuse an image whose grey values need a range that the settings do not give.

    Returns:
        A note where the range makes much of the middle section black or white.

    Raises:
        StepError: more than 8 bit without ``grey_range``, one that holds none of them, or no grey
            values.
    """
    if not re.fullmatch(r"u?int\d+|float\d+|[<>][uif]\d", source.dtype):
        raise StepError(
            f"{source.path}: expected grey values as numbers, found {source.dtype}; convert the"
            " image"
        )
    dtype = np.dtype(source.dtype)
    if dtype.kind == "f" and (bad := int(np.count_nonzero(~np.isfinite(_middle(source))))):
        raise StepError(
            f"{source.path}: expected grey values, found NaN or infinity in {bad} voxels of the"
            " middle section; write the image again with numbers in their place"
        )
    if dtype != np.uint8 and settings.grey_range is None:
        low, high = (float(v) for v in np.percentile(_middle(source), (0.5, 99.5)))
        raise StepError(
            f"{source.path}: expected grey values of 8 bit, found {dtype}; set"
            " neurites.volumes.ingest.grey_range to the values that become black and white (of the"
            f" middle section 99 % lie in {low:.4g} to {high:.4g})"
        )
    if dtype == np.uint8 or settings.grey_range is None:  # bytes stay as they are
        return []
    return _of_range(source, *settings.grey_range)


def _of_range(source: Source, black: float, white: float) -> list[str]:
    values = _middle(source)
    low, high = (float(v) for v in np.percentile(values, (0.5, 99.5)))
    lost = float(((values <= black) | (values >= white)).mean())
    said = (
        f"{source.path}: neurites.volumes.ingest.grey_range {black:g} to {white:g} makes"
        f" {lost:.0%} of the middle section black or white (99 % of it lie in {low:.4g} to"
        f" {high:.4g})"
    )
    if lost == 1 and values.min() < values.max():
        raise StepError(f"{said}; set it to the values of this volume")
    return [f"{said}; set it wider if that is too much"] if lost > MOST_LOST else []


def _middle(source: Source) -> NDArray[Any]:
    at = source.shape[0] // 2
    return read(source, at, at + 1)[0]


def look(
    volume: Volume, found: Mapping[str, Source], settings: IngestSettings, folder: str | Path
) -> list[str]:
    """Look at the voxels of a volume; what was found is kept until a file changes.

    Returns:
        Notes for the user.

    Raises:
        StepError: absent data, or labels that are no objects.
    """
    notes = [note for source in found.values() for note in source.notes]
    notes += of_voxel_size(f"volume {volume.name}", volume.voxel_nm, found)
    notes += of_grey(found["image"], settings)

    def seen() -> list[str]:
        notes = look_at_grey(found["image"])
        if "labels" in found:
            notes += _of_labels(found["labels"])
        if BOUNDARIES in found:
            notes += _of_boundaries(found[BOUNDARIES])
        return notes

    return [*notes, *kept_look(Path(folder, LOOK), found.values(), seen)]


def _of_boundaries(source: Source) -> list[str]:
    """Refuse boundary probabilities that are no bytes from 0 to 255 and no floats from 0 to 1."""
    values = _middle(source)
    low, high = float(values.min()), float(values.max())
    if values.dtype == np.uint8 and high == 0:
        return [f"{source.path}: no boundary in the middle section"]
    if values.dtype == np.uint8 and high > 1:
        return []
    if values.dtype == np.uint8:
        raise StepError(
            f"{source.path}: expected probabilities as bytes from 0 to 255, found none above"
            f" {high:g} in the middle section; multiply a mask of 0 and 1 by 255"
        )
    if values.dtype.kind != "f" or not (low >= 0 and high <= 1):
        raise StepError(
            f"{source.path}: expected probabilities as bytes from 0 to 255 or as floats from 0 to"
            f" 1, found {values.dtype} from {low:g} to {high:g} in the middle section; convert them"
        )
    return []


def _of_labels(source: Source) -> list[str]:
    """Refuse labels that are no objects: a map of membranes, classes, grey values, nothing."""
    from scipy import ndimage

    depth = source.shape[0]
    ids: set[int] = set()
    pieces: list[int] = []
    shares: list[float] = []
    for number in sorted({depth // 4, depth // 2, 3 * depth // 4}):
        values = read(source, number, number + 1)[0]
        values = label_ids(values, f"{source.path}, section {number}")
        own = [int(one) for one in np.unique(values) if one]
        ids |= set(own)
        shares.append(float(np.count_nonzero(values)) / values.size)
        # Of very many, some tell as much.
        pieces += [ndimage.label(values == one)[1] for one in own[:: 1 + len(own) // MOST_LABELS]]
    if not ids:
        return [f"{source.path}: no label in sections a quarter, half and three quarters through"]
    if len(ids) == 1 and min(shares) == 1:
        raise StepError(
            f"{source.path}: expected labels, one an object, found the one value {min(ids)} in"
            " every voxel looked at; give the labels of this volume"
        )
    mean, share = float(np.mean(pieces)), float(np.mean(shares))
    few = len(ids) <= FEW_LABELS
    if few and mean > FEW_PIECES and share < (DENSE_CLASSES if len(ids) <= CLASSES else DENSE):
        return [
            f"{source.path}: {len(ids)} labels in {mean:.0f} pieces a section each, on {share:.0%}"
            " of it, are taken for sparse neurites; label the connected objects first if they are"
            " classes, such as mitochondria"
        ]
    if mean > (FEW_PIECES if few else PIECES):
        some = ", ".join(map(str, sorted(ids)[:4]))
        what = "a map of membranes or classes" if few else "grey values or classes"
        raise StepError(
            f"{source.path}: expected labels, one an object, found {what}: {len(ids)} values"
            f" ({some}{', ...' if len(ids) > 4 else ''}) in {mean:.0f} pieces a section"
            " each; label the connected objects first (in Fiji: MorphoLibJ, Connected Components)"
        )
    return []

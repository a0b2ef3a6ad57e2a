"""What a volume on disk is, the sentences of those that are none, and the size of voxels."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from snakescope.step.errors import StepError, system_fault

FORMS = "a TIFF stack, a folder of sections (TIFF, PNG, JPEG), an HDF5 file or an OME-Zarr"
Zyx = tuple[int, int, int]
ABSENT_FILTER = re.compile(r"plugin|not registered|required filter|[Cc]odec not available")
"""Words of HDF5 and Zarr where nothing is there to decompress with, and no data are damaged."""
COLOURS = (3, 4)
FEWEST_PX = 16
"""Length of both other axes beyond which a last one of 3 or 4 holds colours and no pixels."""
LARGEST_DIFFERENCE = 0.02
"""Of voxel sizes, as a fraction, that rounding explains."""
SMALLEST_NM, LARGEST_NM = 0.5, 5000.0
"""Sizes of a voxel beyond which the unit is taken for another one than nm."""


@dataclass(frozen=True)
class Source:
    """A volume on disk.

    Attributes:
        path: as given in the sample sheet.
        form: tiff, sections, hdf5 or zarr.
        shape: voxels along z, y and x.
        dtype: name of the numpy dtype.
        files: the files whose change is noticed; of a folder one per section, in order.
        dataset: name within the file; empty for forms without datasets.
        kind: image or labels, whose zeros are what is not labelled.
        voxel_nm: size of a voxel along z, y and x (nm) by the file, None where it does not say;
            0 along an axis that it leaves open.
        offset_nm: where its first voxel lies (nm), as in padded files of CREMI.
        inside: first voxel of the stored data in ``shape``, and their own shape, where they cover
            a part of it; the rest is 0.
        notes: what is to be known of it, a sentence each.
    """

    path: str
    form: str
    shape: Zyx
    dtype: str
    files: tuple[str, ...]
    dataset: str = ""
    kind: str = "image"
    voxel_nm: tuple[float, float, float] | None = None
    offset_nm: tuple[float, float, float] | None = None
    inside: tuple[Zyx, Zyx] | None = None
    notes: tuple[str, ...] = ()

    def files_of(self, begin: int, end: int) -> tuple[str, ...]:
        """Return the files that contain sections ``begin`` to ``end``, the latter excluded."""
        return self.files[begin:end] if self.form == "sections" else self.files


def damaged(path: str, error: Exception) -> StepError:
    """Return the sentence on a file that cannot be decoded, or that the system withholds."""
    if fault := system_fault(path, error):
        return fault
    lines = str(error).splitlines()
    if ABSENT_FILTER.search(str(error)):
        return StepError(
            f"{path}: expected voxels that can be decoded here, found a compression that is not"
            f" installed ({lines[0][:100]}); write the file again with gzip"
        )
    return StepError(
        f"{path}: expected a whole volume, found a damaged or truncated file "
        f"({lines[0][:100] if lines else type(error).__name__}); copy it again"
    )


def in_words(shape: Sequence[int]) -> str:
    """A shape as sentences have it, such as 10 x 512 x 512."""
    return " x ".join(map(str, shape))


def check_shape(path: str, what: str, found: Source, image: Source, subject: str) -> None:
    """Refuse what lies over an image, such as its labels, and has another shape.

    Args:
        path: in the sheet; what: it is, in the plural; subject: of the sheet, such as volume.

    Raises:
        StepError: the shapes differ.
    """
    if found.shape != image.shape:
        raise StepError(
            f"{path}: expected {what} of the image's shape, {in_words(image.shape)} voxels"
            f" (z, y, x), found {in_words(found.shape)}; give those of this {subject}"
        )


def three_axes(path: str, shape: Sequence[int]) -> list[int]:
    """Return which axes of an array are z, y and x: those of length 1 around them are left out.

    Raises:
        StepError: more or fewer than three are left.
    """
    kept = list(range(len(shape)))
    for place in (0, -1):
        while len(kept) > 3 and shape[kept[place]] == 1:
            del kept[place]
    for axis in list(kept):
        if len(kept) > 3 and shape[axis] == 1:
            kept.remove(axis)
    checked(path, [shape[axis] for axis in kept])
    return kept


def checked(path: str, shape: Sequence[int]) -> Zyx:
    """Return a shape as that of a volume.

    Raises:
        StepError: it has other than three axes.
    """
    if len(shape) != 3 or min(shape) < 1:
        raise StepError(
            f"{path}: expected one grey volume with the axes z, y, x, found the shape "
            f"{in_words(shape)}; keep one channel and one time"
        )
    z, y, x = map(int, shape)
    if x in COLOURS and min(z, y) > FEWEST_PX:
        raise StepError(
            f"{path}: expected one grey volume with the axes z, y, x, found the shape {z} x {y} x"
            f" {x}, whose last axis is one of colours or of channels; write it in grey, in this"
            " order"
        )
    return z, y, x


def check_axes(path: str, names: Sequence[str]) -> None:
    """Refuse axes that the file names in another order than z, y, x; t may stand for z.

    Raises:
        StepError: another order, or another axis.
    """
    plain = [str(name).lower()[:1] for name in names]
    if plain and all(plain) and plain not in (["z", "y", "x"], ["t", "y", "x"]):
        raise StepError(
            f"{path}: expected the axes z, y, x, found {', '.join(map(str, names))} by its own"
            " description; write it in this order"
        )


def of_voxel_size(
    subject: str, size: tuple[float, float, float], found: Mapping[str, Source]
) -> list[str]:
    """Return notes on a voxel size that files contradict or that nothing of this kind has.

    Args:
        subject: whose it is, such as ``volume v``.
        size: along z, y and x, by the sheet.
        found: what the files are, by kind.

    Raises:
        StepError: it is far from any size in nm.
    """
    cell = " ".join(f"{one:g}" for one in size)
    if min(size) < SMALLEST_NM or max(size) > LARGEST_NM:
        units = {"um": 1e3, "mm": 1e6, "m": 1e9}
        unit = next((u for u, nm in units.items() if min(size) * nm >= SMALLEST_NM), "um")
        raise StepError(
            f"{subject}: expected voxel_nm in nm, found {cell}; in {unit} multiply by"
            f" {units[unit]:.0f}"
        )
    for kind, source in found.items():
        stated = source.voxel_nm
        if stated is None:
            continue
        pairs = [(a, b) for a, b in zip(size, stated, strict=True) if b]
        if all(abs(a / b - 1) <= LARGEST_DIFFERENCE for a, b in pairs):
            continue
        said = " ".join(f"{one:.4g}" if one else "?" for one in stated)
        turned = stated[::-1] if all(stated) else ()
        why = ""
        if turned and all(
            abs(a / b - 1) <= LARGEST_DIFFERENCE for a, b in zip(turned, size, strict=True)
        ):
            why = ", which is x y z where z y x is expected"
        return [
            f"VOXEL SIZE: {source.path} ({kind}) says {said} nm (z y x), the sheet says"
            f" {cell}{why}; correct the one that is wrong"
        ]
    z, y, x = size
    if abs(y / x - 1) > LARGEST_DIFFERENCE:
        return [
            f"VOXEL SIZE: voxel_nm is z y x, found {cell}, by which pixels of a section are not"
            f" square; write {x:g} {y:g} {z:g} if it was meant as x y z"
        ]
    if z < x * (1 - LARGEST_DIFFERENCE):
        return [
            f"VOXEL SIZE: voxel_nm is z y x, found {cell}, by which sections are thinner than a"
            " pixel; see that it was not meant as x y z"
        ]
    return []

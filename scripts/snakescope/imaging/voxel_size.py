"""Size of voxels by the sample sheet, against what the files say. Free of numpy."""

from collections.abc import Mapping

from snakescope.imaging.volume_source import Source
from snakescope.step.errors import StepError

LARGEST_DIFFERENCE = 0.02
"""Of voxel sizes, as a fraction, that rounding explains."""
SMALLEST_NM, LARGEST_NM = 0.5, 5000.0
"""Sizes of a voxel beyond which the unit is taken for another one than nm."""


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

"""Shapes and files of the stacks of the sample sheet. Free of numpy."""

from collections.abc import Sequence

from snakescope.imaging.volume_source import check_shape
from snakescope.imaging.volumes import Source, describe
from snakescope.membranes.stacks.manifest import PARTS, Crop, Manifest
from snakescope.membranes.stacks.sheet import Stack
from snakescope.settings.alike import is_one
from snakescope.step.errors import StepError

SIMULATED = "simulated/membranes/{stack}/{file}.tif"
MIN_SIDE = 32


def is_simulated(stack: Stack) -> bool:
    """Whether the stack is one that the workflow simulates."""
    return stack.image == SIMULATED.format(stack=stack.name, file="image")


def find_stack(stack: Stack, simulated_shape: Sequence[int]) -> Manifest:
    """Describe a stack, and which of its sections are for what.

    Raises:
        StepError: a file cannot be used, image and labels differ in shape, sections are too small,
            or there are fewer than the sheet divides.
    """
    labels: Source | None = None
    if is_simulated(stack):
        z, y, x = simulated_shape
        image = Source(stack.image, "tiff", (z, y, x), "uint8", (stack.image,))
        if stack.labels:
            labels = Source(stack.labels, "tiff", (z, y, x), "uint8", (stack.labels,))
    else:
        image = describe(stack.image)
        if stack.labels:
            labels = describe(stack.labels, "labels")
            check_shape(stack.labels, "labels", labels, image, "stack")
    depth, height, width = image.shape
    if stack.crop is not None:
        top, bottom, left, right = stack.crop
        if bottom > height or right > width:
            raise StepError(
                f"{stack.image}: expected a crop within {height} x {width} px, found rows"
                f" {top}:{bottom} and columns {left}:{right}; correct the column crop"
            )
        height, width = bottom - top, right - left
    if min(height, width) < MIN_SIDE:
        raise StepError(
            f"{stack.image}: expected sections of at least {MIN_SIDE} x {MIN_SIDE} px, found"
            f" {height} x {width}; give larger ones"
        )
    parts = stack.parts(depth)
    for part in PARTS:
        if parts[part] and parts[part][-1] >= depth:
            raise StepError(
                f"{stack.image}: expected at least {parts[part][-1] + 1} sections for the column"
                f" {part}, found {depth}; correct the column (sections are numbered from 0)"
            )
    return Manifest(stack.name, image, labels, stack.positive, stack.crop, stack.voxel_nm, parts)


def check_apart(stack: Stack, found: Manifest, other: Stack) -> None:
    """Refuse two rows of one image of which a section is trained on in one and scored in the other.

    Raises:
        StepError: there is such a section, within the crops of both.
    """
    if stack.name == other.name or not (stack.labels and other.labels):
        return
    if not is_one(stack.image, other.image) or not _overlap(stack.crop, other.crop):
        return
    theirs = other.parts(found.image.shape[0])
    for part, sections in found.parts.items():
        for another in PARTS:
            if another != part and (both := sorted({*sections} & {*theirs[another]})):
                raise StepError(
                    f"{stack.image}: expected each section in one of train, tune and test, found"
                    f" {both[0]} in {part} and, as stack {other.name}, in {another}; keep it in one"
                )


def _overlap(one: Crop | None, other: Crop | None) -> bool:
    if one is None or other is None:
        return True
    return all(max(one[k], other[k]) < min(one[k + 1], other[k + 1]) for k in (0, 2))

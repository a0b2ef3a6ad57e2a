"""Sections of a stack and what they show: grey values, membranes, which are for what."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snakescope.imaging.volumes import Source, read
from snakescope.membranes.stacks.manifest import Manifest
from snakescope.step.errors import StepError

LARGEST_SHARE = 0.5
"""Of membrane in labels that do not say which value it is: cells have more inside than outline."""


@dataclass(frozen=True)
class Grey:
    """Sections of a stack, standardised when they are drawn from.

    Attributes:
        name: of the stack.
        image: shape (Z, Y, X), as stored.
        mean, deviation: shape (Z,), of every section's grey values; of a blank section 1.
    """

    name: str
    image: NDArray[np.generic]
    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]

    def planes(
        self, z: int, neighbours: int, rows: slice = slice(None), columns: slice = slice(None)
    ) -> NDArray[np.float32]:
        """A section with its neighbours as channels, shape (2 neighbours + 1, Y, X), float32.

        Every section has mean 0 and standard deviation 1, whatever the brightness of its
        micrograph. Beyond an end of the stack sections repeat as in a mirror.
        """
        depth = len(self.image)
        wanted = [_mirrored(z + offset, depth) for offset in range(-neighbours, neighbours + 1)]
        return np.stack(
            [
                (self.image[one, rows, columns].astype(np.float32) - self.mean[one])
                / self.deviation[one]
                for one in wanted
            ]
        )


@dataclass(frozen=True)
class Labelled:
    """Sections with membranes that are known.

    Attributes:
        grey: all sections that are read.
        membrane: bool, shape (Z, Y, X).
        sections: numbers (within ``grey``) of those that are drawn from or scored.
    """

    grey: Grey
    membrane: NDArray[np.bool_]
    sections: tuple[int, ...]


def _mirrored(z: int, depth: int) -> int:
    if depth == 1:
        return 0
    z = abs(z) % (2 * (depth - 1))
    return min(z, 2 * (depth - 1) - z)


def grey_of(name: str, image: NDArray[np.generic]) -> Grey:
    """Sections (Z, Y, X) with the mean and the standard deviation of each."""
    mean = np.array([section.mean(dtype=np.float64) for section in image], np.float32)
    deviation = np.array([section.std(dtype=np.float64) for section in image], np.float32)
    return Grey(name, image, mean, np.where(deviation > 0, deviation, np.float32(1)))


def read_grey(manifest: Manifest, begin: int = 0, end: int | None = None) -> Grey:
    """Read sections ``begin`` to ``end`` (excluded) of a stack, within its crop.

    Raises:
        StepError: a file is damaged, or sections differ in size.
    """
    image = _cropped(manifest, manifest.image, begin, end)
    if image.dtype.kind not in "uif":
        raise StepError(
            f"{manifest.image.path}: expected grey values, found {image.dtype}; convert it"
        )
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        raise StepError(
            f"{manifest.image.path}: expected numbers, found NaN or infinite ones; convert it"
        )
    return grey_of(manifest.name, image)


def read_membrane(manifest: Manifest, begin: int = 0, end: int | None = None) -> NDArray[np.bool_]:
    """Read the labels of sections as membrane or not, bool (Z, Y, X).

    Raises:
        StepError: it is not clear which values are membrane.
    """
    assert manifest.labels is not None, f"{manifest.name} has no labels"
    labels = _cropped(manifest, manifest.labels, begin, end)
    return membrane_of(labels, manifest.positive, manifest.labels.path)


def membrane_of(labels: NDArray[np.generic], positive: str, where: str) -> NDArray[np.bool_]:
    """Turn labels into membrane or not.

    Args:
        labels: whole numbers or bool.
        positive: ``nonzero``, or values separated by blanks; empty: nonzero, where there are two
            values and nonzero is the rarer one.
        where: file, for messages.

    Raises:
        StepError: it is not clear which values are membrane, or none of them occurs.
    """
    values = np.unique(labels)
    shown = ", ".join(str(value) for value in values[:5]) + (", ..." if len(values) > 5 else "")
    if positive not in ("", "nonzero"):
        named = np.array([float(value) for value in positive.split()])
        if absent := [f"{one:g}" for one in named if one not in values]:
            raise StepError(
                f"{where}: expected the label {absent[0]} (positive), found {shown}; correct the"
                " column positive of the sample sheet"
            )
        return np.isin(labels, named)
    membrane = labels != 0
    if positive == "" and len(values) > 2:
        raise StepError(
            f"{where}: expected labels of two values, found {len(values)} ({shown}); say in the"
            " column positive of the sample sheet which are membrane"
        )
    if positive == "" and (share := float(membrane.mean())) > LARGEST_SHARE:
        raise StepError(
            f"{where}: expected labels that are non-zero on membranes, found {share:.0%} of the"
            f" pixels non-zero ({shown}); write 0 into the column positive if 0 is membrane, or"
            " nonzero if they are right"
        )
    return membrane


def _cropped(
    manifest: Manifest, source: Source, begin: int, end: int | None
) -> NDArray[np.generic]:
    values = read(source, begin, source.shape[0] if end is None else end)
    if manifest.crop is None:
        return values
    top, bottom, left, right = manifest.crop
    return values[:, top:bottom, left:right]


def read_labelled(manifests: Sequence[Manifest], part: str) -> list[Labelled]:
    """Read the sections of a part (``train``, ``tune``, ``test``) of all stacks that have some.

    Raises:
        StepError: labels cannot be used, or a training section shows no membrane.
    """
    found = []
    for manifest in manifests:
        sections = manifest.parts[part]
        if not sections:
            continue
        membrane = read_membrane(manifest)
        if part == "train":
            check_training_sections(manifest, membrane)
        found.append(Labelled(read_grey(manifest), membrane, sections))
    return found


def check_training_sections(manifest: Manifest, membrane: NDArray[np.bool_]) -> None:
    """Refuse training sections without any membrane, or of nothing else.

    Raises:
        StepError: there is one.
    """
    assert manifest.labels is not None
    for z in manifest.parts["train"]:
        if not membrane[z].any() or membrane[z].all():
            found = "none" if not membrane[z].any() else "nothing else"
            raise StepError(
                f"{manifest.labels.path}, section {z}: expected membrane in a training section,"
                f" found {found}; label it, or leave it out of the column train"
            )

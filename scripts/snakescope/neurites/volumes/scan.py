"""Shapes and files of the volumes of the sample sheet.

The main process writes them to ``manifest/volume.json``, which jobs read. Volumes that the workflow
simulates or downloads need not exist yet, since their shapes are known.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from pydantic import TypeAdapter

from snakescope.imaging.volume_source import check_shape, in_words
from snakescope.imaging.volumes import Source, describe, placed
from snakescope.neurites.volumes.sheet import Volume
from snakescope.step.errors import StepError
from snakescope.step.output import write_if_changed

BOUNDARIES = "boundaries"
LARGEST_SHIFT = 0.1
"""Of a voxel, by which labels may lie beside those of the image: rounding."""
SOURCES = TypeAdapter(dict[str, Source])
SIMULATED = "simulated/neurites/{volume}/{file}.tif"
FETCHED = re.compile(r"fetched/neurites/snemi3d/(train|held_out|challenge)/image\.tif")
SNEMI3D = (100, 1024, 1024)
"""Voxels of the stacks of SNEMI3D along z, y and x."""


def snemi3d_parts(train_sections: int) -> dict[str, tuple[int, int, bool]]:
    """The volumes that SNEMI3D is divided into: first section, the one after the last, labelled."""
    depth = SNEMI3D[0]
    return {
        "train": (0, train_sections, True),
        "held_out": (train_sections, depth, True),
        "challenge": (0, depth, False),
    }


def is_simulated(volume: Volume) -> bool:
    """Whether the volume is one that the workflow simulates."""
    return volume.image == SIMULATED.format(volume=volume.name, file="image")


def is_made(volume: Volume) -> bool:
    """Whether rules make the files of the volume, so that they need not be there yet."""
    return is_simulated(volume) or FETCHED.fullmatch(volume.image) is not None


def find_sources(
    volume: Volume, simulated_shape: Sequence[int], train_sections: int = 80
) -> dict[str, Source]:
    """Describe a volume's image and, where it has them, its labels.

    Those of a volume that the workflow makes or fetches need not be there yet.

    Raises:
        StepError: one of them cannot be used, or they differ in shape.
    """
    if is_simulated(volume):
        z, y, x = simulated_shape
        return _with_boundaries(volume, _to_come(volume, (z, y, x), "uint32"))
    if fetched := FETCHED.fullmatch(volume.image):
        begin, end, _ = snemi3d_parts(train_sections)[fetched[1]]
        return _with_boundaries(volume, _to_come(volume, (end - begin, *SNEMI3D[1:]), "uint16"))
    found = {"image": describe(volume.image)}
    if volume.labels:
        found["labels"] = _beside(found["image"], describe(volume.labels, "labels"), volume)
        check_shape(volume.labels, "labels", found["labels"], found["image"], "volume")
    return _with_boundaries(volume, found)


def _with_boundaries(volume: Volume, found: dict[str, Source]) -> dict[str, Source]:
    """Add the boundary probabilities of a volume, if the sheet names some.

    Raises:
        StepError: they cannot be used, or have another shape than the image.
    """
    if volume.boundaries:
        found[BOUNDARIES] = describe(volume.boundaries)
        what = "boundary probabilities"
        check_shape(volume.boundaries, what, found[BOUNDARIES], found["image"], "volume")
    return found


def _beside(image: Source, labels: Source, volume: Volume) -> Source:
    """Place labels that cover a part of the image, as in padded files of CREMI, by their offset."""
    if labels.offset_nm is None or (image.shape == labels.shape and image.offset_nm is None):
        return labels if labels.offset_nm is None else _told(labels)
    size = labels.voxel_nm or volume.voxel_nm
    from_nm = image.offset_nm or (0.0, 0.0, 0.0)
    steps = [(a - b) / (c or d) for a, b, c, d in zip(
        labels.offset_nm, from_nm, size, volume.voxel_nm, strict=True
    )]  # fmt: skip
    z, y, x = (round(step) for step in steps)
    if any(abs(step - whole) > LARGEST_SHIFT for step, whole in zip(steps, (z, y, x), strict=True)):
        raise StepError(
            f"{volume.labels}: expected labels whose voxels lie on those of the image, found them"
            f" {', '.join(f'{step:.3g}' for step in steps)} voxels from its first one (offset, in"
            " nm); correct offset or resolution"
        )
    if image.shape == labels.shape and not (z or y or x):
        return labels
    sides = zip((z, y, x), labels.shape, image.shape, strict=True)
    if any(begin < 0 or begin + own > whole for begin, own, whole in sides):
        raise StepError(
            f"{volume.labels}: expected labels within the image, found them from voxel {z}, {y},"
            f" {x} on (attribute offset), {in_words(labels.shape)} voxels in"
            f" {in_words(image.shape)}; correct offset or resolution"
        )
    return placed(labels, (z, y, x), image.shape)


def _told(labels: Source) -> Source:
    """Note an offset of labels as large as an image that states none."""
    assert labels.offset_nm is not None
    if not any(labels.offset_nm):
        return labels
    said = " ".join(f"{one:g}" for one in labels.offset_nm)
    note = (
        f"{labels.path} (labels) says that it begins at {said} nm, the image says nothing of where"
        " it begins: both are taken to begin at one voxel; see that they do"
    )
    return replace(labels, notes=(*labels.notes, note))


def _to_come(volume: Volume, shape: tuple[int, int, int], labels: str) -> dict[str, Source]:
    kinds = {"image": (volume.image, "uint8")}
    if volume.labels:
        kinds["labels"] = (volume.labels, labels)
    return {
        kind: Source(path, "tiff", shape, dtype, (path,)) for kind, (path, dtype) in kinds.items()
    }


def write_manifest(folder: str | Path, found: dict[str, Source]) -> None:
    """Write what was found of a volume."""
    text = json.dumps({kind: asdict(source) for kind, source in found.items()}, indent=1)
    write_if_changed(Path(folder, "volume.json"), text + "\n")


def read_manifest(folder: str | Path) -> dict[str, Source]:
    """Read what the main process found of a volume."""
    return SOURCES.validate_json(Path(folder, "volume.json").read_bytes())

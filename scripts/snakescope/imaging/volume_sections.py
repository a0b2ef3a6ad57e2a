"""Volumes in a folder, one file a section: one naming, numbers once and without gaps."""

from __future__ import annotations

import filecmp
import re
from collections import Counter
from collections.abc import Sequence
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snakescope.imaging.volume_source import Source
from snakescope.step.errors import StepError

if TYPE_CHECKING:
    from numpy.typing import NDArray

TIFF = (".tif", ".tiff")
SECTIONS = (*TIFF, ".png", ".jpg", ".jpeg")
NUMBER = re.compile(r"\d+")
PROBE = 4096
"""Bytes in the middle of a section that are compared first."""
UNSPOKEN = ("", ".txt", ".xml", ".json", ".csv", ".tsv", ".db", ".ini", ".log", ".md")
"""Endings of files beside sections that nobody takes for one."""


def describe_sections(path: str, kind: str) -> Source:
    """Describe a folder of sections by the names of its files and the first of them.

    Raises:
        StepError: no section, names of several kinds, a number twice, a stack in place of a
            section.
    """
    images, others = [], Counter[str]()
    for file in Path(path).iterdir():
        # macOS writes a file ._section.tif of metadata for every file.
        if file.name.startswith(".") or not file.is_file():
            continue
        if file.suffix.lower() in SECTIONS:
            images.append(file)
        elif file.suffix.lower() not in UNSPOKEN:
            others[file.suffix.lower()] += 1
    told = ", ".join(f"{ending} ({count})" for ending, count in others.most_common())
    if not images:
        found = f"files of other endings, {told}" if told else "none"
        raise StepError(
            f"{path}: expected sections ({', '.join(SECTIONS)}), found {found}; copy them there or "
            "correct the sample sheet"
        )
    files, notes = in_order(path, images)
    notes += repeated(path, files)
    if told:
        notes.append(f"{path}: files of other endings are left out: {told}")
    first = read_section(files[0], kind)
    shape = (len(files), *first.shape)
    names = tuple(map(str, files))
    voxel = _voxel(files[0])
    return Source(
        path, "sections", shape, str(first.dtype), names, "", kind, voxel, notes=tuple(notes)
    )  # type: ignore[arg-type]


def repeated(path: str, files: Sequence[Path], one: str = "section") -> list[str]:
    """Note sections, or frames, that are the one before once more, byte for byte."""
    found = []
    last: tuple[int, bytes] = (0, b"")
    for before, file in pairwise([files[0], *files]):
        size = file.stat().st_size
        with file.open("rb") as stream:
            stream.seek(size // 2)
            here = size, stream.read(PROBE)
        # Of most sections a few bytes tell that they are others.
        if before != file and here == last and filecmp.cmp(before, file, shallow=False):
            found.append(file.name)
        last = here
    if not found:
        return []
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return [
        f"{path}: {found[0]}{more} is the {one} before it once more, byte for byte; see that no"
        " image was copied over another"
    ]


def _voxel(path: Path) -> tuple[float, float, float] | None:
    from snakescope.imaging.frames import read_header
    from snakescope.imaging.tiff import pixel_size_um

    if path.suffix.lower() not in TIFF:
        size = read_header(path).pixel_size_um
        return (0.0, 1e3 * size, 1e3 * size) if size else None
    import tifffile

    with tifffile.TiffFile(path) as file:
        found = pixel_size_um(file)
    return (0.0, 1e3 * found[-2], 1e3 * found[-1]) if found else None


def in_order(
    path: str, images: Sequence[Path], one: str = "section"
) -> tuple[list[Path], list[str]]:
    """Sort sections by their number, and note numbers that are missing.

    Section 10 follows section 9. Names must be alike but for one number, case ignored.

    Raises:
        StepError: names of several kinds, a number twice, or no number that counts.
    """
    kinds = Counter(NUMBER.sub("#", file.name.lower()) for file in images)
    if len(kinds) > 1:
        usual = kinds.most_common(1)[0][0]
        stray = next(f.name for f in images if NUMBER.sub("#", f.name.lower()) != usual)
        shown = ", ".join(f"{kind} ({count})" for kind, count in sorted(kinds.items())[:4])
        raise StepError(
            f"{path}: expected {one}s named alike but for their number (#), found {shown}, such"
            f" as {stray}; keep one file a {one} in the folder, or name another folder"
        )
    numbers = [[int(part) for part in NUMBER.findall(file.name)] for file in images]
    if len(images) == 1:
        return list(images), []
    varying = [k for k, column in enumerate(zip(*numbers, strict=True)) if len(set(column)) > 1]
    counting = [k for k in varying if len({row[k] for row in numbers}) == len(images)]
    if not varying or (len(varying) == 1 and not counting):
        order = sorted(zip(numbers, images, strict=True), key=lambda pair: (pair[0], pair[1].name))
        twice = next((a.name, b.name) for (x, a), (y, b) in pairwise(order) if x == y)
        raise StepError(
            f"{path}: expected every {one} once, found {twice[0]} and {twice[1]}; remove one"
        )
    if len(varying) > 1:
        steady = [k for k in counting if _steps(numbers, k) == {1}]
        if len(steady) != 1:
            raise StepError(
                f"{path}: expected names of {one}s with one number that counts them, found"
                f" {len(varying)} numbers that change, as in {images[0].name}; rename them"
            )
        counting = steady
    place = counting[0]
    pairs = sorted(zip((row[place] for row in numbers), images, strict=True))
    present = [number for number, _ in pairs]
    # Of numbers such as times there may be billions between two.
    missing = present[-1] - present[0] + 1 - len(present)
    notes = []
    steps = {b - a for a, b in pairwise(present)}
    if missing and len(steps) > 1:
        gaps = chain.from_iterable(range(a + 1, b) for a, b in pairwise(present))
        shown = ", ".join(map(str, islice(gaps, 5))) + (", ..." if missing > 5 else "")
        notes.append(
            f"{path}: {missing} {one}s are missing by their numbers ({shown}); those beside"
            " a gap are taken for neighbours"
        )
    return [file for _, file in pairs], notes


def number_of_each(files: Sequence[Path]) -> list[int]:
    """Return the numbers by which :func:`in_order` sorted files: the first that rises throughout.

    Empty where none does, as of one file.
    """
    columns = zip(*([int(part) for part in NUMBER.findall(f.name)] for f in files), strict=True)
    rising = (column for column in columns if all(a < b for a, b in pairwise(column)))
    return list(next(rising, ()))


def _steps(numbers: Sequence[Sequence[int]], place: int) -> set[int]:
    column = sorted(row[place] for row in numbers)
    return {b - a for a, b in pairwise(column)}


def read_section(path: str | Path, kind: str = "image") -> NDArray[Any]:
    """Read one section, shape (Y, X); of an image 0 is black.

    Raises:
        StepError: the file is absent, damaged, a stack or not a grey image.
        SystemFault: the system does not let it be read.
    """
    import numpy as np

    from snakescope.imaging.frames import UnreadableFrame, read_picture

    try:
        return np.asarray(read_picture(path, labels=kind == "labels"))
    except UnreadableFrame as error:
        if "one picture a file" in str(error):
            raise StepError(
                f"{path}: expected one section, found"
                f" {str(error).partition(', found ')[2].partition(';')[0]}; name the stack itself"
                " in the sample sheet, not its folder"
            ) from None
        raise


def read_sections(source: Source, begin: int, end: int) -> NDArray[Any]:
    """Read sections of a folder, (end - begin, Y, X).

    Raises:
        StepError: one of another type or size than the first.
    """
    import numpy as np

    sections = []
    for file in source.files[begin:end]:
        section = read_section(file, source.kind)
        if str(section.dtype) != source.dtype:
            raise StepError(
                f"{file}: expected a section of {source.dtype} as the first, {source.files[0]},"
                f" found {section.dtype}; export all sections alike"
            )
        if section.shape != source.shape[1:]:
            raise StepError(
                f"{file}: expected a section of {source.shape[1]} x {source.shape[2]} px as "
                f"the first, found {section.shape[0]} x {section.shape[1]}; export it again"
            )
        sections.append(section)
    return np.stack(sections)

"""What can be told of a scan from its row and its header, before any pixel is decoded."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path

from snakescope.fibrosis.classes import CLASSES
from snakescope.fibrosis.scans.sheet import Scan
from snakescope.step.errors import StepError

SIMULATED = "simulated/fibrosis/"
"""Images below this folder are made by a rule, and need not be there yet."""

LEAST = 2
"""Patients of a class, and folds: one to train on while another is tested."""

Key = Callable[[Scan], Hashable]
"""What scans have in common that are compared with each other; empty: with none."""

Check = Callable[[Scan, Sequence[Scan]], str]
"""Why a scan contradicts those that have it in common; empty where it does not."""


def look(scan: Scan) -> None:
    """Look at the files of a scan.

    Raises:
        StepError: a file is absent, or its header says that it cannot be used.
    """
    for path, what in ((scan.image, "an image"), (scan.mask, "a mask")):
        if path and not path.startswith(SIMULATED) and not Path(path).is_file():
            raise StepError(f"{path}: expected {what}, found no such file; correct the sheet")
    if scan.image.startswith(SIMULATED):
        return
    from snakescope.imaging.dicom import is_dicom, read_header

    if is_dicom(scan.image):
        try:
            read_header(scan.image)
        except StepError as error:
            if not (scan.window and "column window" in str(error)):
                raise
        return
    if Path(scan.image).suffix.lower() in (".mp4", ".avi", ".mov", ".mkv"):
        return
    sizes = [_size(path) for path in (scan.image, scan.mask) if path]
    if len(sizes) == 2 and sizes[0] != sizes[1]:
        raise StepError(
            f"{scan.mask}: expected a mask of {sizes[0][0]} x {sizes[0][1]} px as its image has,"
            f" found one of {sizes[1][0]} x {sizes[1][1]}; draw it on the whole frame"
        )


def _size(path: str) -> tuple[int, int]:
    """Width and height, of the picture and not of a thumbnail before it."""
    from snakescope.imaging.frames import read_header

    height, width = read_header(path).shape
    return width, height


def conflicts(scans: Iterable[Scan]) -> Mapping[str, str]:
    """Scans that contradict others, and why: an image twice, a patient of two stages.

    A patient may have two stages where every scan has its date, and none is that of two: the liver
    changed.
    """
    rows = list(scans)
    checks: tuple[tuple[Key, Check], ...] = (
        (lambda scan: (Path(scan.image).resolve(), scan.frame), _image_twice),
        (lambda scan: scan.mask and Path(scan.mask).resolve(), _mask_twice),
        (lambda scan: scan.patient, _of_two_sets),
        (lambda scan: scan.stage and scan.patient, _of_two_stages),
    )
    found: dict[str, str] = {}
    for key, check in checks:
        groups: dict[Hashable, list[Scan]] = {}
        for scan in rows:
            if key(scan):
                groups.setdefault(key(scan), []).append(scan)
        for those in groups.values():
            for scan in those:
                if why := check(scan, those):
                    found.setdefault(scan.name, why)
    return found


def _image_twice(scan: Scan, those: Sequence[Scan]) -> str:
    first = those[0].name
    if scan.name == first:
        return ""
    return (
        f"{scan.image}: expected every image in one row, found it as scan {first} and as"
        f" scan {scan.name}; remove one row"
    )


def _mask_twice(scan: Scan, those: Sequence[Scan]) -> str:
    first = those[0].name
    if scan.name == first:
        return ""
    return (
        f"{scan.mask}: expected a mask of one scan, found it for scan {first} and for scan"
        f" {scan.name}; correct the column mask"
    )


def _of_two_sets(scan: Scan, those: Sequence[Scan]) -> str:
    if scan.set != "external" or not any(one.set == "train" and one.stage for one in those):
        return ""
    return (
        f"patient {scan.patient}: expected scans of one set, found some to train on and"
        " some external: the models would be tested on whom they were trained on;"
        " correct the column set or patient"
    )


def _of_two_stages(scan: Scan, those: Sequence[Scan]) -> str:
    stages = sorted({one.stage for one in those})
    at = [{one.date for one in those if one.stage == stage} for stage in stages]
    apart = all(one.date for one in those) and sum(map(len, at)) == len(set().union(*at))
    if len(stages) < 2 or apart:
        return ""
    return (
        f"patient {scan.patient}: expected one stage, or dates that tell them apart, found"
        f" {' and '.join(stages)} without them; fill in the column date or correct the"
        " stage"
    )


def patients_of(scans: Iterable[Scan], classes: int) -> dict[str, int]:
    """How many patients of each class there are to train on; a scan without one counts as one."""
    rows = [scan for scan in scans if scan.set == "train" and scan.stage]
    return {
        "-".join(stages): len({scan.patient or scan.name for scan in rows if scan.stage in stages})
        for stages in CLASSES[classes]
    }


def check_classes(scans: Iterable[Scan], classes: int, folds: int) -> None:
    """Refuse classes of fewer patients than folds: a fold would test nothing of them.

    Args:
        classes: how many are told apart: 3, 4 or 5.

    Raises:
        StepError: names the classes, and says what can be done.
    """
    rows = list(scans)
    count = patients_of(rows, classes)
    few = {name: n for name, n in count.items() if n < folds}
    if not few or not any(count.values()):
        return
    least = min(few.values())
    if least >= LEAST:
        ways = [f"lower fibrosis: splits: folds to {least}", "add patients"]
    else:
        ways = [
            f"add patients (at least {LEAST} of each class; fibrosis: splits: folds can be as many"
            " as the smallest class has)"
        ]
    for merged in sorted(CLASSES, reverse=True):
        left = min(patients_of(rows, merged).values())
        if merged < classes and left >= LEAST:
            lower = f" and splits: folds: {left}" if left < folds else ""
            ways.append(f"merge classes (fibrosis: training: classes: {merged}{lower})")
            break
    else:
        if not least:
            ways[-1] += ": no class can be left out"
    found = ", ".join(f"{n or 'none'} of {name}" for name, n in few.items())
    raise StepError(
        f"classes: expected at least as many patients of each as folds ({folds}), found {found};"
        f" {' or '.join(ways)}"
    )

"""How inputs of :mod:`benchmarks.workflow.inputs` are made, and how an outcome is judged."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.workflow.inputs import Outcome

REGISTERED = tuple(
    f"results/healthspan/p1/registered/{block}.tsv" for block in ("t000-t004", "t005-t009")
)
HEAD = "plate\texperiment\tcondition\tfolder\tage_at_first_frame_d\tworms\n"
CONFIG = "healthspan: {plates: plates.tsv, timepoints_per_block: 5}\n"
VOLUME = (
    "neurites: {volumes: volumes.tsv, block: [16, 128, 128],"
    " predict: {patch_zyx: [16, 128, 128], overlap: 0.25, threads: 1}}\n"
)
RAW = "base/simulated/p1/raw"
Check = Callable[["Outcome"], tuple[str, bool]]


@dataclass(frozen=True)
class Case:
    """A case of a kind.

    Attributes:
        kind: as the kinds are numbered.
        expected: the right value, in words.
        check: of an outcome what was found, and whether it is right.
        generator: number of a generator, empty for ``make``; words: its further arguments.
        targets: files to make; dry: only plan.
        make: makes the input in ``d`` of a folder, after the generator.
        then: what is done before a second run, whose outcome counts.
        during: file from which on the generator still runs.
        plain: run without the rights of an administrator.
        step: run the comparison of an experiment alone, on individuals that the maker wrote.
        command: words of ``snakescope`` to run in place of planning.
    """

    kind: int
    name: str
    expected: str
    check: Check
    generator: str = ""
    words: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    dry: bool = True
    make: Callable[[Path], None] | None = None
    then: Callable[[Path], None] | None = None
    during: str = ""
    plain: bool = False
    step: bool = False
    command: tuple[str, ...] = ()


def says(*words: str, status: int | None = None, without: Sequence[str] = ()) -> Check:
    """Whether all words are in what a run said."""

    def check(outcome: Outcome) -> tuple[str, bool]:
        lines = [line for line in outcome.text.splitlines() if words[0] in line]
        good = all(word in outcome.text for word in words)
        good &= status is None or outcome.status == status
        good &= not any(word in outcome.text for word in without)
        return (lines or outcome.text.strip().splitlines() or ["nothing"])[0], good

    return check


def registered(*lost: int, of: int = 10, reason: str = "", reference: int | None = None) -> Check:
    """Whether all timepoints of plate p1 but those lost are registered."""

    def check(outcome: Outcome) -> tuple[str, bool]:
        rows: list[dict[str, str]] = []
        for path in sorted((outcome.folder / "results/healthspan/p1/registered").glob("*.tsv")):
            with open(path, encoding="utf-8", newline="") as file:
                rows += csv.DictReader(file, delimiter="\t")
        found = {int(r["timepoint"]) for r in rows if r["status"] != "registered"}
        reasons = [r["reason"] for r in rows if r["status"] != "registered"]
        if not rows:
            return outcome.text.strip().splitlines()[-1], False
        text = f"{len(rows) - len(found)} of {len(rows)} registered"
        text += f"; lost {sorted(found)}: {reasons[0]}" if found else ""
        good = len(rows) == of and found == set(lost) and all(reason in one for one in reasons)
        if reference is not None:
            description = (outcome.folder / "results/healthspan/p1/reference.json").read_text()
            good &= f'"timepoint": {reference},' in description
        return text, good and outcome.status == 0

    return check


def plate(work: Path, rows: str = "p1\te\tN2\traw\t1\t8\n", config: str = CONFIG) -> None:
    """Write sheet and configuration."""
    (work / "d/plates.tsv").write_text(HEAD + rows, encoding="utf-8")
    (work / "d/c.yaml").write_text(config, encoding="utf-8")


def raw(work: Path, folder: str = "raw", channels: Sequence[str] = ("Phase",)) -> list[Path]:
    """Copy the raw images of the base and return them, by name."""
    target = work / "d" / folder
    target.mkdir(parents=True, exist_ok=True)
    for channel in channels:
        for image in (work / RAW).glob(f"VID1_{channel}_*"):
            shutil.copy(image, target / image.name)
    return sorted(target.iterdir())


def volume(work: Path, cells: str, head: str = "volume\timage\tvoxel_nm") -> None:
    """Write sheet and configuration of a volume."""
    (work / "d/volumes.tsv").write_text(f"{head}\n{cells}\n", encoding="utf-8")
    (work / "d/c.yaml").write_text(VOLUME, encoding="utf-8")


def changed(how: Callable[[Any], Any], *which: int, **tags: Any) -> Callable[[Path], None]:
    """A maker: images of some timepoints changed, or written with other tags."""

    def make(work: Path) -> None:
        import tifffile

        plate(work)
        for number, image in enumerate(raw(work)):
            if not which or number in which:
                tifffile.imwrite(image, how(tifffile.imread(image)), **tags)

    return make


def copies(times: bool) -> Callable[[Path], None]:
    def make(work: Path) -> None:
        (work / "d").mkdir(exist_ok=True)
        for name in ("a", "b"):
            (shutil.copytree if times else plain)(work / RAW, work / "d" / name)
        for number, image in enumerate(sorted((work / "d/a").iterdir())):
            for name in ("a", "b"):
                path = work / "d" / name / image.name
                os.utime(path, (1.7e9 + 60 * number,) * 2)
        plate(work, "p1\te\tN2\ta\t1\t8\np2\te\tdrug\tb\t1\t8\n")

    return make


def plain(source: Path, target: Path) -> None:
    shutil.copytree(source, target, copy_function=shutil.copyfile)


def linked(work: Path) -> None:
    plate(work, f"p1\te\tN2\t{RAW}\t1\t8\np2\te\tdrug\tlink/\t1\t8\n")
    (work / "d/link").symlink_to((work / RAW).resolve())


def nested(work: Path) -> None:
    raw(work, "exp/p")
    plate(work, "p1\te\tN2\texp\t1\t8\np2\te\tdrug\texp/p\t1\t8\n")


def readable(work: Path) -> None:
    for image in (work / "d/raw").iterdir():
        image.chmod(0o644)


def tiff_volume(**options: Any) -> Callable[[Path], None]:
    def make(work: Path) -> None:
        import tifffile

        image = tifffile.imread(work / "nbase/simulated/neurites/v/image.tif")
        tifffile.imwrite(work / "d/image.tif", options.pop("how", lambda a: a)(image), **options)
        volume(work, "v\timage.tif\t30 6 6")

    return make


def tail_of_volume(work: Path) -> None:
    tiff_volume()(work)
    path = work / "d/image.tif"
    data = path.read_bytes()
    keep = int(len(data) * 0.61)
    path.write_bytes(data[:keep] + bytes(len(data) - keep))


def hdf5(write: Callable[[Any, Any], None], cell: str = "image.h5") -> Callable[[Path], None]:
    def make(work: Path) -> None:
        import h5py
        import tifffile

        image = tifffile.imread(work / "nbase/simulated/neurites/v/image.tif")
        with h5py.File(work / "d/image.h5", "w") as file:
            write(file, image)
        volume(work, f"v\t{cell}\t30 6 6")

    return make


def never_written(file: Any, image: Any) -> None:
    file.create_dataset("raw", image.shape, image.dtype, chunks=(8, 64, 64))


def half_written(file: Any, image: Any) -> None:
    file.create_dataset("raw", image.shape, image.dtype, chunks=(8, 64, 64))[:8] = image[:8]


def virtual(file: Any, image: Any) -> None:
    import h5py

    layout = h5py.VirtualLayout(image.shape, image.dtype)
    layout[:] = h5py.VirtualSource("absent.h5", "raw", image.shape)
    file.create_virtual_dataset("raw", layout)


def xyz(file: Any, image: Any) -> None:
    file["raw"] = image.T
    for dim, label in zip(file["raw"].dims, "xyz", strict=True):
        dim.label = label


def resolution(file: Any, image: Any) -> None:
    file["raw"] = image
    file["raw"].attrs["resolution"] = (40.0, 4.0, 4.0)


def section_files(names: Callable[[int], str], count: int = 16) -> Callable[[Path], None]:
    def make(work: Path) -> None:
        import tifffile

        image = tifffile.imread(work / "nbase/simulated/neurites/v/image.tif")
        (work / "d/sections").mkdir()
        for number, section in enumerate(image[:count]):
            if name := names(number):
                tifffile.imwrite(work / "d/sections" / name, section)
        volume(work, "v\tsections\t30 6 6")

    return make


def padded(work: Path) -> None:
    """CREMI's padded files: labels of the middle, placed by offset."""
    import h5py
    import tifffile

    base = work / "nbase/simulated/neurites/v"
    image, labels = (tifffile.imread(base / f"{name}.tif") for name in ("image", "labels"))
    with h5py.File(work / "d/s.hdf", "w") as file:
        file["raw"] = image
        file["raw"].attrs["resolution"] = (40.0, 4.0, 4.0)
        file["ids"] = labels[4:12, 32:96, 32:96].astype("uint64")
        file["ids"].attrs.update(resolution=(40.0, 4.0, 4.0), offset=(160.0, 128.0, 128.0))
    volume(work, "v\ts.hdf:/raw\t40 4 4\ts.hdf:/ids", "volume\timage\tvoxel_nm\tlabels")


def label_volume(change: Callable[[Any], Any]) -> Callable[[Path], None]:
    def make(work: Path) -> None:
        import tifffile

        base = "nbase/simulated/neurites/v"
        tifffile.imwrite(work / "d/l.tif", change(tifffile.imread(work / base / "labels.tif")))
        cells = f"v\t{base}/image.tif\t30 6 6\tl.tif"
        volume(work, cells, "volume\timage\tvoxel_nm\tlabels")

    return make


def other_files(work: Path) -> None:
    raw(work)
    plate(work)
    (work / "d/raw/plate.czi").write_bytes(b"ZISRAWFILE")
    (work / "d/raw/notes.txt").write_text("ours")


def native(work: Path) -> None:
    (work / "d/raw").mkdir(parents=True)
    (work / "d/raw/plate.nd2").write_bytes(b"x" * 100)
    plate(work)


def groups(*folders: str) -> Callable[[Path], None]:
    def make(work: Path) -> None:
        rows = ""
        for folder in folders:
            for image in raw(work, folder):
                image.rename(image.with_name(image.name.replace("_Phase", "")))
            rows += f"p{folder}\te\t{folder}\t{folder}\t1\t8\n"
        plate(work, rows)

    return make


def sheet_of(rows: str, head: str = HEAD, name: str = "plates.tsv") -> Callable[[Path], None]:
    def make(work: Path) -> None:
        raw(work)
        (work / "d" / name).write_text(head + rows, encoding="utf-8")
        (work / "d/c.yaml").write_text(CONFIG.replace("plates.tsv", name), encoding="utf-8")

    return make


def alike(work: Path) -> None:
    raw(work, "raw2")
    sheet_of("p1\te\tN2\traw\t1\t8\np2\te\tn2\traw2\t1\t8\n")(work)


def workbook(work: Path) -> None:
    import openpyxl

    raw(work)
    book = openpyxl.Workbook()
    for cells in (HEAD.split(), ["p1", "e", "N2", "raw", 1, 8]):
        book.active.append(cells)
    book.save(work / "d/plates.xlsx")
    (work / "d/c.yaml").write_text(CONFIG.replace("plates.tsv", "plates.xlsx"), encoding="utf-8")


def configured(text: str) -> Callable[[Path], None]:
    def make(work: Path) -> None:
        raw(work)
        plate(work, config=text)

    return make


def frozen_camera(*pairs: tuple[int, int], again: bool = False) -> Callable[[Path], None]:
    def make(work: Path) -> None:
        import tifffile

        plate(work)
        images = raw(work)
        for source, target in pairs:
            if again:
                image = tifffile.imread(images[source])
                tifffile.imwrite(images[target], image, datetime="2026:11:28 12:00:00")
            else:
                shutil.copy(images[source], images[target])

    return make


def bad_frames(how: str, *which: int) -> Callable[[Path], None]:
    import cv2
    import numpy as np

    def change(image: Any) -> Any:
        if how == "blurred":
            return cv2.GaussianBlur(image, (0, 0), 40)
        if how == "other":
            return np.ascontiguousarray(image[::-1])
        return cv2.resize(image, (440, 440))

    return changed(change, *which)

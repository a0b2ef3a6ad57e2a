"""The cases of :mod:`benchmarks.workflow.inputs`: how each is made, and what is right."""

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


def _copies(times: bool) -> Callable[[Path], None]:
    def make(work: Path) -> None:
        (work / "d").mkdir(exist_ok=True)
        for name in ("a", "b"):
            (shutil.copytree if times else _plain)(work / RAW, work / "d" / name)
        for number, image in enumerate(sorted((work / "d/a").iterdir())):
            for name in ("a", "b"):
                path = work / "d" / name / image.name
                os.utime(path, (1.7e9 + 60 * number,) * 2)
        plate(work, "p1\te\tN2\ta\t1\t8\np2\te\tdrug\tb\t1\t8\n")

    return make


def _plain(source: Path, target: Path) -> None:
    shutil.copytree(source, target, copy_function=shutil.copyfile)


def _linked(work: Path) -> None:
    plate(work, f"p1\te\tN2\t{RAW}\t1\t8\np2\te\tdrug\tlink/\t1\t8\n")
    (work / "d/link").symlink_to((work / RAW).resolve())


def _nested(work: Path) -> None:
    raw(work, "exp/p")
    plate(work, "p1\te\tN2\texp\t1\t8\np2\te\tdrug\texp/p\t1\t8\n")


def _readable(work: Path) -> None:
    for image in (work / "d/raw").iterdir():
        image.chmod(0o644)


def _tiff_volume(**options: Any) -> Callable[[Path], None]:
    def make(work: Path) -> None:
        import tifffile

        image = tifffile.imread(work / "nbase/simulated/neurites/v/image.tif")
        tifffile.imwrite(work / "d/image.tif", options.pop("how", lambda a: a)(image), **options)
        volume(work, "v\timage.tif\t30 6 6")

    return make


def _tail_of_volume(work: Path) -> None:
    _tiff_volume()(work)
    path = work / "d/image.tif"
    data = path.read_bytes()
    keep = int(len(data) * 0.61)
    path.write_bytes(data[:keep] + bytes(len(data) - keep))


def _hdf5(write: Callable[[Any, Any], None], cell: str = "image.h5") -> Callable[[Path], None]:
    def make(work: Path) -> None:
        import h5py
        import tifffile

        image = tifffile.imread(work / "nbase/simulated/neurites/v/image.tif")
        with h5py.File(work / "d/image.h5", "w") as file:
            write(file, image)
        volume(work, f"v\t{cell}\t30 6 6")

    return make


def _never_written(file: Any, image: Any) -> None:
    file.create_dataset("raw", image.shape, image.dtype, chunks=(8, 64, 64))


def _half_written(file: Any, image: Any) -> None:
    file.create_dataset("raw", image.shape, image.dtype, chunks=(8, 64, 64))[:8] = image[:8]


def _virtual(file: Any, image: Any) -> None:
    import h5py

    layout = h5py.VirtualLayout(image.shape, image.dtype)
    layout[:] = h5py.VirtualSource("absent.h5", "raw", image.shape)
    file.create_virtual_dataset("raw", layout)


def _xyz(file: Any, image: Any) -> None:
    file["raw"] = image.T
    for dim, label in zip(file["raw"].dims, "xyz", strict=True):
        dim.label = label


def _resolution(file: Any, image: Any) -> None:
    file["raw"] = image
    file["raw"].attrs["resolution"] = (40.0, 4.0, 4.0)


def _sections(names: Callable[[int], str], count: int = 16) -> Callable[[Path], None]:
    def make(work: Path) -> None:
        import tifffile

        image = tifffile.imread(work / "nbase/simulated/neurites/v/image.tif")
        (work / "d/sections").mkdir()
        for number, section in enumerate(image[:count]):
            if name := names(number):
                tifffile.imwrite(work / "d/sections" / name, section)
        volume(work, "v\tsections\t30 6 6")

    return make


def _padded(work: Path) -> None:
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


def _labels(change: Callable[[Any], Any]) -> Callable[[Path], None]:
    def make(work: Path) -> None:
        import tifffile

        base = "nbase/simulated/neurites/v"
        tifffile.imwrite(work / "d/l.tif", change(tifffile.imread(work / base / "labels.tif")))
        cells = f"v\t{base}/image.tif\t30 6 6\tl.tif"
        volume(work, cells, "volume\timage\tvoxel_nm\tlabels")

    return make


def _other_files(work: Path) -> None:
    raw(work)
    plate(work)
    (work / "d/raw/plate.czi").write_bytes(b"ZISRAWFILE")
    (work / "d/raw/notes.txt").write_text("ours")


def _native(work: Path) -> None:
    (work / "d/raw").mkdir(parents=True)
    (work / "d/raw/plate.nd2").write_bytes(b"x" * 100)
    plate(work)


def _groups(*folders: str) -> Callable[[Path], None]:
    def make(work: Path) -> None:
        rows = ""
        for folder in folders:
            for image in raw(work, folder):
                image.rename(image.with_name(image.name.replace("_Phase", "")))
            rows += f"p{folder}\te\t{folder}\t{folder}\t1\t8\n"
        plate(work, rows)

    return make


def _sheet(rows: str, head: str = HEAD, name: str = "plates.tsv") -> Callable[[Path], None]:
    def make(work: Path) -> None:
        raw(work)
        (work / "d" / name).write_text(head + rows, encoding="utf-8")
        (work / "d/c.yaml").write_text(CONFIG.replace("plates.tsv", name), encoding="utf-8")

    return make


def _workbook(work: Path) -> None:
    import openpyxl

    raw(work)
    book = openpyxl.Workbook()
    for cells in (HEAD.split(), ["p1", "e", "N2", "raw", 1, 8]):
        book.active.append(cells)
    book.save(work / "d/plates.xlsx")
    (work / "d/c.yaml").write_text(CONFIG.replace("plates.tsv", "plates.xlsx"), encoding="utf-8")


def _configured(text: str) -> Callable[[Path], None]:
    def make(work: Path) -> None:
        raw(work)
        plate(work, config=text)

    return make


def _frozen(*pairs: tuple[int, int], again: bool = False) -> Callable[[Path], None]:
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


def _bad_frames(how: str, *which: int) -> Callable[[Path], None]:
    import cv2
    import numpy as np

    def change(image: Any) -> Any:
        if how == "blurred":
            return cv2.GaussianBlur(image, (0, 0), 40)
        if how == "other":
            return np.ascontiguousarray(image[::-1])
        return cv2.resize(image, (440, 440))

    return changed(change, *which)


def _table() -> tuple[Case, ...]:
    import numpy as np

    one = "one sentence"
    planned = "planned, as the base"
    all_ten = "ten frames registered"
    plan_ok = says("healthspan_reference", status=0)
    volume_ok = says("neurites_describe", status=0)
    frames: dict[str, Any] = {"targets": REGISTERED, "dry": False}
    return (
        Case(1, "no permission, then given (39)", "an error of the system, then ten frames",
             registered(), "39", (), REGISTERED, False, None, _readable),
        Case(1, "HDF5 locked by a writer (05)", "the sentence of a lock, no damage",
             says("another program has it open", without=["damaged"]), "05",
             during="d/image.h5"),
        Case(2, "first frame blurred (48)", "t000 left out, nine registered",
             registered(0, reference=1), "48", ("blurred",), **frames),
        Case(2, "first frame of another plate (48)", "t000 left out, nine registered",
             registered(0, reference=1), "48", ("other",), **frames),
        Case(2, "first frame small (48)", "t000 left out, nine registered",
             registered(0, reference=1), "48", ("small",), **frames),
        Case(2, "first two frames of another plate", "two left out, eight registered",
             registered(0, 1, reference=2), make=_bad_frames("other", 0, 1), **frames),
        Case(2, "last frame small", "t009 left out, nine registered",
             registered(9, reference=0), make=_bad_frames("small", 9), **frames),
        Case(3, "times of files two hours ahead (22)", all_ten, registered(), "22", **frames),
        Case(4, "last 45 % of a file are zeros (61)", "t006 left out as damaged",
             registered(6, reason="zeros"), "61", **frames),
        Case(4, "last 10 % of a file are zeros", "t006 left out as damaged",
             registered(6, reason="zeros"), "61", ("0.10",), **frames),
        Case(4, "zeros in the middle of a file", "t003 left out as damaged",
             registered(3, reason="zeros"),
             make=changed(lambda a: np.where(np.arange(a.size).reshape(a.shape) // 9999 == 30, 0, a
                                             ).astype(a.dtype), 3), **frames),
        Case(4, "chunk of a Zarr absent (12)", "told with the number of chunks",
             says("1 of 8 chunks are absent", status=0), "12"),
        Case(4, "TIFF stack of which the end is zeros", one,
             says("the copy was broken off"), make=_tail_of_volume),
        Case(4, "HDF5 dataset never written", one,
             says("none were ever written"), make=_hdf5(_never_written)),
        Case(4, "HDF5 dataset half written", "told with the number of chunks",
             says("4 of 8 chunks are absent"), make=_hdf5(_half_written)),
        Case(4, "HDF5 view of a file that is not there", one,
             says("absent.h5, of which this dataset is a view"), make=_hdf5(_virtual)),
        Case(5, "volume WhiteIsZero (01)", planned, volume_ok, "01"),
        Case(5, "frames WhiteIsZero", "ten frames, as the base",
             registered(), make=changed(lambda a: 255 - a, photometric="miniswhite"), **frames),
        Case(5, "channels as pages (31)", one, says("found 2 pictures (axes CYX"), "31", ("pages",)),
        Case(5, "channels as samples (31)", "refused by name",
             says("samples that the file calls no alpha", status=1), "31", ("samples",), **frames),
        Case(5, "all timepoints in one file (31)", one, says("found 10 pictures"), "31", ("stack",)),
        Case(5, "pixel size of the file another (55)", "told before the first job",
             says("PIXEL SIZE: the images say 4.87 um"), "55"),
        Case(5, "pixel size in the sheet agrees (55)", "nothing told",
             says("healthspan_reference", without=["PIXEL SIZE"]), "55", ("told",)),
        Case(5, "HDF5 whose axes are x, y, z", one, says("found x, y, z"), make=_hdf5(_xyz)),
        Case(5, "16 bit volume without grey range", "one sentence, with the range",
             says("set neurites.volumes.ingest.grey_range"),
             make=_tiff_volume(how=lambda a: a.astype(np.uint16) * 200)),
        Case(5, "OME-TIFF volume of two channels", one, says("expected one channel, found 2"),
             make=_tiff_volume(how=lambda a: a[:2], ome=True, metadata={"axes": "CYX"})),
        Case(6, "sections as .tif and .png (07)", one, says("s#.png (16), s#.tif (16)"), "07"),
        Case(6, "a stack in the folder (09)", one, says("name the stack itself"), "09"),
        Case(6, "two stacks in the folder (09)", one, says("name the stack itself"), "09", ("2",)),
        Case(6, "a stray name among sections", one, says("named alike but for their number"),
             make=_sections(lambda k: "overview.tif" if k == 3 else f"s{k:03d}.tif")),
        Case(6, "a section missing", "told", says("1 sections are missing by their numbers (5)"),
             make=_sections(lambda k: "" if k == 5 else f"s{k}.tif")),
        Case(6, "a number twice, s1 and s01", one, says("expected every section once"),
             make=_sections(lambda k: f"s{k}.tif" if k < 8 else f"s{k - 8:03d}.tif")),
        Case(7, "one folder in four rows (26)", "refused, row by row",
             says("expected images of its own, found those of"), "26"),
        Case(7, "one folder by a link", "refused", says("expected images of its own"),
             make=_linked),
        Case(7, "one folder within another", "refused", says("expected images of its own"),
             make=_nested),
        Case(7, "a copy of a folder, times kept", "refused", says("expected images of its own"),
             make=_copies(True)),
        Case(7, "exclusion FALSE, no, 0, -, n/a (27)", "five plates, one folder: refused as such",
             says("expected images of its own", without=["expected a header"]), "27"),
        Case(7, "conditions that differ in case (37)", "told or refused",
             says("compared as different ones"),
             make=_sheet("p1\te\tN2\traw\t1\t8\np2\te\tn2\traw2\t1\t8\n")),
        Case(8, "folders of plates C1 and T1 (24)", "both bright field, told",
             says("C1: no name tells a channel", "bright_field (no word, by default)",
                  without=["dark_field ("]), "24"),
        Case(8, "folders of plates Red and Green", "both bright field, told",
             says("Green: no name tells a channel", without=["dark_field ("]),
             make=_groups("Red", "Green")),
        Case(8, "wells without image number (25)", "the well has to be said",
             says("found 2: B1, C1"), "25", ("B1,C1",)),
        Case(8, "wells without image number, well given (25)", "bright field",
             says("healthspan_reference", "bright_field (no word, by default)"), "25",
             ("B1,C1", "B1")),
        Case(9, "braces and more in a path (28)", all_ten, registered(), "28", **frames),
        Case(9, "composed and decomposed Korean (28)", planned, plan_ok, "28", ("nfd",)),
        Case(9, "plate called status.tsv (58)", one,
             says("expected a name other than"), "58", ("status.tsv",)),
        Case(9, "plate called plates.html (58)", one,
             says("expected a name other than"), "58", ("plates.html",)),
        Case(9, "plate called models (58)", one,
             says("expected a name other than"), "58", ("models",)),
        Case(9, "plate called CON", one, says("expected a name that every file system takes"),
             make=_sheet("CON\te\tN2\traw\t1\t8\n")),
        Case(9, "a bad name beside a good one", "one sentence, and the good one is planned",
             says("expected a name of letters", "healthspan_reference"),
             make=_sheet("a b\te\tN2\traw\t1\t8\np1\te\tN2\traw\t1\t8\n")),
        Case(10, "frozen camera (56)", "t001, t002 left out",
             registered(1, 2, reason="once more"), "56", **frames),
        Case(10, "equal pixels, other time stamp", "t003 left out",
             registered(3, reason="once more"), make=_frozen((2, 3), again=True), **frames),
        Case(11, "@eaDir of a Synology (20)", planned, plan_ok, "20"),
        Case(11, "files of other endings beside", "told", says("are left out: .czi (1)"),
             make=_other_files),
        Case(11, "only .nd2", "one sentence: how to export", says("NIS-Elements"), make=_native),
        Case(13, "membranes as labels (10)", one, says("a map of membranes or classes"), "10"),
        Case(13, "voxel size x y z (11)", "told before the first job", says("VOXEL SIZE"), "11",
             ("6 6 30",)),
        Case(13, "voxel size in um (11)", one, says("in um multiply by 1000"), "11",
             ("0.03 0.006 0.006",)),
        Case(13, "reserved ids of CREMI (06)", planned, volume_ok, "06"),
        Case(13, "padded labels by offset", planned, volume_ok, make=_padded),
        Case(13, "resolution of the file another", "told", says("VOXEL SIZE"),
             make=_hdf5(_resolution)),
        Case(13, "labels of three classes", one, says("classes"),
             make=_labels(lambda a: (a % 3).astype(np.uint8))),
        Case(13, "labels as grey values", one, says("expected labels, one an object"),
             make=_labels(lambda a: np.random.default_rng(0).integers(0, 255, a.shape, np.uint8))),
        Case(14, "HDF5 of shape z, y, x, 1 (02)", planned, volume_ok, "02"),
        Case(14, "the same, dataset named (02)", planned, volume_ok, "02", ("named",)),
        Case(14, "HDF5 of shape 1, z, y, x, 1", planned, volume_ok,
             make=_hdf5(lambda f, a: f.__setitem__("raw", a[None, ..., None]))),
        Case(16, "line break in a cell (37)", one, says("every quotation mark to be closed"), "37",
             ("newline_in_cell",)),
        Case(16, "quotation mark left open (37)", one, says("every quotation mark to be closed"),
             "37", ("open_quote",)),
        Case(16, "line separator in a cell (37)", one, says("U+2028"), "37", ("line_separator",)),
        Case(16, "vertical tab in a cell (37)", one, says("U+000B"), "37", ("formfeed",)),
        Case(16, "UTF-16 (37)", planned, plan_ok, "37", ("utf16",)),
        Case(16, "CRLF and a byte order mark (37)", planned, plan_ok, "37", ("crlf_bom",)),
        Case(16, "NUL in a cell", one, says("U+0000"), make=_sheet("p1\te\tN\0002\traw\t1\t8\n")),
        Case(16, "sheet as .csv", planned, plan_ok,
             make=_sheet("p1,e,N2,raw,1,8\n", HEAD.replace("\t", ","), "plates.csv")),
        Case(16, "sheet as .csv with semicolons", planned, plan_ok,
             make=_sheet("p1;e;N2;raw;1;8\n", HEAD.replace("\t", ";"), "plates.csv")),
        Case(16, "sheet as .xlsx", planned, plan_ok, make=_workbook),
        Case(16, "pixel_size_um: true", one, says("found True"), make=_configured(
            CONFIG.replace("timepoints", "ingest: {pixel_size_um: true}, timepoints"))),
        Case(16, "pixel_size_um: .inf", one, says("found inf"), make=_configured(
            CONFIG.replace("timepoints", "ingest: {pixel_size_um: .inf}, timepoints"))),
        Case(16, "configuration that is a list", one, says("expected sections"),
             make=_configured("- a\n- b\n")),
        Case(16, "configuration that names itself", one, says("expected"),
             make=_configured("healthspan: &a\n  plates: *a\n")),
    )  # fmt: skip


CASES = _table()

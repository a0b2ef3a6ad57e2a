"""Odd cases of :mod:`benchmarks.workflow.inputs`: names, clocks, disks and descriptions."""

import os
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.workflow.inputs_made import Case, Check, says, volume

one = "one sentence"
told = "told"
asked = "asked for, nothing is written"
HEAD = "plate\texperiment\tcondition\tfolder\n"
ROW = "p1\te\tN2\traw\n"
LOOK = ("inspect", "raw", "--print-only", "--dish-mm", "55")
interval = says("--interval-h HOURS", status=0)


def small(names: Sequence[str], settings: str = "", rows: str = ROW, **files: bytes) -> Any:
    """A plate of small images with these names, and settings of the section plates."""

    def make(work: Path) -> None:
        import numpy as np
        import tifffile
        from PIL import Image

        for number, name in enumerate(names):
            path = work / "d/raw" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            image = np.random.default_rng(number).integers(60, 200, (64, 64)).astype(np.uint8)
            if path.suffix.lower() in (".tif", ".tiff"):
                tifffile.imwrite(path, image)
            else:
                Image.fromarray(image).save(path)
        (work / "d/plates.tsv").write_text(HEAD + rows, encoding="utf-8")
        keys = f"  plates: {{{settings}}}\n" if settings else ""
        (work / "d/c.yaml").write_text(f"healthspan:\n  sheet: plates.tsv\n{keys}", "utf-8")
        for name, content in files.items():
            (work / "d" / f"{name}.tsv").write_bytes(content)

    return make


def then(make: Callable[[Path], None], how: Callable[[Path], Any]) -> Any:
    return lambda work: (make(work), how(work / "d/raw"))


def dates(form: str, count: int = 10, hours: float = 12) -> list[str]:
    begin = datetime(2024, 5, 1, 8, 30, 12)
    times = (begin + timedelta(hours=hours * k) for k in range(count))
    return [time.strftime(form) for time in times]


def numbers(form: str, first: int = 1, count: int = 10) -> list[str]:
    return [form.format(k) for k in range(first, first + count)]


def looked(name: str, expected: str, check: Check, names: Sequence[str], kind: int = 16) -> Case:
    """A case of names of which ``snakescope inspect`` proposes what they tell."""
    return Case(kind, name, expected, check, make=small(names), command=LOOK)


def _names() -> tuple[Case, ...]:
    twelve = says("10 timepoints, 0 to 108", "every 12 h", status=0)
    days = says("7 timepoints, days", "every 24 h", status=0)
    halves = [f"2024-05-{1 + k // 2:02d}_8{'ap'[k % 2]}m.jpg" for k in range(10)]
    ends = ("A", "B", "C", "D", "1A", "2B", "E", "F", "3C", "4D")
    months = [f"{d} April.jpg" for d in (28, 29, 30)] + [f"{d} May.jpg" for d in (1, 2, 3)]
    german = [f"{d:02d}_April_2024.tif" for d in (28, 29, 30)]
    wells = [f"{d}/A{w:02d}.tif" for d in dates("%Y-%m-%d", 7, 24) for w in (1, 2, 3)]
    of_day = [f"day{d}_{x}.tif" for d in range(1, 6) for x in ("morning", "evening")]
    return (
        looked("a date and a counter of four digits", asked, interval,
               numbers("20240501_{:04d}.tif")),
        looked("phone: IMG-20240501-WA0001", asked, interval, numbers("IMG-20240501-WA{:04d}.jpg")),
        looked("a counter worm_000101 to 000110", asked, interval, numbers("worm_{:06d}.png", 101)),
        looked("macOS: Screenshot ... at 8.30.12 PM", "10 timepoints, every 12 h", twelve,
               dates("Screenshot %Y-%m-%d at %I.%M.%S\u202f%p.png")),
        looked("0830AM and 0830PM", "10 timepoints, every 12 h", twelve,
               dates("%Y-%m-%d_%I%MAM.jpg", 10, 24)[:5] + dates("%Y-%m-%d_%I%MPM.jpg", 10, 24)[:5]),
        looked("8am and 8pm", "10 timepoints, every 12 h", twelve, halves),
        looked("day1_morning and day1_evening", "no two plates", says("doubles", without=[
            "evening\t"]), of_day),
        looked("29 April, 30 April, 1 May: no year", asked, says("give a table of them", without=[
            "{plate}"]), months),
        looked("30_April_2024 and 01_Mai_2024", asked, says("give a table of them"),
               german + [f"{d:02d}_Mai_2024.tif" for d in (1, 2, 3)]),
        looked("ImageXpress: TimePoint_1 with a GUID a file", asked, interval,
               [f"TimePoint_{k + 1}/p_w1{end}.tif" for k, end in enumerate(ends)]),
        looked("Cellomics: A03f00d0 to A03f09d0", asked, interval,
               numbers("AS_09125_050118150001_A03f{:02d}d0.TIF", 0)),
        looked("Opera: r01c01f01p01-ch1sk1fk1fl1", asked, interval,
               numbers("r01c01f01p01-ch1sk{}fk1fl1.tiff")),
        looked("Yokogawa: A01_T0001F001L01A01Z01C01", asked, interval,
               numbers("AssayPlate_A01_T{:04d}F001L01A01Z01C01.tif")),
        looked("Nikon: exp001t01xy01c1", asked, interval, numbers("exp001t{:02d}xy01c1.tif")),
        looked("Leica: Position001--t01--C00--Stage00.ome.tif", asked, interval,
               numbers("Position001--t{:02d}--C00--Stage00.ome.tif")),
        looked("MetaMorph: exp1_w1BF_s1_t1.TIF", asked, interval, numbers("exp1_w1BF_s1_t{}.TIF")),
        looked("Micro-Manager: img_000000000_Default_000", asked, interval,
               numbers("img_{:09d}_Default_000.tif", 0)),
        looked("Raspberry Pi: 20240501T083012Z", "10 timepoints, every 12 h", twelve,
               dates("%Y%m%dT%H%M%SZ.jpg")),
        looked("motion: 01-20240501083012-00", "10 timepoints, every 12 h", twelve,
               dates("01-%Y%m%d%H%M%S-00.jpg")),
        looked("Windows: WIN_20240501_08_30_12_Pro", "10 timepoints, every 12 h", twelve,
               dates("WIN_%Y%m%d_%H_%M_%S_Pro.jpg")),
        looked("a folder a day, in it A01 to A03", "three plates of 7 timepoints",
               says("7 timepoints", "raw_A01", "raw_A03", status=0), wells),
        looked("6h00, 6h30", "10 timepoints, every 0.5 h", says("every 0.5 h", status=0),
               [f"{k // 2}h{30 * (k % 2):02d}.tif" for k in range(10)]),
        looked("0,5h, 1,0h", "10 timepoints, every 0.5 h", says("every 0.5 h", status=0),
               [f"{k // 2},{5 * (k % 2)}h.tif" for k in range(10)]),
        looked("day01 and Copy of day01", told, says("left out", "Copy of day01", status=0),
               ["Copy of day01.tif", *numbers("day{:02d}.tif", count=7)]),
        looked("Tag 1, Tag 2", "7 timepoints, every 24 h", days, numbers("Tag {}.jpg", count=7)),
        looked("digits in Arabic", "7 timepoints, every 24 h", days,
               [f"day{chr(0x660 + k)}.tif" for k in range(1, 8)]),
    )  # fmt: skip


def timed(header: str, *cells: str) -> Any:
    """A plate whose images tell no time, and a table of times with these columns."""
    rows = [f"file\t{header}", *(f"IMG_{k}.jpg\t{cell}" for k, cell in enumerate(cells))]
    names = numbers("IMG_{}.jpg", 0, len(cells))
    return small(names, "times: times.tsv", times="\n".join(rows).encode())


def _clocks() -> tuple[Case, ...]:
    def patterned(names: Sequence[str], pattern: str, more: str = "") -> Any:
        return small(names, f"pattern: '{pattern}'{more}")

    half_days = says("4 timepoints, every 12 h", status=0)
    far = "expected at most 100000 timepoints"
    day = "{year}-{month}-{day}"
    clock = [f"2024-05-0{1 + k // 2} {('0.30 AM', '20.30 PM')[k % 2]}.png" for k in range(4)]
    hours = ("2024-05-01\t08:30", "2024-05-01\t20:30", "2024-05-02\t08:30", "2024-05-02\t20:30")
    changed = [f"2024-06-01 10:0{k}\t2024-05-0{k + 1}" for k in range(4)]
    return (
        Case(16, "a pattern of minutes without hours", "4 timepoints, every 0.5 h",
             says("4 timepoints, every 0.5 h", status=0),
             make=patterned([f"img_{30 * k}min.tif" for k in range(4)], "img_{minutes}min")),
        Case(16, "0.30 AM, 20.30 PM: hours of 24 with halves", "4 timepoints, nothing left out",
             says("4 timepoints", status=0, without=["left out"]),
             make=patterned(clock, day + " {hours}.{minutes}{any}")),
        Case(16, "seconds since 1970 read as timepoints", one, says(far, status=0), make=patterned(
            [f"img_{1714550400 + 43200 * k}.tif" for k in range(4)], "img_{timepoint}",
            ", interval_h: 12")),
        Case(16, "one year 2924 on a schedule", one, says(far, "2924", status=0), make=patterned(
            [*dates("%Y-%m-%d.tif", 3, 24), "2924-05-04.tif"], day, ", interval_h: 1")),
        Case(16, "a camera whose clock began at 1970", told, says("no image for 476", status=0),
             make=patterned(["1970-01-01.tif", *dates("%Y-%m-%d.tif", 4, 24)], day)),
        Case(16, "table of times: date, and time of day", "4 timepoints, every 12 h", half_days,
             make=timed("date\ttime", *hours)),
        Case(16, "table of times: day, and hour of it", "4 timepoints, every 12 h", half_days,
             make=timed("day\thour", "1\t0", "1\t12", "2\t0", "2\t12")),
        Case(16, "table of times: days, and all hours", "4 timepoints, every 12 h", half_days,
             make=timed("days\thours", "0\t0", "0.5\t12", "1\t24", "1.5\t36")),
        Case(16, "table of times: date modified first", "4 timepoints, every 24 h",
             says("4 timepoints, every 24 h", status=0), make=timed("date modified\ttaken",
                                                                    *changed)),
        Case(16, "table of times: seconds", one, says("expected dates as 2024-05-31", status=0),
             make=timed("time_s", "0", "43200", "86400", "129600")),
    )  # fmt: skip


def _disks() -> tuple[Case, ...]:
    names = [f"VID1_Phase_A1_1_{k:02d}d00h00m.tif" for k in range(6)]
    six = says("6 timepoints, every 24 h", "healthspan_reference p1", status=0)
    rest = small(names[1:])

    def badly(folder: Path) -> None:
        path = os.fsencode(folder) + b"/VID\xff_Phase_A1_1_06d00h00m.tif"
        Path(os.fsdecode(path)).write_bytes(b"x")

    def configured(text: str) -> Any:
        return lambda work: (small(names)(work), (work / "d/c.yaml").write_text(text))

    return (
        Case(1, "a pipe in place of the first frame", told, says("pipes (1)", status=0),
             make=then(rest, lambda raw: os.mkfifo(raw / names[0]))),
        Case(11, "a link to the folder that it lies in", "6 timepoints, every 24 h", six,
             make=then(small(names), lambda raw: (raw / "loop").symlink_to(".."))),
        Case(11, "a link to itself", "a missing frame", says("7 timepoints", status=0),
             make=then(small(names), lambda raw: (raw / "VID1_Phase_A1_1_06d00h00m.tif").symlink_to(
                 "VID1_Phase_A1_1_06d00h00m.tif"))),
        Case(9, "an image whose name is no UTF-8", told, says("no UTF-8 (1)", "6 timepoints"),
             make=then(small(names), badly)),
        Case(9, "images with a line break in their names", "6 timepoints, every 24 h", six,
             make=small([name.replace("VID1", "VI\nD1") for name in names])),
        Case(16, "settings with !include", one, says("c.yaml, line 1", "the tag !include"),
             make=configured("healthspan: !include other.yaml\n")),
        Case(16, "settings with a key twice", one, says("expected every key once"),
             make=configured("healthspan:\n  sheet: plates.tsv\n  sheet: other.tsv\n")),
        Case(7, "experiments E1 and e1", told, says("'E1' and 'e1' are different ones"),
             make=lambda work: (small(names, rows="p1\tE1\tN2\traw\np2\te1\tdrug\tmore\n")(work),
                                small([f"../more/{name}" for name in names], rows=(
                                    "p1\tE1\tN2\traw\np2\te1\tdrug\tmore\n"))(work))),
        Case(16, "conditions N2 wt, the blank one that does not break", "one condition", says(
            "healthspan_reference p2", without=["different"]), make=lambda work: small(
                [*names, *(f"../more/{name}" for name in names)],
                rows="p1\te\tN2 wt\traw\np2\te\tN2\u00a0wt\tmore\n")(work)),
    )  # fmt: skip


def _volumes() -> tuple[Case, ...]:
    import numpy as np
    import tifffile

    stack = np.random.default_rng(0).integers(1, 255, (16, 64, 48)).astype(np.uint8)

    def zarr_of(axes: list[Any], scale: tuple[float, ...] | None = None) -> Any:
        def make(work: Path) -> None:
            import zarr

            group = zarr.create_group(store=str(work / "d/v.zarr"), zarr_format=2)
            array = group.create_array("0", shape=stack.shape, dtype="u1", chunks=(8, 32, 48))
            array[:] = stack
            first: dict[str, Any] = {"path": "0"}
            if scale:
                first["coordinateTransformations"] = [{"type": "scale", "scale": list(scale)}]
            group.attrs.update({"multiscales": [{"axes": axes, "datasets": [first]}]})
            volume(work, "v\tv.zarr\t30 6 6")

        return make

    def array_of(work: Path) -> None:
        import zarr

        array = zarr.create_array(str(work / "d/v.zarr"), shape=stack.shape, dtype="u1")
        array[:] = stack
        array.attrs["resolution"] = [40, 4, 4]
        volume(work, "v\tv.zarr\t30 6 6")

    def two(work: Path) -> None:
        with tifffile.TiffWriter(work / "d/v.tif", ome=True) as file:
            for one_of in (stack, stack[::-1]):
                file.write(one_of, metadata={"axes": "ZYX"})
        volume(work, "v\tv.tif\t30 6 6")

    def upwards(work: Path) -> None:
        tifffile.imwrite(work / "d/v.tif", stack, imagej=True, resolution=(250, 250), metadata={
            "axes": "ZYX", "spacing": -0.04, "unit": "um"})  # fmt: skip
        volume(work, "v\tv.tif\t30 6 6")

    def colour(work: Path) -> None:
        import h5py

        with h5py.File(work / "d/v.h5", "w") as file:
            file["raw"] = np.repeat(stack[0][:, :, None], 3, axis=2)
        volume(work, "v\tv.h5\t30 6 6")

    def apart(work: Path) -> None:
        (work / "d/s").mkdir()
        for number, section in zip((1, 2, 3, 10**12), stack, strict=False):
            tifffile.imwrite(work / f"d/s/s{number}.tif", section)
        volume(work, "v\ts\t30 6 6")

    def pipe(work: Path) -> None:
        os.mkfifo(work / "d/v.tif")
        volume(work, "v\tv.tif\t30 6 6")

    axes = [{"name": name, "type": "space", "unit": "meter"} for name in "zyx"]
    size = says("says 40 4 4 nm (z y x)")
    return (
        Case(5, "OME-Zarr 0.3 whose axes are x, y, z", one, says("found x, y, z"),
             make=zarr_of(["x", "y", "z"])),
        Case(5, "OME-Zarr in meter, of another size", told, size,
             make=zarr_of(axes, (4e-8, 4e-9, 4e-9))),
        Case(5, "Zarr array with a resolution", told, size, make=array_of),
        Case(5, "ImageJ stack taken from the top down", told, size, make=upwards),
        Case(5, "two volumes in one OME-TIFF", one, says("found 2 pictures of 64 x 48 px"),
             make=two),
        Case(14, "HDF5 of a section in colour", one, says("one of colours"), make=colour),
        Case(6, "section numbers a billion apart", told, says("999999999996 sections are missing"),
             make=apart),
        Case(1, "a pipe in place of a volume", one, says("found a pipe"), make=pipe),
    )  # fmt: skip


CASES = (*_names(), *_clocks(), *_disks(), *_volumes())

"""How further inputs of :mod:`benchmarks.workflow.inputs` are made."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.workflow.inputs_made import CONFIG, HEAD, plate, raw, volume

Make = Callable[[Path], None]
IMAGE = "nbase/simulated/neurites/v/image.tif"


def named(pattern: str, name: Callable[[int], str], more: str = "") -> Make:
    """A plate whose images are called by their number, and a pattern for them."""

    def make(work: Path) -> None:
        keys = f"ingest: {{pattern: '{pattern}'{more}}}, timepoints_per"
        plate(work, config=CONFIG.replace("timepoints_per", keys))
        renamed(work, name)

    return make


def renamed(work: Path, name: Callable[[int], str]) -> None:
    for number, image in enumerate(raw(work)):
        image.rename(image.with_name(name(number)))


def timed(content: bytes, file: str = "times.tsv") -> Make:
    """A plate whose images tell no time, and a table of times."""

    def make(work: Path) -> None:
        keys = f"ingest: {{times: {file}}}, timepoints_per"
        plate(work, config=CONFIG.replace("timepoints_per", keys))
        renamed(work, lambda number: f"IMG_{number}.tif")
        (work / "d" / file).write_bytes(content)

    return make


def sheet_bytes(content: bytes, name: str = "plates.tsv") -> Make:
    def make(work: Path) -> None:
        raw(work)
        (work / "d" / name).write_bytes(content)
        (work / "d/c.yaml").write_text(CONFIG.replace("plates.tsv", name), encoding="utf-8")

    return make


def book(*rows: Sequence[Any], title: str = "") -> Make:
    """A workbook, with a line above its header where there is a title."""

    def make(work: Path) -> None:
        import openpyxl

        raw(work)
        made = openpyxl.Workbook()
        for cells in ([[title]] if title else []) + [HEAD.split(), *rows]:
            made.active.append(list(cells))
        made.save(work / "d/plates.xlsx")
        (work / "d/c.yaml").write_text(CONFIG.replace("plates.tsv", "plates.xlsx"))

    return make


def names(*cells: str) -> Make:
    """Names of plates that cannot be used, and p1."""
    rows = "".join(f"{cell}\te\tN2\traw\t1\t8\n" for cell in cells)
    return sheet_bytes((HEAD + rows + "p1\te\tN2\traw\t1\t8\n").encode())


def folder_called(name: str, cell: str = "") -> Make:
    def make(work: Path) -> None:
        raw(work, name)
        plate(work, f"p1\te\tN2\t{cell or name}\t1\t8\n")

    return make


def beside(how: Callable[[Path, list[Path]], None], rows: str = "") -> Make:
    """The base plate in ``raw``, after which something is done to its folder and images."""

    def make(work: Path) -> None:
        plate(work, *([rows] if rows else []))
        how(work / "d/raw", raw(work))

    return make


def junk(folder: Path, images: list[Path]) -> None:
    for name in ("Thumbs.db", ".DS_Store", "desktop.ini", ".~lock.plates.ods#"):
        (folder / name).write_bytes(b"x")
    for image in images:
        image.with_name("._" + image.name).write_bytes(b"\0\5\x16\7")
    (folder / "@Recycle").mkdir()
    shutil.copy(images[0], folder / "@Recycle")


def half_copied(folder: Path, images: list[Path]) -> None:
    for image, ending in zip(images[3:], (".part", ".crdownload", ".tmp"), strict=False):
        image.rename(image.with_name(image.name + ending))


def overlays(folder: Path, images: list[Path]) -> None:
    for image in images:
        (folder / "overlay").mkdir(exist_ok=True)
        shutil.copy(image, folder / "overlay" / f"ov_{image.name}")


def two_wells(folder: Path, images: list[Path]) -> None:
    for image in images:
        shutil.copy(image, image.with_name(image.name.replace("A1", "B2")))


def linked_images(folder: Path, images: list[Path]) -> None:
    (folder.parent / "store").mkdir()
    for image in images:
        image.rename(folder.parent / "store" / image.name)
        image.symlink_to(Path("../store") / image.name)


def copied(renamed: bool) -> Make:
    """Two rows of the sheet for one plate, its folder copied with new times, or new names."""

    def make(work: Path) -> None:
        for folder, when in (("a", 1_000_000_000), ("b", 1_100_000_000)):
            for number, image in enumerate(raw(work, folder)):
                name = image.name.replace("VID1", "VID2") if renamed and folder == "b" else ""
                path = image.rename(image.with_name(name)) if name else image
                os.utime(path, (when + 7 * number, when + 7 * number))
        plate(work, "p1\te\tN2\ta\t1\t8\np2\te\tdrug\tb\t1\t8\n")

    return make


def conditions(*cells: str) -> Make:
    """A plate a condition, each with images of its own."""

    def make(work: Path) -> None:
        import tifffile

        rows = ""
        for number, cell in enumerate(cells):
            for image in raw(work, f"raw{number}"):
                light = tifffile.imread(image)
                tifffile.imwrite(image, light - (light > number) * light.dtype.type(number))
            rows += f"p{number}\te\t{cell}\traw{number}\t1\t8\n"
        plate(work, rows)

    return make


def flavours(work: Path) -> None:
    """The frames of the base, each in another form of TIFF, or as PNG."""
    import numpy as np
    import tifffile
    from PIL import Image

    plate(work)
    ramp = np.tile(np.arange(256, dtype=np.uint16)[::-1] * 257, (3, 1))
    forms: list[dict[str, Any]] = [
        {"byteorder": ">"}, {"bigtiff": True}, {"tile": (256, 256)},
        {"compression": "zlib", "predictor": True}, {"compression": "lzw"},
        {"photometric": "miniswhite"}, {"photometric": "palette", "colormap": ramp},
        {"compression": "zstd"}, {"ome": True, "metadata": {"axes": "YX"}},
    ]  # fmt: skip
    images = raw(work)
    for image, form in zip(images, forms, strict=False):
        light = tifffile.imread(image)
        turned = form.get("photometric") in ("miniswhite", "palette")
        tifffile.imwrite(image, 255 - light if turned else light, **form)
    light = tifffile.imread(images[-1])
    clear = np.stack([light] * 3 + [np.full_like(light, 255)], -1)
    Image.fromarray(clear).save(images[-1].with_suffix(".png"))
    images[-1].unlink()


def no_grey_picture(work: Path) -> None:
    """Three frames that programs show differently: transparent, of one bit, in CMYK."""
    import tifffile
    from PIL import Image

    plate(work)
    images = raw(work)
    for number, kind in ((3, "LA"), (5, "1"), (7, "CMYK")):
        grey = Image.fromarray(tifffile.imread(images[number]))
        if kind == "LA":
            made = Image.merge("LA", [grey, Image.eval(grey, lambda value: 255 - value)])
        else:
            made = Image.merge("CMYK", [grey] * 4) if kind == "CMYK" else grey.convert("1")
        made.save(images[number].with_suffix(".jpg" if kind == "CMYK" else ".png"))
        images[number].unlink()


def cut_frames(work: Path) -> None:
    """A compressed TIFF and a PNG that are cut off, and a link to nothing."""
    import tifffile
    from PIL import Image

    plate(work)
    images = raw(work)
    light = tifffile.imread(images[3])
    tifffile.imwrite(images[3], light, compression="lzw")
    png = images[5].with_suffix(".png")
    Image.fromarray(tifffile.imread(images[5])).save(png)
    images[5].unlink()
    for path in (images[3], png):
        data = path.read_bytes()
        path.write_bytes(data[: len(data) * 2 // 3])
    images[7].unlink()
    images[7].symlink_to("nowhere.tif")


def repeated(form: str) -> Make:
    """The frame of t002 once more at t004, in another form of file."""

    def make(work: Path) -> None:
        import tifffile
        from PIL import Image

        plate(work)
        images = raw(work)
        light = tifffile.imread(images[2])
        if form == "png":
            Image.fromarray(light).save(images[4].with_suffix(".png"))
            images[4].unlink()
        else:
            tifffile.imwrite(images[4], light, compression=form)

    return make


def pages(count: int = 16, **tags: Callable[[int], Any]) -> Make:
    """The volume written page by page, each a picture of its own to tifffile."""

    def make(work: Path) -> None:
        import tifffile

        image = tifffile.imread(work / IMAGE)
        with tifffile.TiffWriter(work / "d/image.tif") as file:
            for number, section in enumerate(image[:count]):
                own = {name: of(number) for name, of in tags.items()}
                file.write(section, contiguous=False, **own)
        volume(work, "v\timage.tif\t30 6 6")

    return make


def ome_zarr(unit: str, scale: Sequence[float], path: str = "0") -> Make:
    def make(work: Path) -> None:
        import tifffile
        import zarr

        group = zarr.open_group(str(work / "d/v.zarr"), mode="w", zarr_format=2)
        group.create_array("0", data=tifffile.imread(work / IMAGE), chunks=(4, 64, 64))
        axes = [{"name": name, "type": "space", "unit": unit} for name in "zyx"]
        scales = [{"type": "scale", "scale": list(scale)}]
        datasets = [{"path": path, "coordinateTransformations": scales}]
        stated = {"multiscales": [{"version": "0.4", "axes": axes, "datasets": datasets}]}
        (work / "d/v.zarr/.zattrs").write_text(json.dumps(stated))
        volume(work, "v\tv.zarr\t30 6 6")

    return make


def zarr_array(form: int, **options: Any) -> Make:
    """The volume as one array, of which the second half was never written where so asked."""

    def make(work: Path) -> None:
        import tifffile
        import zarr

        image = tifffile.imread(work / IMAGE)
        half = options.get("half", False)
        own = {key: value for key, value in options.items() if key != "half"}
        array = zarr.create_array(
            str(work / "d/v.zarr"), shape=image.shape, dtype="u1", zarr_format=form,
            **({"chunks": (4, 64, 64)} | own),
        )  # fmt: skip
        array[: 8 if half else 16] = image[: 8 if half else 16]
        volume(work, "v\tv.zarr\t30 6 6")

    return make


def beside_hdf5(file: Any, image: Any) -> None:
    """Voxels in a file beside the HDF5 file; its folder is not where the program runs."""
    import h5py

    folder = Path(file.filename).parent
    image.tofile(folder / "raw.bin")
    file.create_dataset("raw", image.shape, "u1", external=[("raw.bin", 0, h5py.h5f.UNLIMITED)])
    (folder / "raw.bin").write_bytes((folder / "raw.bin").read_bytes())


def cut_beside(file: Any, image: Any) -> None:
    import h5py

    image[:8].tofile(Path(file.filename).parent / "raw.bin")
    file.create_dataset("raw", image.shape, "u1", external=[("raw.bin", 0, h5py.h5f.UNLIMITED)])


def half_view(file: Any, image: Any) -> None:
    import h5py

    with h5py.File(Path(file.filename).parent / "a.h5", "w") as source:
        source["x"] = image
    layout = h5py.VirtualLayout(image.shape, "u1")
    layout[:8] = h5py.VirtualSource("a.h5", "x", image.shape)[:8]
    file.create_virtual_dataset("raw", layout)


def matlab(file: Any, image: Any) -> None:
    file["raw"] = image
    file["raw"].attrs["MATLAB_class"] = b"uint8"


def individuals(**groups: Sequence[Sequence[tuple[float, float | str]]]) -> Make:
    """Hand-made individuals: of every condition its plates, of these (after, before) of deaths."""

    def make(work: Path) -> None:
        base = work / "base/results/healthspan/p1"
        with open(base / "individuals.tsv", encoding="utf-8") as file:
            head = file.readline().rstrip("\n").split("\t")
        s_head, s_row = (base / "summary.tsv").read_text(encoding="utf-8").splitlines()
        rows = ["plate\texperiment\tcondition\tfolder\tage_at_first_frame_d"]
        for condition, plates in groups.items():
            for number, worms in enumerate(plates):
                name = f"q{len(rows)}"
                folder = work / "d/results/healthspan" / name
                folder.mkdir(parents=True)
                with open(folder / "individuals.tsv", "w", encoding="utf-8", newline="") as out:
                    writer = csv.DictWriter(out, head, delimiter="\t", restval="")
                    writer.writeheader()
                    for worm, (after, before) in enumerate(worms, start=1):
                        ends: dict[str, object] = {}
                        for of in ("death", "healthspan_end"):
                            ends |= {f"{of}_after_d": after, f"{of}_before_d": before}
                        reason = "" if before != "" else "alive at last frame"
                        own = {"individual": worm, "track": worm, "first_timepoint": 0}
                        writer.writerow(own | ends | {"censor_reason": reason})
                summary = s_row.replace("p1\te\tN2", f"{name}\te\t{condition}")
                (folder / "summary.tsv").write_text(f"{s_head}\n{summary}\n", encoding="utf-8")
                rows.append(f"{name}\te\t{condition}\traw{number}\t1")
        (work / "d/plates.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")

    return make


def withheld(*paths: str) -> Make:
    """The base plate and a file or folder of it that its owner may not read."""

    def make(work: Path) -> None:
        plate(work)
        raw(work)
        for path in paths:
            (work / "d" / path).chmod(0)

    return make

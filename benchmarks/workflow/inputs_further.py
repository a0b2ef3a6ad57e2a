"""Further cases of :mod:`benchmarks.workflow.inputs`: what a core facility has besides."""

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.workflow import inputs_further_made as make
from benchmarks.workflow.inputs_made import (
    HEAD,
    REGISTERED,
    Case,
    bad_frames,
    changed,
    hdf5,
    label_volume,
    plate,
    raw,
    registered,
    says,
    section_files,
    tiff_volume,
    volume,
)

ROW = "p1\te\tN2\traw\t1\t8\n"
one = "one sentence"
told = "told"
planned = "planned, as the base"
plan_ok = says("healthspan_reference p1", status=0)
volume_ok = says("neurites_describe", status=0)
frames: dict[str, Any] = {"targets": REGISTERED, "dry": False}


def _touched(year: int) -> Any:
    def make_it(work: Path) -> None:
        import os

        plate(work)
        for number, image in enumerate(raw(work)):
            when = datetime(year, 1, 1).timestamp() + number
            os.utime(image, (when, when))

    return make_it


def _system() -> tuple[Case, ...]:
    withheld = says("expected a folder of images, found one that cannot be read (Permission")
    return (
        Case(1, "folder without permission", one, withheld, make=make.withheld("raw"), plain=True),
        Case(1, "sheet without permission", one, says("give this account leave", "plates.tsv"),
             make=make.withheld("plates.tsv"), plain=True),
        Case(1, "volume without permission", one, says("give this account leave", "image.tif"),
             make=lambda work: (tiff_volume()(work), (work / "d/image.tif").chmod(0)), plain=True),
        Case(2, "first frame of one grey value", "t000 left out, nine registered",
             registered(0, reference=1), make=changed(lambda a: a * 0 + 7, 0), **frames),
        Case(2, "a frame in the middle of another plate", "t004 left out, nine registered",
             registered(4), make=bad_frames("other", 4), **frames),
        Case(2, "first, middle and last frame small", "three left out, seven registered",
             registered(0, 4, 9, reference=1), make=bad_frames("small", 0, 4, 9), **frames),
        Case(3, "files of 1980, as FAT dates them", "ten frames registered", registered(),
             make=_touched(1980), **frames),
        Case(3, "files of the year 2100", planned, plan_ok, make=_touched(2100)),
        Case(3, "files that were touched after a run", "ten frames registered", registered(),
             make=_touched(2024), then=_again, **frames),
    )  # fmt: skip


def _again(work: Path) -> None:
    for image in (work / "d/raw").iterdir():
        image.touch()


def _absent() -> tuple[Case, ...]:
    return (
        Case(4, "LZW and PNG cut off, a link to nothing", "t003, t005, t007 left out",
             registered(3, 5, 7), make=make.cut_frames, **frames),
        Case(4, "HDF5 whose file of voxels is cut off", one, says("bytes of voxels in raw.bin"),
             make=hdf5(make.cut_beside)),
        Case(4, "HDF5 view of half a volume", told, says("50% of it is a view of nothing"),
             make=hdf5(make.half_view)),
        Case(4, "Zarr 3 of which half is the fill value 7", told,
             says("8 of 16 chunks are absent"), make=make.zarr_array(3, fill_value=7, half=True)),
        Case(4, "Zarr 3 with shards, half of them absent", told, says("chunks are absent"),
             make=make.zarr_array(3, chunks=(4, 32, 32), shards=(8, 64, 64), half=True)),
        Case(4, "OME-Zarr whose first level is absent", one, says("expected the array 1, which"),
             make=make.ome_zarr("nanometer", (30, 6, 6), "1")),
        Case(4, "a section of no bytes", one, says("found an empty file"),
             make=lambda work: (section_files(lambda k: f"s{k}.tif")(work),
                                (work / "d/sections/s0.tif").write_bytes(b""))),
    )  # fmt: skip


def _of_the_file() -> tuple[Case, ...]:
    import numpy as np

    size = {"axes": "YX", "PhysicalSizeX": 9.74, "PhysicalSizeY": 9.74}
    return (
        Case(5, "frames in nine forms of TIFF, and PNG", "ten frames registered", registered(),
             make=make.flavours, **frames),
        Case(5, "frames transparent, of 1 bit, in CMYK", "three left out by name",
             registered(3, 5, 7), make=make.no_grey_picture, **frames),
        Case(5, "frames of 16 bit", "ten frames registered", registered(),
             make=changed(lambda a: a.astype(np.uint16) * 257), **frames),
        Case(5, "OME says nm for um", told, says("PIXEL SIZE: the images say 0.00974 um"),
             make=changed(lambda a: a, ome=True, metadata=size | {
                 "PhysicalSizeXUnit": "nm", "PhysicalSizeYUnit": "nm"})),
        Case(5, "OME says pixels that are not square", told, says("only square pixels"),
             make=changed(lambda a: a, ome=True, metadata=size | {"PhysicalSizeY": 19.48})),
        Case(5, "ImageJ hyperstack a file", one, says("found 4 pictures (axes TZYX)"),
             make=changed(lambda a: np.stack([a] * 4).reshape(2, 2, *a.shape), imagej=True,
                          metadata={"axes": "TZYX"})),
        Case(5, "volume written page by page", planned, volume_ok, make=make.pages()),
        Case(5, "volume with one page WhiteIsZero", one, says("MINISBLACK and MINISWHITE"),
             make=make.pages(photometric=lambda k: "miniswhite" if k == 5 else "minisblack")),
        Case(5, "volume with one page turned", one, says("Orientation 8 (page 4)"), make=make.pages(
            extratags=lambda k: [(274, "H", 1, 8 if k == 4 else 1, True)])),
        Case(5, "BigTIFF, big-endian, tiled, predictor", planned, volume_ok, make=tiff_volume(
            bigtiff=True, byteorder=">", tile=(64, 64), compression="zlib", predictor=True)),
        Case(5, "OME-TIFF volume in nm", "nothing told", says("neurites_describe", without=["VOX"]),
             make=tiff_volume(ome=True, metadata={
                 "axes": "ZYX", **{f"PhysicalSize{k}": v for k, v in zip("ZYX", (30, 6, 6),
                                                                         strict=True)},
                 **{f"PhysicalSize{k}Unit": "nm" for k in "ZYX"}})),
        Case(5, "signed 16 bit volume", "one sentence, with the range", says("found int16; set"),
             make=tiff_volume(how=lambda a: a.astype(np.int16) - 128)),
        Case(5, "float volume with a NaN", one, says("NaN or infinity in 1 voxels"),
             make=tiff_volume(how=_with_nan)),
        Case(5, "HDF5 written by MATLAB", told, says("its sections transposed"),
             make=hdf5(make.matlab)),
        Case(5, "HDF5 of records", one, says("expected grey values as numbers"),
             make=hdf5(lambda f, a: f.create_dataset(
                 "raw", data=a.view(np.dtype([("a", "u1"), ("b", "u1")]))))),
        Case(5, "HDF5 with gzip, shuffle and checksums", planned, volume_ok,
             make=hdf5(lambda f, a: f.create_dataset("raw", data=a, compression="gzip",
                                                     shuffle=True, fletcher32=True))),
        Case(5, "HDF5 whose voxels lie beside it", planned, volume_ok,
             make=hdf5(make.beside_hdf5)),
        Case(5, "OME-Zarr in um", "nothing told", says("neurites_describe", without=["VOXEL"]),
             make=make.ome_zarr("micrometer", (0.03, 0.006, 0.006))),
        Case(5, "OME-Zarr in nm that says another size", told, says("VOXEL SIZE"),
             make=make.ome_zarr("nanometer", (40, 4, 4))),
    )  # fmt: skip


def _with_nan(image: Any) -> Any:
    import numpy as np

    made = image.astype(np.float32)
    made[8, 3, 4] = np.nan
    return made


def _folders() -> tuple[Case, ...]:
    import numpy as np
    import tifffile

    def twice(work: Path) -> None:
        section_files(lambda k: f"s{k}.tif")(work)
        shutil.copy(work / "d/sections/s5.tif", work / "d/sections/s6.tif")

    def other_size(work: Path) -> None:
        section_files(lambda k: f"s{k}.tif")(work)
        tifffile.imwrite(work / "d/sections/s0.tif", np.arange(64, dtype=np.uint8).reshape(8, 8))

    return (
        Case(6, "sections with Thumbs.db, ._ files and .DS_Store", planned, volume_ok,
             make=lambda work: (section_files(lambda k: f"s{k:03d}.tif")(work), make.junk(
                 work / "d/sections", sorted((work / "d/sections").iterdir())))),
        Case(6, "s003 (2).tif among sections", one, says("named alike but for their number"),
             make=section_files(lambda k: "s003 (2).tif" if k == 9 else f"s{k:03d}.tif")),
        Case(6, "tiles of rows and columns", one, says("one number that counts them"),
             make=section_files(lambda k: f"r{k % 2}_c{k // 2 % 2}_s{k // 4}.tif")),
        Case(6, "first section of another size", one, says("px as the first"), make=other_size),
        Case(10, "a section once more under the next number", told,
             says("s6.tif is the section before it once more"), make=twice),
        Case(7, "a copy of a folder, with new times", told,
             says("those of p1 in a, byte for byte"), make=make.copied(renamed=False)),
        Case(7, "a copy of a folder, files renamed", told,
             says("those of p1 in a, byte for byte"), make=make.copied(renamed=True)),
        Case(7, "one plate as P1 and p1", one, says("expected every plate once"),
             make=make.sheet_bytes((HEAD + ROW + ROW.replace("p1", "P1")).encode())),
        Case(7, "conditions CB and, in Cyrillic, CB", told, says("compared as different ones"),
             make=make.conditions("CB", "\u0421B")),
        Case(7, "conditions N2 and N2 with a superscript", told, says("as different ones"),
             make=make.conditions("N2", "N\u00b2")),
        Case(8, "one channel of no known word", one, says("expected a channel named in"),
             make=make.named("{channel}_{days}", lambda k: f"{'Cy5' if k % 2 else 'BF'}_{k}.tif")),
        Case(8, "images with and without a channel", one, says("in every name or in none"),
             make=make.beside(lambda folder, images: images[3].rename(
                 images[3].with_name(images[3].name.replace("_Phase", ""))))),
        Case(8, "two wells in one folder", one, says("found 2: A1_1, B2_1"),
             make=make.beside(make.two_wells)),
        Case(8, "the same, the well given in small letters", planned, plan_ok,
             make=lambda work: (make.beside(make.two_wells)(work), (work / "d/plates.tsv"
                                ).write_text(f"{HEAD[:-1]}\twell\n{ROW[:-1]}\ta1-1\n"))),
        Case(10, "a frame once more, two later, compressed", "t004 left out",
             registered(4, reason="once more"), make=make.repeated("zlib"), **frames),
        Case(10, "a frame once more as PNG", "t004 left out", registered(4, reason="once more"),
             make=make.repeated("png"), **frames),
        Case(11, "Thumbs.db, .DS_Store, ._ files, @Recycle", planned, plan_ok,
             make=make.beside(make.junk)),
        Case(11, "files half copied (.part, .crdownload, .tmp)", told, says("are left out: .crd"),
             make=make.beside(make.half_copied)),
        Case(11, "images that are links", planned, plan_ok, make=make.beside(make.linked_images)),
        Case(11, "a folder of overlays within", one, says("found two for t000"),
             make=make.beside(make.overlays)),
        Case(11, "a page of a server in place of the first image", planned, plan_ok,
             make=make.beside(lambda _, images: images[0].write_text("<html>log in</html>"))),
        Case(11, "images compressed as .tif.gz", one, says("files of other endings: .gz (10)"),
             make=make.beside(lambda _, images: [i.rename(f"{i}.gz") for i in images])),
    )  # fmt: skip


def _names() -> tuple[Case, ...]:
    def each(number: int) -> Any:
        def check(outcome: Any) -> tuple[str, bool]:
            lines = [line for line in outcome.text.splitlines() if "plates.tsv, line" in line]
            good = len(lines) == number and "healthspan_reference p1" in outcome.text
            return f"{len(lines)} rows refused, p1 planned; {lines[0] if lines else ''}", good

        return check

    rest = "each refused, the good one planned"
    return (
        Case(9, "NUL.txt, aux, com1, a dot at the end, 200 letters", rest, each(5),
             make=make.names("NUL.txt", "aux", "com1", "p.", "a" * 200)),
        Case(9, "-p1, --help, ~p, $HOME, p;rm, p*, {p}, =1+1", rest, each(8),
             make=make.names("-p1", "--help", "~p", "$HOME", "p;rm", "p*", "{p}", "=1+1")),
        Case(9, "an emoji, e with its accent, Cyrillic p, %, p%201, 'p1'", rest, each(6),
             make=make.names("\U0001f600", "e\u0301", "\u04401", "%", "p%201", "'p1'")),
        Case(9, ".., p/1, p\\1, p:1, _line_3", rest, each(5),
             make=make.names("..", "p/1", "p\\1", "p:1", "_line_3")),
        Case(9, "a folder with quotes, %, # and an emoji", "ten frames registered", registered(),
             make=make.folder_called("it's #1 %20 \U0001f600 \u00e9", ""), **frames),
        Case(9, "a folder with a leading dash", planned, plan_ok, make=make.folder_called("-raw")),
        Case(9, "a folder by its path on Windows", one, says("found no such folder"),
             make=make.folder_called("raw", "C:\\Users\\me\\raw")),
        Case(12, "every frame damaged", "no plate done, exit 1",
             says("p1", without=["Traceback"], status=1), make=make.beside(
                 lambda _, images: [i.write_bytes(i.read_bytes()[:999]) for i in images]),
             dry=False),
        Case(12, "a plate excluded, another without a folder", "named, and exit 1",
             says("no such folder", status=1), dry=False, make=make.sheet_bytes(
                 (HEAD[:-1] + "\texclusion\n" + ROW[:-1] + "\tfogged\np2\te\tN2\tno\t1\t8\n"
                  ).encode())),
        Case(12, "four of ten frames damaged", "the limit is named, exit 1",
             says("max_missing_fraction", status=1), dry=False, make=make.beside(
                 lambda _, images: [i.write_bytes(i.read_bytes()[:999]) for i in images[3:7]])),
        Case(15, "Korean and Japanese conditions (50)", "no boxes in silence",
             says("outcome"), "50", ("x",), step=True),
        Case(15, "conditions in Arabic and Hebrew", "planned, told where no font has them",
             says("healthspan_reference p1"), make=make.conditions("\u0639\u0644\u0627\u062c",
                                                                   "\u05d1\u05e7\u05e8\u05d4")),
        Case(15, "a condition called by an emoji", "planned, told where no font has it",
             says("healthspan_reference p1"), make=make.conditions("\U0001f41b", "N2")),
        Case(15, "conditions in Greek and with a micro sign", planned, says("healthspan_reference"),
             make=make.conditions("\u03b1-tocopherol 5 \u00b5M", "N2")),
    )  # fmt: skip


def _labels() -> tuple[Case, ...]:
    import numpy as np

    def voxels(cell: str) -> Any:
        return lambda work: (tiff_volume()(work), volume(work, f"v\timage.tif\t{cell}"))

    def reshaped(*shape: int) -> Any:
        return hdf5(lambda f, a: f.__setitem__("raw", a.reshape(shape)))

    return (
        Case(13, "labels with -100 for none", one, says("expected labels from 0, found -100"),
             make=label_volume(lambda a: np.where(a == a[8, 64, 64], -100, a.astype(np.int32)))),
        Case(13, "labels above 2^32", one, says("expected labels up to 2^32 - 1"),
             make=label_volume(lambda a: a.astype(np.uint64) + np.uint64(2**40) * (a > 0).astype(
                 np.uint64))),
        Case(13, "labels as floats", one, says("expected labels as whole numbers"),
             make=label_volume(lambda a: a.astype(np.float32))),
        Case(13, "labels of one value", one, says("found the one value 1 in every voxel"),
             make=label_volume(np.ones_like)),
        Case(13, "labels of half the sections", one, says("expected labels of the image's shape"),
             make=label_volume(lambda a: a[:8])),
        Case(13, "voxel size in m", one, says("in m multiply by 1000000000"),
             make=voxels("3e-8 6e-9 6e-9")),
        Case(13, "voxel size with decimal commas", one, says("with decimal points"),
             make=voxels("30,0 6,5 6,5")),
        Case(13, "voxel size 30x6x6", one, says("found '30x6x6'"), make=voxels("30x6x6")),
        Case(14, "HDF5 of shape 1, 1, z, y, x", planned, volume_ok,
             make=reshaped(1, 1, 16, 128, 128)),
        Case(14, "HDF5 of shape z, 1, y, x", planned, volume_ok, make=reshaped(16, 1, 128, 128)),
        Case(14, "HDF5 of two channels", one, says("found none; name it"),
             make=hdf5(lambda f, a: f.__setitem__("raw", np.stack([a, a])))),
        Case(14, "HDF5 of no sections", one, says("found the shape 0 x 128 x 128"),
             make=hdf5(lambda f, a: f.create_dataset("raw", (0, 128, 128), "u1"))),
    )  # fmt: skip


CASES = (*_system(), *_absent(), *_of_the_file(), *_folders(), *_names(), *_labels())

"""The sheet, the sources and the ingest: what is refused, in one sentence each."""

from pathlib import Path

import h5py
import imagecodecs
import numpy as np
import pytest
import tifffile
import zarr

from snakescope.imaging.volumes import describe, read
from snakescope.neurites.fragments.block_files import as_bytes, read_affinities, write_block_array
from snakescope.neurites.settings import NeuritesSettings
from snakescope.neurites.tree import Neurites
from snakescope.neurites.volumes.ingest import grey_bytes, write_description, write_slab
from snakescope.neurites.volumes.look import label_ids
from snakescope.neurites.volumes.scan import (
    find_sources,
    read_manifest,
    write_manifest,
)
from snakescope.neurites.volumes.sheet import Volume
from snakescope.settings.sheet import read_rows
from snakescope.step.errors import StepError
from tests.started import step

HEADER = "volume\timage\tvoxel_nm\tlabels\tset\n"
VOXEL = (30.0, 6.0, 6.0)


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, 20, 24), dtype=np.uint8)


def sheet(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "volumes.tsv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_sheet_is_read_and_an_absent_or_empty_one_has_no_volumes(tmp_path: Path) -> None:
    path = sheet(
        tmp_path, f"# note\n{HEADER}a\ta.tif\t30 6 6\ta_labels.tif\ttrain\nb\tb.h5\t10,10,10\n"
    )
    assert read_rows(path, Volume) == (
        Volume(name="a", image="a.tif", voxel_nm=VOXEL, labels="a_labels.tif", set="train"),
        Volume(name="b", image="b.h5", voxel_nm=(10.0, 10.0, 10.0)),
    )
    assert read_rows(tmp_path / "absent.tsv", Volume) == ()
    assert read_rows(sheet(tmp_path, HEADER), Volume) == ()
    assert read_rows(sheet(tmp_path, "# nothing\n"), Volume) == ()


@pytest.mark.parametrize("text", [HEADER, "", "# nothing\n"])
def test_a_sheet_without_a_volume_is_refused_where_one_is_needed(tmp_path: Path, text: str) -> None:
    with pytest.raises(StepError, match=r"volumes.tsv: expected a header and one row a volume"):
        read_rows(sheet(tmp_path, text), Volume, needed=True)
    with pytest.raises(StepError, match=r"absent.tsv: expected a sample sheet, found no"):
        read_rows(tmp_path / "absent.tsv", Volume, needed=True)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            f"{HEADER}a\ta.tif\t\n",
            "line 2, column voxel_nm: expected a value, found an empty cell",
        ),
        (
            f"{HEADER}a\ta.tif\t6 6\n",
            "column voxel_nm: expected the size of a voxel .* found '6 6'",
        ),
        (f"{HEADER}a\ta.tif\t30 6 0\n", "column voxel_nm: expected .* found '30 6 0'"),
        (f"{HEADER}a\t\t30 6 6\n", "column image: expected a value, found an empty cell"),
        (f"{HEADER}paper\ta.tif\t30 6 6\n", "name other than models"),
        (f"{HEADER}a/b\ta.tif\t30 6 6\n", "write for example a_b"),
        (f"{HEADER}a\ta.tif\t30 6 6\t\ttrain\n", "expected labels of a volume to train with"),
        (f"{HEADER}a\ta.tif\t30 6 6\tl.tif\ttrian\n", "did you mean train"),
        (f"{HEADER}a\ta.tif\t30 6 6\nA\ta.tif\t30 6 6\n", "found volume 'A' again"),
        ("volume\timage\tvoxel\na\tb\tc\n", "found 'voxel'; did you mean voxel_nm"),
        ("volume\timage\na\tb\n", "found no voxel_nm"),
        ("volume,image,voxel_nm\n", "separated by tabs"),
    ],
)
def test_a_bad_sheet_is_refused_in_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(StepError, match=sentence):
        read_rows(sheet(tmp_path, text), Volume)


def forms(folder: Path, image: np.ndarray) -> dict[str, str]:
    """The image in every form that is read."""
    tifffile.imwrite(folder / "stack.tif", image)
    tifffile.imwrite(folder / "pages.tif", image, metadata=None)
    for name, tile in (("cubes.tif", (16, 16, 16)), ("tiled.tif", (16, 16))):
        kind = {"photometric": "minisblack", "compression": "zlib"}
        tifffile.imwrite(folder / name, image, volumetric=len(tile) == 3, tile=tile, **kind)
    (folder / "sections").mkdir()
    for z, section in enumerate(image):
        # Named so that their order by letters is another.
        (folder / f"sections/s{z + 8}.png").write_bytes(imagecodecs.png_encode(section))
    with h5py.File(folder / "v.h5", "w") as file:
        file["volumes/raw"] = image
    with h5py.File(folder / "two.h5", "w") as file:
        file["raw"], file["other"] = image, image
    with h5py.File(folder / "linked.h5", "w") as file:
        file["raw"] = h5py.ExternalLink("v.h5", "/volumes/raw")
    (folder / "sections/._s8.png").write_bytes(b"left by an Apple computer")
    zarr.create_array(str(folder / "plain.zarr"), data=image)
    group = zarr.create_group(str(folder / "ome.zarr"), zarr_format=2)
    group.create_array("s0", data=image[None])
    group.attrs["multiscales"] = [{"version": "0.4", "datasets": [{"path": "s0"}]}]
    names = ("stack.tif", "pages.tif", "sections", "v.h5", "two.h5:/raw", "linked.h5:/raw")
    names += ("plain.zarr", "ome.zarr", "cubes.tif", "tiled.tif")
    return {name: str(folder / name) for name in names}


def test_every_form_gives_the_same_voxels(tmp_path: Path, image: np.ndarray) -> None:
    for name, path in forms(tmp_path, image).items():
        source = describe(path)
        assert (source.shape, source.dtype) == (image.shape, "uint8"), name
        assert np.array_equal(read(source, 1, 4), image[1:4]), name
        assert all(Path(file).exists() for file in source.files), name
    assert describe(str(tmp_path / "sections")).files_of(1, 3) == tuple(
        str(tmp_path / f"sections/s{n}.png") for n in (9, 10)
    )


def test_a_single_section_is_a_volume_in_every_form(tmp_path: Path, image: np.ndarray) -> None:
    tifffile.imwrite(tmp_path / "one.tif", image[0])
    group = zarr.create_group(str(tmp_path / "one.zarr"), zarr_format=2)
    group.create_array("0", data=image[None, None, :1])
    axes = [{"name": name} for name in "tczyx"]
    group.attrs["multiscales"] = [{"axes": axes, "datasets": [{"path": "0"}]}]
    for name in ("one.tif", "one.zarr"):
        source = describe(str(tmp_path / name))
        assert source.shape == (1, 20, 24), name
        assert np.array_equal(read(source, 0, 1), image[:1]), name


@pytest.mark.parametrize("axes", ["xyz", "cyx"])
def test_an_ome_zarr_in_another_order_is_refused(tmp_path: Path, axes: str) -> None:
    group = zarr.create_group(str(tmp_path / "v.zarr"), zarr_format=2)
    group.create_array("0", data=np.zeros((5, 20, 24), np.uint8))
    named = [{"name": name} for name in axes]
    group.attrs["multiscales"] = [{"axes": named, "datasets": [{"path": "0"}]}]
    with pytest.raises(StepError, match=f"last axes are z, y and x, found {', '.join(axes)}"):
        describe(str(tmp_path / "v.zarr"))


def test_damaged_and_unknown_sources_are_refused(tmp_path: Path, image: np.ndarray) -> None:
    named = forms(tmp_path, image)
    whole = (tmp_path / "v.h5").read_bytes()
    (tmp_path / "cut.h5").write_bytes(whole[: len(whole) // 2])
    whole = (tmp_path / "stack.tif").read_bytes()
    (tmp_path / "cut.tif").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "cut.png").write_bytes(b"\x89PNG")
    tifffile.imwrite(tmp_path / "colour.tif", np.zeros((3, 20, 24, 3), np.uint8))
    tifffile.imwrite(tmp_path / "rgb.tif", np.zeros((20, 24, 3), np.uint8), photometric="rgb")
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    for path, sentence in {
        "cut.h5": "expected a whole volume, found a damaged or truncated file",
        "cut.tif": "expected a whole volume, found a damaged or truncated file",
        "colour.tif": "expected one grey volume",
        "rgb.tif": "expected one grey volume, found colours, 20 x 24 x 3",
        "empty": "expected sections .* found none",
        "notes.txt": "expected a TIFF stack.* found .txt",
        "absent.tif": "found nothing there",
        "two.h5": "expected one dataset in 3-D, found other, raw; name it",
        "two.h5:/image": "expected a dataset in 3-D of this name, found other, raw",
    }.items():
        with pytest.raises(StepError, match=sentence):
            describe(str(tmp_path / path))
    last = tmp_path / "sections/s9.png"
    last.write_bytes(imagecodecs.png_encode(image[0, :10]))
    with pytest.raises(StepError, match=r"s9\.png: expected a section of 20 x 24 px"):
        read(describe(named["sections"]), 0, 5)
    last.write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(StepError, match=r"s9\.png: expected a whole image"):
        read(describe(named["sections"]), 0, 5)
    tifffile.imwrite(tmp_path / "sections/s9.tif", image[0])
    with pytest.raises(StepError, match=r"s#\.png \(5\), s#\.tif \(1\), such as s9\.tif"):
        describe(named["sections"])


def test_labels_of_another_shape_make_a_volume_unusable(tmp_path: Path, image: np.ndarray) -> None:
    tifffile.imwrite(tmp_path / "i.tif", image)
    tifffile.imwrite(tmp_path / "l.tif", image[:4].astype(np.uint16))
    volume = Volume(
        name="v", image=str(tmp_path / "i.tif"), voxel_nm=VOXEL, labels=str(tmp_path / "l.tif")
    )
    sentence = r"shape, 5 x 20 x 24 voxels .* found 4 x 20 x 24"
    with pytest.raises(StepError, match=sentence):
        find_sources(volume, (1, 1, 1))
    good = find_sources(Volume(name="v", image=volume.image, voxel_nm=VOXEL), (1, 1, 1))
    write_manifest(tmp_path / "m", good)
    assert read_manifest(tmp_path / "m") == good


def test_grey_values_and_labels_that_cannot_be_used_are_refused() -> None:
    wide = np.array([[[0, 1000, 4000]]], np.uint16)
    assert grey_bytes(wide, "v", (0, 2000)).tolist() == [[[0, 128, 255]]]
    # A range for the 16 bit volumes of a sheet must not turn its 8 bit ones black.
    narrow = np.array([[[0, 100, 255]]], np.uint8)
    assert np.array_equal(grey_bytes(narrow, "v", (0, 65535)), narrow)
    for values, sentence in (
        (wide, "8 bit, found uint16; set neurites.volumes.ingest.grey_range"),
        (np.zeros((1, 1, 1), complex), "found complex128"),
    ):
        with pytest.raises(StepError, match=sentence):
            grey_bytes(values, "v", None)
    with pytest.raises(StepError, match="NaN"):
        grey_bytes(np.full((1, 1, 1), np.nan), "v", (0, 1))
    assert label_ids(np.array([0, 2**32 - 1], np.uint64), "v").dtype == np.uint64
    for labels, sentence in (
        (np.array([2**32], np.uint64), r"expected labels up to 2\^32 - 1, found 4294967296"),
        (np.array([-20]), "expected labels from 0, found -20"),
        (np.array([1.5]), "expected labels as whole numbers, .* found float64"),
    ):
        with pytest.raises(StepError, match=sentence):
            label_ids(labels, "v")


def test_slabs_make_one_array(tmp_path: Path, image: np.ndarray) -> None:
    folder = tmp_path / "image.zarr"
    write_description(folder / ".zarray", "image", image.shape, 2)
    for slab, begin in enumerate(range(0, 5, 2)):
        write_slab(folder / str(slab), "image", image[begin : begin + 2], 2)
    array = zarr.open_array(str(folder), mode="r")
    assert np.array_equal(array[...], image)
    # A slab of nothing but 0 is a folder, too, and nothing is left beside it.
    write_slab(folder / "1", "image", np.zeros((2, 20, 24), np.uint8), 2)
    assert not np.asarray(array[2:4]).any()
    assert not list((folder / "1").iterdir())
    assert sorted(path.name for path in folder.iterdir()) == [".zarray", ".zattrs", "0", "1", "2"]


def test_affinities_that_are_nan_or_missing_are_refused(tmp_path: Path) -> None:
    affinities = np.random.default_rng(0).random((3, 4, 6, 6), dtype=np.float32)
    left, right = ((0, 4), (0, 6), (0, 6)), ((0, 4), (0, 6), (6, 12))
    write_block_array(tmp_path / "l.h5", "affinities", affinities, left)
    write_block_array(tmp_path / "r.h5", "affinities", as_bytes(affinities, "r"), right)
    window = ((1, 3), (2, 5), (4, 9))
    found = read_affinities([tmp_path / "l.h5", tmp_path / "r.h5"], window)
    joined = np.concatenate([affinities, affinities], axis=3)[:, 1:3, 2:5, 4:9]
    assert np.array_equal(found, np.round(joined * np.float32(255)).astype(np.uint8))
    with pytest.raises(StepError, match=r"expected affinities of 30 voxels .* found 12"):
        read_affinities([tmp_path / "l.h5"], window)
    affinities[0, 2, 3, 4] = np.nan
    write_block_array(tmp_path / "l.h5", "affinities", affinities, left)
    with pytest.raises(StepError, match="found NaN in 1 of"):
        read_affinities([tmp_path / "l.h5", tmp_path / "r.h5"], window)
    for values, sentence in ((affinities + 9, "NaN"), (np.full((3, 1, 1, 1), 7.0), "not logits")):
        with pytest.raises(StepError, match=sentence):
            as_bytes(values, "a")
    whole = (tmp_path / "r.h5").read_bytes()
    (tmp_path / "r.h5").write_bytes(whole[:500])
    with pytest.raises(StepError, match=r"r\.h5: expected a whole HDF5 file"):
        read_affinities([tmp_path / "r.h5"], right)


def test_the_command_says_one_sentence_and_writes_nothing(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "i.tif", np.zeros((2, 8, 8), np.float32))
    write_manifest(
        tmp_path,
        find_sources(Volume(name="v", image=str(tmp_path / "i.tif"), voxel_nm=VOXEL), (1, 1, 1)),
    )
    words = f"--manifest {tmp_path}/volume.json --kind image --sections 0:2 --depth 2"
    words += f" --settings {{}} --array {tmp_path}/image.zarr/0"
    ended = step(tmp_path, "neurites", "ingest", *words.split())
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"error: {tmp_path}/i.tif, sections 0 to 1: expected grey")
    assert ended.stderr.count("\n") == 1
    assert not list((tmp_path / "image.zarr").glob("*"))


def test_beside_a_run_at_work_nothing_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    volumes = [Volume(name=name, image=f"{name}.tif", voxel_nm=VOXEL) for name in "ab"]
    tifffile.imwrite("a.tif", np.eye(8, dtype=np.uint8)[None].repeat(2, 0))
    Neurites(NeuritesSettings(), volumes, scans=True, warn=lambda note: None).open()
    tifffile.imwrite("a.tif", np.eye(8, dtype=np.uint8)[None].repeat(3, 0))
    tifffile.imwrite("b.tif", np.eye(8, dtype=np.uint8)[None].repeat(4, 0))
    planned = Neurites(NeuritesSettings(), volumes)
    planned.open()
    assert set(planned.problems) == {"b"}
    assert planned.sources("a")["image"].shape[0] == 2

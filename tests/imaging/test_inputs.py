"""Pictures and volumes as people have them: what a file says of itself is obeyed or refused."""

import errno
import json
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import imagecodecs
import numpy as np
import pytest
import tifffile
import zarr

from snakescope.imaging.frames import UnreadableFrame, read_frame, read_header
from snakescope.imaging.ome_zarr import write_ome_zarr
from snakescope.imaging.tiff import zero_share
from snakescope.imaging.volumes import describe, last_with_data, placed, read
from snakescope.step.errors import StepError, SystemFault, system_words


@pytest.mark.parametrize(
    "error",
    [
        PermissionError(errno.EACCES, "Permission denied"),
        OSError(errno.EIO, "Input/output error"),
        OSError(errno.ESTALE, "Stale file handle"),
        OSError(errno.EMFILE, "Too many open files"),
        TimeoutError(errno.ETIMEDOUT, "Connection timed out"),
        BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"),
        OSError("Unable to open file (errno = 5, error message = 'Input/output error')"),
        MemoryError(),
    ],
)
def test_an_error_of_the_system_is_no_damage(
    tmp_path: Path, picture: np.ndarray, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, picture)

    def refuse(*arguments: object, **options: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(tifffile, "TiffFile", refuse)
        for read_it in (read_frame, read_header, lambda one: describe(str(one))):
            with pytest.raises(SystemFault, match=r"expected a file that can be read"):
                read_it(path)
    # Once it is gone, the frame is read.
    np.testing.assert_array_equal(read_frame(path), picture)


def test_what_tells_of_the_file_is_no_error_of_the_system() -> None:
    assert not system_words(FileNotFoundError(errno.ENOENT, "No such file"))
    assert not system_words(OSError("truncated file: eof = 96"))
    assert not system_words(ValueError("no TIFF"))


@pytest.mark.parametrize("bits", [8, 16])
def test_white_is_zero_is_inverted(tmp_path: Path, picture: np.ndarray, bits: int) -> None:
    light = picture.astype(f"u{bits // 8}")
    tifffile.imwrite(tmp_path / "a.tif", 2**bits - 1 - light, photometric="miniswhite")
    np.testing.assert_array_equal(read_frame(tmp_path / "a.tif"), light)
    stack = np.stack([light, light // 2])
    for options in ({}, {"compression": "zlib"}):
        inverted = 2**bits - 1 - stack
        tifffile.imwrite(tmp_path / "s.tif", inverted, photometric="miniswhite", **options)
        source = describe(str(tmp_path / "s.tif"))
        np.testing.assert_array_equal(read(source, 0, 2), stack)


def test_labels_are_taken_as_they_are_stored(tmp_path: Path, volume: np.ndarray) -> None:
    colours = np.zeros((3, 256), np.uint16)
    colours[0] = np.arange(256) * 257
    tifffile.imwrite(tmp_path / "l.tif", volume, photometric="palette", colormap=colours)
    np.testing.assert_array_equal(read(describe(str(tmp_path / "l.tif"), "labels"), 0, 8), volume)
    with pytest.raises(StepError, match="palette of colours"):
        read(describe(str(tmp_path / "l.tif")), 0, 8)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"ome": True, "metadata": {"axes": "CYX", "Channel": {"Name": ["G", "P"]}}},
         r"2 pictures \(axes CYX, channels G, P\)"),
        ({"imagej": True, "metadata": {"axes": "TYX"}}, r"2 pictures \(axes TYX\)"),
        ({}, "2 pictures"),
        ({"photometric": "minisblack", "planarconfig": "separate", "extrasamples": [0]},
         "2 samples that the file calls no alpha"),
    ],
)  # fmt: skip
def test_several_pictures_in_a_frame_are_refused(
    tmp_path: Path, picture: np.ndarray, options: dict, found: str
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.stack([picture, picture // 2]), **options)
    with pytest.raises(UnreadableFrame, match=found):
        read_frame(tmp_path / "a.tif")


def test_alpha_is_left_out_where_it_is_one(tmp_path: Path, picture: np.ndarray) -> None:
    full = np.full_like(picture, 255)
    tifffile.imwrite(
        tmp_path / "a.tif", np.stack([picture] * 3 + [full], -1), photometric="rgb",
        extrasamples=["unassalpha"],
    )  # fmt: skip
    np.testing.assert_array_equal(read_frame(tmp_path / "a.tif"), picture)
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(np.stack([picture, full], -1)))
    np.testing.assert_array_equal(read_frame(tmp_path / "a.png"), picture)


def test_orientation_is_obeyed(tmp_path: Path, picture: np.ndarray) -> None:
    stored = np.ascontiguousarray(picture[:, ::-1].T)
    tag = [(274, "H", 1, 8, True)]
    tifffile.imwrite(tmp_path / "a.tif", stored, extratags=tag)
    np.testing.assert_array_equal(read_frame(tmp_path / "a.tif"), stored.T[::-1])
    assert read_header(tmp_path / "a.tif").shape == picture.shape


@pytest.mark.parametrize("share", [0.1, 0.45])
@pytest.mark.parametrize("packed", [False, True])
def test_a_file_whose_end_was_never_filled_is_refused(
    tmp_path: Path, picture: np.ndarray, share: float, packed: bool
) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, picture, compression="lzw" if packed else None)
    data = path.read_bytes()
    keep = int(len(data) * (1 - share))
    path.write_bytes(data[:keep] + bytes(len(data) - keep))
    with pytest.raises(UnreadableFrame, match="damaged or truncated"):
        read_frame(path)


def test_black_that_was_photographed_is_no_absent_data() -> None:
    rng = np.random.default_rng(0)
    dark = rng.poisson(0.3, (200, 150)).astype(np.uint8)
    y, x = np.mgrid[:200, :150]
    round_ = np.where((y - 100) ** 2 + (x - 75) ** 2 < 70**2, 90, 0)
    sparse = np.zeros((200, 150), np.uint8)
    sparse[40:60, 40:60] = 200
    framed = np.pad(np.full((160, 150), 90), ((20, 20), (0, 0)))
    for image in (dark, round_, sparse, framed):
        assert zero_share(image) == 0
    broken = rng.integers(1, 255, (200, 150))
    broken[120:] = 0
    assert zero_share(broken) == pytest.approx(0.4)
    assert zero_share(broken, rows_too=False) == 0
    broken[119, 70:] = 0
    assert zero_share(broken, rows_too=False) > 0.4


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({"imagej": True, "resolution": (1 / 4.87, 1 / 4.87), "metadata": {"unit": "um"}}, 4.87),
        ({"ome": True, "metadata": {"PhysicalSizeX": 3.5, "PhysicalSizeY": 3.5}}, 3.5),
        ({"resolution": (2000, 2000), "resolutionunit": "CENTIMETER"}, 5.0),
        ({"resolution": (3200, 3200), "resolutionunit": "INCH"}, 25400 / 3200),
        ({"resolution": (72, 72), "resolutionunit": "INCH"}, None),
        ({}, None),
    ],
)
def test_the_pixel_size_that_a_file_states(
    tmp_path: Path, picture: np.ndarray, options: dict, size: float | None
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", picture, **options)
    found = read_header(tmp_path / "a.tif").pixel_size_um
    assert found == (None if size is None else pytest.approx(size, rel=1e-3))


@pytest.mark.parametrize("shape", [(8, 40, 48, 1), (1, 8, 40, 48), (1, 8, 40, 48, 1)])
def test_axes_of_length_one_are_left_out(
    tmp_path: Path, volume: np.ndarray, shape: tuple[int, ...]
) -> None:
    with h5py.File(tmp_path / "v.h5", "w") as file:
        file["exported_data"] = volume.reshape(shape)
    zarr.create_array(store=str(tmp_path / "v.zarr"), data=volume.reshape(shape))
    for name in ("v.h5", "v.h5:/exported_data", "v.zarr"):
        source = describe(str(tmp_path / name))
        assert source.shape == volume.shape
        np.testing.assert_array_equal(read(source, 2, 5), volume[2:5])


def _never(file: h5py.File, volume: np.ndarray) -> None:
    file.create_dataset("v", volume.shape, volume.dtype, chunks=(4, 40, 48))


def _view(file: h5py.File, volume: np.ndarray) -> None:
    layout = h5py.VirtualLayout(volume.shape, volume.dtype)
    layout[:] = h5py.VirtualSource("absent.h5", "v", volume.shape)
    file.create_virtual_dataset("v", layout)


def _turned(file: h5py.File, volume: np.ndarray) -> None:
    file["v"] = volume
    file["v"].attrs["axistags"] = '{"axes": [{"key": "x"}, {"key": "y"}, {"key": "z"}]}'


@pytest.mark.parametrize(
    ("write", "sentence"),
    [
        (_never, "none were ever written to"),
        (_view, "absent.h5, of which this dataset is a view"),
        (_turned, "expected the axes z, y, x, found x, y, z"),
    ],
)
def test_hdf5_that_would_be_read_as_something_else_is_refused(
    tmp_path: Path, volume: np.ndarray, write: Callable, sentence: str
) -> None:
    with h5py.File(tmp_path / "v.h5", "w") as file:
        write(file, volume)
    with pytest.raises(StepError, match=sentence):
        describe(str(tmp_path / "v.h5"))


def test_absent_chunks_are_told_with_their_number(tmp_path: Path, volume: np.ndarray) -> None:
    with h5py.File(tmp_path / "v.h5", "w") as file:
        file.create_dataset("v", volume.shape, "u1", chunks=(2, 40, 48))[:4] = volume[:4]
    array = zarr.create_array(
        store=str(tmp_path / "v.zarr"), shape=volume.shape, chunks=(2, 40, 48), dtype="u1"
    )
    array[:4] = volume[:4]
    for name in ("v.h5", "v.zarr"):
        (note,) = describe(str(tmp_path / name)).notes
        assert "2 of 4 chunks are absent" in note


def test_voxel_sizes_of_files(tmp_path: Path, volume: np.ndarray) -> None:
    with h5py.File(tmp_path / "v.h5", "w") as file:
        file["v"] = volume
        file["v"].attrs["resolution"] = (40.0, 4.0, 4.0)
    tifffile.imwrite(
        tmp_path / "v.tif", volume, imagej=True, resolution=(250, 250),
        metadata={"axes": "ZYX", "spacing": 0.04, "unit": "um"},
    )  # fmt: skip
    for name in ("v.h5", "v.tif"):
        assert describe(str(tmp_path / name)).voxel_nm == pytest.approx((40, 4, 4))


def test_labels_of_a_part_are_placed_in_the_whole(tmp_path: Path, volume: np.ndarray) -> None:
    tifffile.imwrite(tmp_path / "l.tif", volume)
    source = placed(describe(str(tmp_path / "l.tif"), "labels"), (2, 5, 6), (12, 50, 60))
    whole = np.zeros((12, 50, 60), np.uint8)
    whole[2:10, 5:45, 6:54] = volume
    for begin, end in ((0, 12), (0, 2), (1, 4), (9, 12)):
        np.testing.assert_array_equal(read(source, begin, end), whole[begin:end])


def test_a_stack_whose_end_was_never_filled(tmp_path: Path, volume: np.ndarray) -> None:
    path = tmp_path / "v.tif"
    tifffile.imwrite(path, volume)
    assert last_with_data(describe(str(path))) == (7, 0.0)
    data = path.read_bytes()
    keep = int(len(data) * 0.55)
    path.write_bytes(data[:keep] + bytes(len(data) - keep))
    last, share = last_with_data(describe(str(path)))
    assert last == 4 and share > 0


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["s1.tif", "s2.tif", "overview.tif"], "named alike but for their number"),
        (["s1.tif", "s01.tif", "s2.tif"], "expected every section once, found s01.tif and s1.tif"),
        (["a1_5.tif", "a2_5.tif", "a1_6.tif", "a2_6.tif"], "one number that counts them"),
    ],
)
def test_folders_of_sections_that_are_no_series(
    tmp_path: Path, volume: np.ndarray, names: list[str], sentence: str
) -> None:
    for name in names:
        tifffile.imwrite(tmp_path / name, volume[0])
    with pytest.raises(StepError, match=sentence):
        describe(str(tmp_path))


def test_sections_are_in_the_order_of_their_number_and_gaps_are_told(
    tmp_path: Path, volume: np.ndarray
) -> None:
    for place, number in enumerate((9, 10, 12)):
        tifffile.imwrite(tmp_path / f"S{number}_w512.{'TIF' if place else 'tif'}", volume[place])
    (tmp_path / "@eaDir").mkdir()
    (tmp_path / "s.czi").write_bytes(b"x")
    source = describe(str(tmp_path))
    np.testing.assert_array_equal(read(source, 0, 3), volume[:3])
    missing, others = source.notes
    assert "1 sections are missing by their numbers (11)" in missing and ".czi (1)" in others


def test_a_stack_among_sections_is_refused(tmp_path: Path, volume: np.ndarray) -> None:
    tifffile.imwrite(tmp_path / "stack_0.tif", volume)
    with pytest.raises(StepError, match=r"found 8 pictures.*name the stack itself"):
        describe(str(tmp_path))


# Mutations of valid files: the same result or one sentence, and never a traceback.

MUTATIONS = 100


def _mutated(data: bytes, rng: np.random.Generator, keep: range) -> bytes:
    """Change structure or length; ``keep`` are bytes of pixels, which no format guards."""
    how = int(rng.integers(4))
    if how == 0:
        return data[: int(rng.integers(len(data)))]
    changed = bytearray(data)
    places = [k for k in rng.integers(0, len(data), 64) if int(k) not in keep][:3]
    if how == 1 and places:
        del changed[int(places[0]) : int(places[0]) + int(rng.integers(1, 9))]
    elif how == 2 and places:
        changed[int(places[0]) : int(places[0])] = bytes(rng.integers(0, 256, 4, dtype=np.uint8))
    for place in places if how == 3 else ():
        changed[int(place)] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _encoded(kind: str, picture: np.ndarray, path: Path) -> range:
    """Write a valid file; return the bytes of its pixels, where no checksum guards them."""
    if kind == "png":
        path.write_bytes(imagecodecs.png_encode(picture))
        return range(0)
    ome = {"ome": True, "metadata": {"axes": "ZYX"[-picture.ndim :], "PhysicalSizeX": 3.5}}
    packed = "zlib" if kind == "packed" else None
    tifffile.imwrite(path, picture, compression=packed, **(ome if kind == "ome" else {}))
    with tifffile.TiffFile(path) as file:
        page = file.pages.first.aspage()
        begin = page.dataoffsets[0]
        return range(begin, begin + page.databytecounts[0])


@pytest.mark.parametrize("kind", ["plain", "packed", "ome", "png"])
def test_mutated_frames_are_read_alike_or_refused(
    tmp_path: Path, picture: np.ndarray, kind: str
) -> None:
    path = tmp_path / f"a.{'png' if kind == 'png' else 'tif'}"
    guarded = _encoded(kind, picture, path)
    whole = path.read_bytes()
    rng = np.random.default_rng(zlib.crc32(kind.encode()))
    refused = 0
    for _ in range(MUTATIONS):
        path.write_bytes(_mutated(whole, rng, guarded))
        try:
            found = read_frame(path)
        except StepError as error:
            refused += 1
            assert "\n" not in str(error)
            continue
        assert found.dtype == picture.dtype and np.array_equal(found, picture)
    assert refused > MUTATIONS / 5


@pytest.mark.parametrize("kind", ["plain", "ome", "hdf5"])
def test_mutated_volumes_are_read_alike_or_refused(
    tmp_path: Path, volume: np.ndarray, kind: str
) -> None:
    path = tmp_path / f"v.{'h5' if kind == 'hdf5' else 'tif'}"
    if kind == "hdf5":
        with h5py.File(path, "w", libver="latest") as file:
            file.create_dataset("v", data=volume, chunks=volume.shape, fletcher32=True)
        guarded = range(0)
    else:
        guarded = _encoded(kind, volume, path)
        guarded = range(guarded.start, guarded.start + volume.nbytes)
    whole = path.read_bytes()
    rng = np.random.default_rng(zlib.crc32(kind.encode()))
    refused = 0
    for _ in range(MUTATIONS):
        path.write_bytes(_mutated(whole, rng, guarded))
        try:
            source = describe(str(path))
            found = read(source, 0, source.shape[0])
        except StepError as error:
            refused += 1
            assert "\n" not in str(error)
            continue
        assert np.array_equal(found, volume)
    assert refused > MUTATIONS / 5


def _digits(data: bytes, rng: np.random.Generator) -> bytes:
    """Change single digits, as of a shape, by which JSON stays JSON."""
    changed = bytearray(data)
    for k, byte in enumerate(data):
        if 48 <= byte < 58 and rng.random() < 0.1:
            changed[k] = 48 + int(rng.integers(10))
    return bytes(changed)


@pytest.mark.parametrize("kind", ["zarr 2", "zarr 3", "ome"])
def test_mutated_zarrs_are_read_alike_or_refused_or_told(
    tmp_path: Path, volume: np.ndarray, kind: str
) -> None:
    path = tmp_path / "v.zarr"
    if kind == "ome":
        write_ome_zarr(path, list(volume), volume.shape, (30, 6, 6), levels=1)
    else:
        form = int(kind[-1])
        zarr.create_array(store=str(path), data=volume, chunks=(4, 20, 48), zarr_format=form)
    files = sorted(one for one in path.rglob("*") if one.is_file())
    metadata = [one for one in files if one.name.startswith(".z") or one.name == "zarr.json"]
    chunks = [one for one in files if one not in metadata]
    rng = np.random.default_rng(zlib.crc32(kind.encode()))
    refused = 0
    for number in range(MUTATIONS):
        of_chunk = number % 4 == 0
        file = rng.choice(chunks if of_chunk else metadata)
        whole = file.read_bytes()
        if of_chunk:  # no checksum guards what it holds: its length alone is changed
            length = int(rng.integers(len(whole)))
            file.write_bytes(whole[:length] if length % 3 else whole + b"abc")
        else:
            mutated = _digits(whole, rng) if number % 2 else _mutated(whole, rng, range(0))
            file.write_bytes(mutated)
        try:
            source = describe(str(path))
            found = read(source, 0, source.shape[0])
            same = found.dtype == volume.dtype and np.array_equal(found, volume)
            assert same or source.notes, file.read_bytes()
        except StepError as error:
            refused += 1
            assert "\n" not in str(error)
        file.write_bytes(whole)
    assert refused > MUTATIONS / 5


@pytest.mark.parametrize("form", [2, 3])
def test_zarrs_whose_metadata_are_of_another_volume(
    tmp_path: Path, volume: np.ndarray, form: int
) -> None:
    path = tmp_path / "v.zarr"
    zarr.create_array(store=str(path), data=volume, chunks=(4, 20, 48), zarr_format=form)
    file = path / (".zarray" if form == 2 else "zarr.json")
    stated = json.loads(file.read_text())
    file.write_text(json.dumps(stated | {"shape": [4, 40, 48]}))
    with pytest.raises(StepError, match=r"expected chunks within the shape \(4, 40, 48\)"):
        describe(str(path))
    file.write_text(json.dumps(stated | {"shape": [8, 40, 30]}))
    assert "hold voxels beyond the shape" in describe(str(path)).notes[0]
    whole = np.pad(volume, ((0, 1), (0, 1), (0, 1)), mode="edge")[:7, :37, :47]
    zarr.create_array(store=str(path), data=whole, chunks=(4, 20, 48), overwrite=True)
    assert describe(str(path)).notes == ()


def test_of_a_pyramid_the_largest_level_is_read(tmp_path: Path, volume: np.ndarray) -> None:
    path = tmp_path / "v.ome.zarr"
    write_ome_zarr(path, list(volume), volume.shape, (30, 6, 6))
    source = describe(str(path))
    assert source.shape == volume.shape and source.voxel_nm == (30, 6, 6)
    file = path / ".zattrs"
    file.write_text(file.read_text().replace('"path": "0"', '"path": "1"'))
    with pytest.raises(StepError, match="the largest array, found 1, and 0 larger"):
        describe(str(path))

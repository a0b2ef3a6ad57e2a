"""The segmentation as others read it: by the rules of OME-NGFF 0.4, and by who wrote them down."""

import copy
import json
import shutil
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pydantic_zarr.v2
import pytest
import zarr
from ome_zarr_models import open_ome_zarr
from ome_zarr_models.v04.image import Image
from ome_zarr_models.v04.image_label import ImageLabel, ImageLabelAttrs
from pydantic import ValidationError

from snakescope.neurites.agglomeration.agglomerate import Agglomeration
from snakescope.neurites.agglomeration.partitions import Merges, numbering
from snakescope.neurites.agglomeration.segment import segment_blocks
from snakescope.neurites.agglomeration.segmentation import CHUNK, together, write_segmentation
from snakescope.neurites.agglomeration.settings import SegmentationSettings
from snakescope.neurites.fragments.block_files import read_count, write_fragments
from snakescope.neurites.fragments.fragments import BlockFragments
from snakescope.neurites.fragments.settings import FragmentsSettings
from snakescope.neurites.volumes.blocks import Grid
from tests.neurites.drawn_volume import as_bytes, drawn_labels, fragment_files, noisy_affinities

# These name classes that they import for type checkers only, and pydantic 2.14 wants them.
for model in (Image, ImageLabel):
    model.model_rebuild(_types_namespace=vars(pydantic_zarr.v2))

VOXEL_NM = (30.0, 6.0, 6.0)
SHAPE = (11, 70, 83)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """A segmentation of several blocks as the step writes it, and its labels."""
    folder = tmp_path_factory.mktemp("segmentation")
    affinities = as_bytes(noisy_affinities(drawn_labels(SHAPE, 9)))
    done = segment_blocks(affinities, (6, 40, 40), FragmentsSettings(context_px=20), VOXEL_NM)
    files = fragment_files(folder, done)
    store = folder / "v" / "segmentation.ome.zarr"
    agglomeration: Agglomeration = done.agglomeration
    settings = SegmentationSettings(levels=4)
    write_segmentation(store, files, agglomeration, done.grid, VOXEL_NM, settings)
    return store, done.labels("mean", settings.threshold)


def attributes(store: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((store / ".zattrs").read_text())
    return found


def array_problems(store: Path) -> list[str]:
    """What breaks the rules for arrays: version 2, "/" between chunks, one integer type, sizes."""
    problems = []
    if json.loads((store / ".zgroup").read_text()) != {"zarr_format": 2}:
        problems.append("group")
    multiscale = attributes(store)["multiscales"][0]
    arrays = [
        json.loads((store / level["path"] / ".zarray").read_text())
        for level in multiscale["datasets"]
    ]
    scales = [one["coordinateTransformations"][0]["scale"] for one in multiscale["datasets"]]
    for level, (array, scale) in enumerate(zip(arrays, scales, strict=True)):
        if array["zarr_format"] != 2:
            problems.append(f"{level}: format")
        if array["dimension_separator"] != "/":
            problems.append(f"{level}: separator")
        if np.dtype(array["dtype"]).kind not in "ui" or array["dtype"] != arrays[0]["dtype"]:
            problems.append(f"{level}: dtype")
        if len(array["shape"]) != len(multiscale["axes"]):
            problems.append(f"{level}: axes")
        # Every level covers the volume, and no more than a voxel beyond.
        covered = np.array(array["shape"]) * scale
        wanted = np.array(arrays[0]["shape"]) * scales[0]
        if not np.all((covered >= wanted - 1e-9) & (covered < wanted + scale)):
            problems.append(f"{level}: scale")
    return problems


def test_the_metadata_are_those_of_the_specification(written: tuple[Path, np.ndarray]) -> None:
    stated = attributes(written[0])
    checked = ImageLabelAttrs.model_validate(stated)
    multiscale = checked.multiscales[0]
    assert multiscale.version == "0.4"
    assert [(axis.name, axis.type, axis.unit) for axis in multiscale.axes] == [
        (name, "space", "micrometer") for name in "zyx"
    ]
    first = multiscale.datasets[0].coordinateTransformations[0]
    assert first.model_dump()["scale"] == pytest.approx([nm / 1000 for nm in VOXEL_NM])
    assert array_problems(written[0]) == []


BREAKS: dict[str, Callable[[dict[str, Any]], object]] = {
    "an axis too few": lambda one: one["axes"].pop(),
    "a scale too short": lambda one: one["datasets"][0]["coordinateTransformations"][0][
        "scale"
    ].pop(),
    "no scale": lambda one: one["datasets"][0].pop("coordinateTransformations"),
    "coarse before fine": lambda one: one["datasets"].reverse(),
    "no datasets": lambda one: one.pop("datasets"),
}


@pytest.mark.parametrize("broken", BREAKS)
def test_metadata_that_break_the_rules_would_be_noticed(
    written: tuple[Path, np.ndarray], broken: str
) -> None:
    stated = copy.deepcopy(attributes(written[0]))
    BREAKS[broken](stated["multiscales"][0])
    with pytest.raises(ValidationError):
        ImageLabelAttrs.model_validate(stated)


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [("dimension_separator", ".", "separator"), ("dtype", "<f4", "dtype"),
     ("shape", [11, 35, 42], "scale")],
)  # fmt: skip
def test_arrays_that_break_the_rules_would_be_noticed(
    written: tuple[Path, np.ndarray], tmp_path: Path, key: str, value: object, problem: str
) -> None:
    for path in written[0].rglob(".z*"):
        copied = tmp_path / path.relative_to(written[0])
        copied.parent.mkdir(parents=True, exist_ok=True)
        copied.write_text(path.read_text())
    assert array_problems(tmp_path) == []
    changed = tmp_path / "0/.zarray"
    changed.write_text(json.dumps({**json.loads(changed.read_text()), key: value}))
    assert any(problem in one for one in array_problems(tmp_path))


def test_chunks_are_where_readers_look_for_them(written: tuple[Path, np.ndarray]) -> None:
    store, labels = written
    # Without zarr: the first chunk of full resolution, by its path and its codec.
    import numcodecs

    stated = json.loads((store / "0/.zarray").read_text())
    codec = numcodecs.get_codec(stated["compressor"])
    content = codec.decode((store / "0/0/0/0").read_bytes())
    chunk = np.frombuffer(content, stated["dtype"]).reshape(stated["chunks"])
    z, y, x = stated["chunks"]
    assert np.array_equal(chunk, labels[:z, :y, :x])


def test_blocks_that_share_chunks_are_written_by_one_process() -> None:
    for shape, block, factors in (
        ((64, 4096, 4096), (32, 512, 512), (1, 4, 4)),
        ((50, 700, 900), (20, 300, 512), (2, 8, 8)),
    ):
        grid = Grid(shape, block)
        groups = together(grid, factors)
        assert sorted(one.index for group in groups for one in group) == list(range(len(grid)))
        owner: dict[tuple[int, ...], int] = {}
        for number, group in enumerate(groups):
            for one in group:
                corners = [
                    range(begin // (chunk * factor), (end - 1) // (chunk * factor) + 1)
                    for (begin, end), chunk, factor in zip(one.box, CHUNK, factors, strict=True)
                ]
                for chunk in product(*corners):
                    assert owner.setdefault(chunk, number) == number
    assert len(together(Grid((64, 4096, 4096), (32, 512, 512)), (1, 4, 4))) == 32


@pytest.mark.slow
def test_several_processes_write_the_same(tmp_path: Path) -> None:
    grid = Grid((40, 20, 24), (16, 20, 24))
    assert len(together(grid, (1, 4, 4))) == 3
    rng = np.random.default_rng(5)
    files, truth = [], np.zeros(grid.shape, np.int64)
    for block in grid:
        labels = rng.integers(0, 8, block.shape).astype(np.int32)
        statistics = np.zeros((7, 7), np.int64)
        statistics[:, 0] = np.bincount(labels.reshape(-1))[1:]
        files.append(tmp_path / f"{block.name}.h5")
        write_fragments(files[-1], BlockFragments(labels, 7, {}, statistics), block, grid)
        # Fragments of odd and of even number are one object each.
        truth[block.slices] = np.where(labels > 0, 1 + (labels + 1 + block.index * 7) % 2, 0)
    numbers = numbering(*zip(*(read_count(path) for path in files), strict=True))
    nothing = Merges(*(np.zeros(0, kind) for kind in (np.int64, np.int64, np.float64)))
    agglomeration = Agglomeration(numbers, np.arange(numbers.total) % 2, {"mean": nothing})
    for processes in (1, 2):
        store = tmp_path / str(processes) / "segmentation.ome.zarr"
        settings = SegmentationSettings()
        write_segmentation(store, files, agglomeration, grid, VOXEL_NM, settings, processes)
        for level, step in enumerate((1, 2, 4)):
            found = zarr.open_array(str(store / str(level)), mode="r")
            assert np.array_equal(np.asarray(found), truth[:, ::step, ::step])


def test_a_reader_by_the_specification_takes_it_for_labels(
    written: tuple[Path, np.ndarray],
) -> None:
    # Not ome-zarr, which napari opens files with: it brings 26 packages, a client of cloud storage
    # among them, and holds python-dateutil back. The models of the specification are asked to open
    # the store as a whole, arrays and all, and levels are found by what they read.
    store, labels = written
    group = zarr.open_group(str(store), mode="r")
    opened = ImageLabel.from_zarr(group)
    assert isinstance(open_ome_zarr(group, version="0.4"), ImageLabel)
    (multiscale,) = opened.attributes.multiscales
    assert opened.members is not None and set(opened.members) == {
        level.path for level in multiscale.datasets
    }
    for level in multiscale.datasets:
        scale = level.coordinateTransformations[0].model_dump()["scale"]
        steps = np.rint(np.divide(scale, VOXEL_NM) * 1000).astype(int)
        expected = labels[tuple(slice(None, None, step) for step in steps)]
        assert np.array_equal(np.asarray(group[level.path]), expected)


def test_a_store_without_one_of_its_levels_would_be_noticed(
    written: tuple[Path, np.ndarray], tmp_path: Path
) -> None:
    store = tmp_path / "copy.ome.zarr"
    shutil.copytree(written[0], store)
    shutil.rmtree(store / "1")
    with pytest.raises(ValueError, match="find an array at 1"):
        ImageLabel.from_zarr(zarr.open_group(str(store), mode="r"))

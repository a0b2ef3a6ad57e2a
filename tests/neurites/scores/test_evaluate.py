"""The evaluation: scores of what is written, and curves that can be told apart."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import zarr

from snakescope.neurites.agglomeration.segment import segment_blocks
from snakescope.neurites.agglomeration.segmentation import write_segmentation
from snakescope.neurites.agglomeration.settings import SegmentationSettings
from snakescope.neurites.fragments.block_files import read_statistics
from snakescope.neurites.fragments.settings import FragmentsSettings
from snakescope.neurites.scores.evaluate import draw_scores, fragment_table, score_table
from snakescope.neurites.scores.partition_scores import score_partition
from tests.neurites.drawn_volume import as_bytes, drawn_labels, fragment_files, noisy_affinities

VOXEL_NM = (30.0, 6.0, 6.0)
SHAPE = (8, 60, 70)


@pytest.mark.parametrize("least", [0, 900])
def test_the_row_written_is_of_the_segmentation_that_is_written(tmp_path: Path, least: int) -> None:
    truth = drawn_labels(SHAPE, 9)
    truth[:, :5] = 0
    affinities = as_bytes(noisy_affinities(truth, noise=0.3))
    done = segment_blocks(affinities, (5, 40, 40), FragmentsSettings(context_px=20), VOXEL_NM)
    files = fragment_files(tmp_path, done)
    settings = SegmentationSettings(threshold=0.35, min_voxels=least)
    store = tmp_path / "v" / "segmentation.ome.zarr"
    objects = write_segmentation(store, files, done.agglomeration, done.grid, VOXEL_NM, settings)
    labels = zarr.create_array(str(tmp_path / "labels.zarr"), data=truth.astype(np.uint64))
    counted = fragment_table(files, labels, done.agglomeration, True)
    sizes = np.concatenate([read_statistics(path)[0][:, 0] for path in files])
    table = score_table(counted, done.agglomeration, (0.2, 0.5), settings, sizes)
    assert table["written"].tolist() == ["no", "yes", "no"]
    written = np.asarray(zarr.open_array(str(store / "0"), mode="r"))
    assert (written == 0).any() == (least > 0) and len(objects) > 3
    expected = score_partition(written.astype(np.int64), truth)
    for name in ("arand", "precision", "recall", "voi_split", "voi_merge", "v_rand", "segments"):
        assert table[name][1] == pytest.approx(getattr(expected, name), abs=1e-12), name
    # Other rows are what they would be if they were the one written.
    other = settings.model_copy(update={"threshold": 0.5})
    again = score_table(counted, done.agglomeration, (0.2,), other, sizes)
    assert again["written"].tolist() == ["no", "yes"]
    pd.testing.assert_frame_equal(
        again.drop(columns="written"),
        table.iloc[[0, 2]].drop(columns="written").reset_index(drop=True),
    )


def test_every_scoring_has_its_curve_and_its_name_beside_the_curves() -> None:
    rng = np.random.default_rng(0)
    scorings = ["mean", *(f"quantile{q}" for q in range(10, 95, 10))]
    columns = ["arand", "voi", "voi_split", "voi_merge"]
    table = pd.DataFrame(
        [
            {"scoring": one, "threshold": at, **dict(zip(columns, rng.random(4), strict=True))}
            for one in scorings
            for at in (0.2, 0.5, 0.8)
        ]
    )
    figure = draw_scores(table, "v")
    figure.canvas.draw()
    for axes in figure.axes:
        legend = axes.get_legend()
        assert legend is not None
        assert [text.get_text().split(":")[0] for text in legend.get_texts()] == scorings
        looks = {(line.get_color(), line.get_marker()) for line in legend.get_lines()}
        assert len(looks) == len(scorings)
        assert not legend.get_window_extent().overlaps(axes.bbox)
        frames = [text.get_window_extent() for text in legend.get_texts()]
        assert all(one.y0 >= 0 and one.x1 <= figure.bbox.x1 for one in frames)

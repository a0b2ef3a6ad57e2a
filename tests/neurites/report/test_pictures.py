"""The pictures of a volume, where its form is hard to draw."""

import numpy as np
import pandas as pd
import zarr

from snakescope.neurites.report.pictures import draw_neurites
from snakescope.neurites.report.settings import PicturesSettings


def test_numbers_along_a_flat_volume_do_not_lie_on_each_other() -> None:
    labels = np.ones((4, 64, 64), np.uint64)
    volume = zarr.create_array(zarr.storage.MemoryStore(), data=labels)
    objects = pd.DataFrame({"object": [1], "voxels": [labels.size]})
    figure = draw_neurites(volume, objects, (30.0, 40.0, 40.0), PicturesSettings(), "v")
    figure.canvas.draw()
    (axes,) = figure.axes
    boxes = [
        tick.label1.get_window_extent()
        for tick in axes.zaxis.get_major_ticks()
        if tick.label1.get_visible() and tick.label1.get_text()
    ]
    assert len(boxes) >= 2
    assert not [a for i, a in enumerate(boxes) for b in boxes[:i] if a.overlaps(b)]

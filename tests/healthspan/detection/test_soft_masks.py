import numpy as np
import pytest
import torch
from torchvision.ops import roi_align

from snakescope.healthspan.detection.detections import SoftDetection, View
from snakescope.healthspan.detection.soft_masks import cut_mask, objects_of, pasted, soft_detections

CELLS = 56


def slanted_body() -> np.ndarray:  # type: ignore[type-arg]
    """A bar of 8 px width and 100 px length at a slant, float32 0 / 1."""
    y, x = np.mgrid[:140, :140].astype(np.float32) - 70
    along, across = 0.8 * x + 0.6 * y, 0.8 * y - 0.6 * x
    return ((np.abs(along) < 50) & (np.abs(across) < 4)).astype(np.float32)


@pytest.mark.parametrize("jitter", [0.0, 0.3, 0.5, 0.8])
def test_a_mask_comes_back_where_the_target_of_training_was_taken(jitter: float) -> None:
    body = slanted_body()
    rows, columns = np.nonzero(body)
    box = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], np.float32)
    box += np.array([-3, -2, 4, 3], np.float32) + np.float32(jitter)
    rois = torch.tensor([[0.0, *box.tolist()]])
    target = roi_align(torch.from_numpy(body)[None, None], rois, (CELLS, CELLS), 1.0)[0, 0]
    top, left, values = pasted(target.numpy(), box, 140, 140)
    back = np.zeros((140, 140), bool)
    back[top : top + values.shape[0], left : left + values.shape[1]] = values >= 128
    both = np.count_nonzero(back & (body > 0))
    either = np.count_nonzero(back | (body > 0))
    assert both / either > 0.95
    shift = np.array(np.nonzero(back)).mean(axis=1) - (rows.mean(), columns.mean())
    assert np.abs(shift).max() < 0.1


def test_detections_get_plate_coordinates_and_know_where_their_view_ends() -> None:
    output = {
        "scores": torch.tensor([0.9, 0.3]),
        "boxes": torch.tensor([[4.5, 19.5, 49.5, 27.5], [4.5, 39.5, 57.5, 43.5]]),
        "masks": torch.ones(2, 1, CELLS, CELLS),
    }
    found = soft_detections(output, View(1000, 2000, 60, 60))
    (one,) = objects_of(found, 7, score_threshold=0.5, mask_threshold=0.5)
    assert (one.timepoint, one.top, one.left) == (7, 1020, 2005)
    assert one.mask.shape == (8, 45)
    assert [one.cut for one in objects_of(found, 0, 0.2, 0.5)] == [False, True]


def test_a_lower_threshold_makes_a_mask_wider_and_an_empty_one_is_none() -> None:
    ramp = np.tile(np.arange(0, 250, 10, dtype=np.uint8), (4, 1))
    one = SoftDetection(View(0, 0, 100, 100), 10, 10, ramp, 0.9)
    areas = [getattr(cut_mask(one, 0, level), "area", 0) for level in (0.2, 0.5, 0.9, 0.99)]
    assert areas[0] > areas[1] > areas[2] > 0
    assert areas[3] == 0

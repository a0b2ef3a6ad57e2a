"""Images with labels, as the benchmark of detection reads them."""

import pytest

from snakescope.healthspan.training import labelled_images


def test_scenes_of_unseen_2_have_whole_worms_and_boxes_of_those_that_the_border_cuts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(labelled_images, "UNSEEN_SCENES", 3)
    images = list(labelled_images.simulated_unseen_2())
    assert [one.name for one in images] == ["scene_0", "scene_1", "scene_2"]
    assert all(one.exhaustive and one.picture.shape == (560, 560) for one in images)
    assert sum(len(one.worms) for one in images) > 5
    assert any(one.ignore for one in images)
    for one in images:
        for worm in one.worms:
            assert worm.top >= 2 and worm.left >= 2 and worm.bottom <= 558 and worm.right <= 558

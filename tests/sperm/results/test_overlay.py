"""Marks and labels of tracked sperm in a video."""

import numpy as np
import pandas as pd
import pytest

from snakescope.sperm.results.gallery import GRADE_COLOURS, colour
from snakescope.sperm.results.overlay import BAND, NOT_GRADED, Marked, ahead, drawn, marked

PATH = (np.arange(5), np.column_stack([np.arange(5) * 4.0 + 40, np.full(5, 50.0)]))


def test_tracks_have_the_grade_of_their_clip():
    clips = pd.DataFrame({"clip": ["my_v_t0001_0", "my_v_t0001_1", "my_v_t0002_0"], "grade": ["", "B", ""]})  # fmt: skip # noqa: E501
    found = marked(dict.fromkeys(["t0000", "t0001", "t0002"], PATH), clips)
    assert [one.label for one in found] == ["0", "1 B", "2"]
    assert [one.colour for one in found] == [NOT_GRADED, GRADE_COLOURS[1], NOT_GRADED]


def test_a_head_is_circled_where_it_is_in_that_frame():
    frame = np.full((120, 161), 90, np.uint8)
    tracks = [Marked("1 A", GRADE_COLOURS[0], *PATH)]
    made = drawn(frame, 4, tracks, 2, 2, "v")
    assert made.shape[0] % 2 == 0 and made.shape[1] % 2 == 0
    ink = (made == np.array(colour(GRADE_COLOURS[0]))).all(axis=2)[BAND:]
    ys, xs = np.nonzero(ink[80:125])
    assert abs(ys.mean() + 80 - 101) < 8 and abs(np.median(xs) - 113) < 20
    later = drawn(frame, 7, tracks, 2, 2, "v")[BAND:]
    assert (later[:240, :322] == 90).all()


def test_labels_cover_neither_heads_nor_one_another():
    frame = np.full((200, 200), 90, np.uint8)
    places = [(60.0, 60.0), (72.0, 56.0), (60.0, 75.0)]
    tracks = [
        Marked(str(at), GRADE_COLOURS[at], np.array([0]), np.array([place]))
        for at, place in enumerate(places)
    ]
    made = drawn(frame, 0, tracks, 2, 0, "v")
    alone = [drawn(frame, 0, [one], 2, 0, "v") for one in tracks]
    for one, (x, y) in zip(alone, places, strict=True):
        ring = np.s_[
            BAND + int(2 * y) - 9 : BAND + int(2 * y) + 12, int(2 * x) - 9 : int(2 * x) + 12
        ]
        assert (made[ring] == one[ring]).mean() > 0.97


def test_frames_made_ahead_are_the_same_in_order():
    made = list(ahead(iter([np.full((2, 2), at, np.uint8) for at in range(20)])))
    assert [int(one[0, 0]) for one in made] == list(range(20))
    assert list(ahead(iter([]))) == []


def test_a_fault_of_a_frame_made_ahead_is_told():
    def faulty():
        yield np.zeros((2, 2), np.uint8)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        list(ahead(faulty()))

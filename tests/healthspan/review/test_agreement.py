"""Agreement of scorers, on worms of which is known what they say."""

import numpy as np
import pytest

from snakescope.healthspan.review.agreement import AGREEMENT_COLUMNS, agreement_table
from snakescope.healthspan.review.corrected_tables import usable_frames
from snakescope.healthspan.review.corrections import Correction
from snakescope.healthspan.review.histories import machine_courses
from snakescope.healthspan.review.settings import CorrectedSettings
from tests.healthspan.review.lines import DIGEST
from tests.healthspan.review.test_corrected import of, plate


def dying(number: int) -> list[tuple[int, int]]:
    """Tracks that the machine has die in view with frames around, and the timepoint."""
    _, individuals, counts = plate()
    frames = usable_frames(counts)
    found = [
        (track, int(frames.timepoint[course.history.dead]))
        for track, course in machine_courses(plate()[0], individuals, frames).items()
        if course.counted and course.history.dies
    ]
    return [one for one in found if 14 < one[1] < 30][:number]


def table(**by_scorer: list[Correction]) -> dict[tuple[str, str], dict[str, float]]:
    tracks, individuals, counts = plate()
    made = agreement_table(
        by_scorer, tracks, individuals, usable_frames(counts), DIGEST, CorrectedSettings()
    )
    assert list(made.columns) == list(AGREEMENT_COLUMNS)
    return {(one["scorer_a"], one["scorer_b"]): one for one in made.to_dict("records")}


def test_who_changes_nothing_agrees_wholly() -> None:
    lines = [of("checked", track, at, n + 1) for n, (track, at) in enumerate(dying(6))]
    own = table(anna=lines)["machine", "anna"]
    assert (own["worms"], own["deaths"], own["worms_of_one"]) == (6, 6, 0)
    assert own["weighted_kappa"] == 1 and own["share_within_one_frame"] == 1
    assert own["mean_difference_d"] == own["low_d"] == own["high_d"] == 0


def test_differences_are_those_that_were_made() -> None:
    worms = dying(6)
    shifts = [0, 1, 1, 2, 4, 4]
    anna = [
        of("dead", track, at + shift, n + 1, blind=True)
        for n, ((track, at), shift) in enumerate(zip(worms, shifts, strict=True))
    ]
    ben = [of("checked", track, at, n + 1, scorer="ben") for n, (track, at) in enumerate(worms[:4])]
    ben.append(of("not_a_worm", worms[4][0], 20, 9, scorer="ben"))
    found = table(anna=anna, ben=ben)
    days = np.array(shifts) / 2
    own = found["machine", "anna"]
    assert own["share_within_one_frame"] == 0.5 and own["median_difference_d"] == 0.75
    assert own["mean_difference_d"] == pytest.approx(days.mean())
    assert own["high_d"] == pytest.approx(days.mean() + 1.96 * days.std(ddof=1))
    assert 0 < own["weighted_kappa"] < 1 and own["blind_share"] == 1
    both = found["anna", "ben"]
    assert (both["worms"], both["worms_of_one"], both["deaths"]) == (5, 1, 4)
    assert both["mean_difference_d"] == pytest.approx(-days[:4].mean())
    assert both["blind_share"] == 0.5


def test_without_a_worm_in_common_there_is_nothing_to_say() -> None:
    (first, at), (second, later) = dying(2)
    found = table(anna=[of("dead", first, at)], ben=[of("dead", second, later, scorer="ben")])
    own = found["anna", "ben"]
    assert own["worms"] == 0 and np.isnan(own["weighted_kappa"])

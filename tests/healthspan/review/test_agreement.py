"""Agreement of scorers, on worms of which is known what they say."""

import numpy as np
import pytest

from snakescope.healthspan.review.agreement import AGREEMENT_COLUMNS, CONFUSION, agreement_table
from snakescope.healthspan.review.bland_altman import (
    AREA,
    FEWEST_FOR_LIMITS,
    Deaths,
    draw_deaths,
    limits_of,
    note_of,
)
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
    return both_of(**by_scorer)[0]


def both_of(
    **by_scorer: list[Correction],
) -> tuple[dict[tuple[str, str], dict[str, float]], list[Deaths]]:
    tracks, individuals, counts = plate()
    made, deaths = agreement_table(
        by_scorer, tracks, individuals, usable_frames(counts), DIGEST, CorrectedSettings()
    )
    assert list(made.columns) == list(AGREEMENT_COLUMNS)
    return {(one["scorer_a"], one["scorer_b"]): one for one in made.to_dict("records")}, deaths


def test_who_changes_nothing_agrees_wholly() -> None:
    lines = [of("checked", track, at, n + 1) for n, (track, at) in enumerate(dying(6))]
    own = table(anna=lines)["machine", "anna"]
    assert (own["worms"], own["deaths"], own["worms_of_one"]) == (6, 6, 0)
    assert own["weighted_kappa"] == 1 and own["share_within_one_frame"] == 1
    same = [own[f"{state}_{state}"] for state in ("healthy", "immobile", "dead")]
    assert sum(same) == own["states"] == sum(own[name] for name in CONFUSION)
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
    # A later death only: what the machine calls dead is immobile for her, never the other way.
    assert own["dead_immobile"] > 0 and own["immobile_dead"] == own["dead_healthy"] == 0
    both = found["anna", "ben"]
    assert (both["worms"], both["worms_of_one"], both["deaths"]) == (5, 1, 4)
    assert both["mean_difference_d"] == pytest.approx(-days[:4].mean())
    assert both["blind_share"] == 0.5


def test_without_a_worm_in_common_there_is_nothing_to_say() -> None:
    (first, at), (second, later) = dying(2)
    found = table(anna=[of("dead", first, at)], ben=[of("dead", second, later, scorer="ben")])
    own = found["anna", "ben"]
    assert own["worms"] == 0 and np.isnan(own["weighted_kappa"])


def name_of(track: int) -> str:
    _, individuals, _ = plate()
    return str(int(individuals.loc[individuals["track"] == track, "individual"].iloc[0]))


def test_worms_without_a_difference_are_counted_and_named() -> None:
    """Every worm that both looked at is in one of the columns, and in the figure or under it."""
    worms = dying(8)
    (alive, at), (none, _), *others = worms
    anna = [of("dead", track, death + 1, n + 3) for n, (track, death) in enumerate(others)]
    anna += [of("censored", alive, at - 2, 1, reason="lost"), of("not_a_worm", none, 20, 2)]
    found, pairs = both_of(anna=anna)
    own = found["machine", "anna"]
    assert own["died_for_a"] == name_of(alive) and own["died_for_b"] == ""
    assert own["counted_by_a"] == name_of(none) and own["counted_by_b"] == ""
    kinds = ("deaths", "deaths_of_one", "deaths_of_none", "worms_of_one")
    assert sum(own[name] for name in kinds) == own["worms"] == 8
    (deaths,) = pairs
    assert note_of(deaths) == [
        f"1 dead for machine alone, alive or censored for anna: {name_of(alive)}",
        f"1 counted by machine alone: {name_of(none)}",
    ]
    figure = draw_deaths(pairs, "p")
    shown = "\n".join(text.get_text() for axes in figure.axes for text in axes.texts)
    assert all(name_of(track) in shown for track in (alive, none))
    assert "n = 6 deaths of both" in figure.axes[0].get_title()
    (points,) = figure.axes[0].collections[:1]
    assert points.get_sizes().sum() == AREA * own["deaths"]


def test_intervals_of_bias_and_limits_cover_the_truth() -> None:
    """Of samples of eight, each interval covers in 95 of 100; one of the normal law would not."""
    rng = np.random.default_rng(4)
    samples = 0.7 + 1.3 * rng.normal(size=(2000, 8))
    truth = {"bias": 0.7, "low": 0.7 - 1.96 * 1.3, "high": 0.7 + 1.96 * 1.3}
    covered = dict.fromkeys(truth, 0)
    for sample in samples:
        limits = limits_of(sample)
        assert limits is not None
        for name, value in truth.items():
            _, low, high = getattr(limits, name)
            covered[name] += low <= value <= high
    assert all(0.935 < count / len(samples) < 0.965 for count in covered.values())


def test_too_few_deaths_have_no_limits_and_still_a_figure() -> None:
    rng = np.random.default_rng(0)
    for number in range(FEWEST_FOR_LIMITS + 1):
        days = rng.normal(10, 1, (number, 2))
        assert (limits_of(days[:, 1] - days[:, 0]) is None) == (number < FEWEST_FOR_LIMITS)
        named = tuple(str(one) for one in range(40))
        figure = draw_deaths([Deaths("anna", "ben", days, np.nan, named, (), 0, (), ())] * 4, "p")
        titles = [axes.get_title() for axes in figure.axes]
        assert sum(f"n = {number} deaths of both" in one for one in titles) == 4
        # What does not fit is in the table, and the figure says how many that are.
        assert any("and 28 more" in text.get_text() for axes in figure.axes for text in axes.texts)

"""Simulated sperm, the persons who grade them, and the committed sheets of their votes."""

import numpy as np
import pytest

from benchmarks.sperm.sheets import SETS, sheets
from snakescope import REPOSITORY
from snakescope.sperm.simulation import raters
from snakescope.sperm.simulation.drawing import BACKGROUND, HEAD, SIZE_YX, TAIL, draw_optics
from snakescope.sperm.simulation.morphology import DEAD, draw_scores, draw_sperm, quality
from snakescope.sperm.simulation.settings import SimulateSettings
from snakescope.sperm.simulation.simulate import draw_field, field, follow, followed
from snakescope.step.tables import read_table

SETTINGS = SimulateSettings()


def test_quality_and_votes_have_the_published_scale():
    """Mean predictor 1.74e-2, floor .34e-2 of the squared error: figures of the paper's range."""
    rng = np.random.default_rng(0)
    found = np.array(
        [quality(*draw_scores(rng, rng.standard_normal(), SETTINGS)) for _ in range(4000)]
    )
    assert abs(found.mean()) < 0.06 and found.std() == pytest.approx(1, abs=0.04)
    bias = raters.biases(1)
    votes = np.array([raters.votes(one, bias, rng) for one in found])
    assert (votes.sum(axis=1) == raters.RATERS).all()
    shares = votes / raters.RATERS
    np.testing.assert_allclose(shares.mean(axis=0), raters.MARGINALS, atol=0.03)
    constant = 100 * ((shares - shares.mean(axis=0)) ** 2).mean()
    floor = 100 * ((shares - raters.expected(found, bias)) ** 2).mean()
    assert 1.6 < constant < 2.0 and floor == pytest.approx(0.34, abs=0.02)
    assert np.corrcoef(found, shares @ np.arange(5))[0, 1] < -0.9  # A is the best


def test_better_sperm_have_fewer_defects_and_swim():
    rng = np.random.default_rng(1)
    good = [draw_sperm(rng, "icsi_pvp", 2.0, 2.0) for _ in range(30)]
    bad = [draw_sperm(rng, "icsi_pvp", -2.0, DEAD - 0.1) for _ in range(30)]
    assert all(one.speed > 10 for one in good) and all(one.speed == 0 for one in bad)
    for measure in (
        lambda one: abs(one.head_um[0] - 4.4),
        lambda one: abs(one.kink[0]),
        lambda one: one.droplet_um,
        lambda one: len(one.vacuoles),
    ):
        assert np.mean([measure(one) for one in bad]) > np.mean([measure(one) for one in good])


def test_a_followed_sperm_stays_in_the_middle_and_its_mask_lies_on_it():
    one = followed("v", "d", 0, SETTINGS)
    rng = np.random.default_rng(0)
    frames = list(follow(one, 1.0, 16, draw_optics(rng, "icsi_pvp"), rng))
    assert len(frames) == 16 and frames[0].grey.shape == SIZE_YX["icsi_pvp"]
    for frame in frames:
        y, x = np.nonzero(frame.labels == HEAD)
        (place,) = frame.heads
        assert np.hypot(x.mean() - place[0], y.mean() - place[1]) < 3
        assert np.hypot(place[0] - 75, place[1] - 75) < 6
        assert (frame.labels == TAIL).sum() > 40
        drawn = frame.grey[frame.labels == HEAD].std()
        assert drawn > 2 * frame.grey[frame.labels == BACKGROUND].std()


def test_the_same_names_give_the_same_video():
    made = []
    for _ in range(2):
        rng = np.random.default_rng(5)
        one = followed("v", "d", 3, SETTINGS)
        made.append(list(follow(one, 0.2, 16, draw_optics(rng, "icsi_pvp"), rng)))
    for one, other in zip(*made, strict=True):
        assert (one.grey == other.grey).all() and (one.labels == other.labels).all()
    assert followed("v", "d", 4, SETTINGS).quality != followed("v", "d", 3, SETTINGS).quality


def test_fields_have_bright_heads_where_the_truth_says():
    rng = np.random.default_rng(2)
    settings = SETTINGS.model_copy(update={"sperm": 8, "debris": 10})
    frame = next(
        field(draw_field(rng, 0, settings), 1, 1, draw_optics(rng, "semen"), rng, settings.debris)
    )
    inside = [(int(x), int(y)) for x, y in frame.heads if 5 < x < 634 and 5 < y < 474]
    brightest = [frame.grey[y - 3 : y + 4, x - 3 : x + 4].max() for x, y in inside]
    assert len(inside) >= 5 and np.median(brightest) > np.median(frame.grey) + 40


@pytest.mark.parametrize("name", SETS)
def test_the_sheets_of_the_examples_hold_the_votes_of_the_simulated_persons(name: str):
    donors, each, clips = SETS[name]
    made = sheets("dish" if name == "sperm_demo" else "b", donors, each, clips)
    for kind, table in zip(("videos", "clips"), made, strict=True):
        path = REPOSITORY / f"config/examples/{name}/{kind}.tsv"
        written = read_table(path, list(table.columns), comment="#")
        assert len(written) == len(table)
        for column in table:
            assert written[column].astype(str).tolist() == table[column].astype(str).tolist()

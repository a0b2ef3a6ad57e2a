"""Lines of a watershed close gaps in membranes."""

import numpy as np
import pytest
from pydantic import ValidationError

from snakescope.membranes.prediction.fusion import watershed_lines, with_watershed
from snakescope.membranes.prediction.settings import PredictSettings
from snakescope.membranes.scores.partitions import basins


def test_a_gap_in_a_membrane_is_closed() -> None:
    probability = np.full((32, 32), 0.02, np.float32)
    probability[:, 15:18] = 0.9
    probability[14:17, 15:18] = 0.3
    assert basins(probability < 0.5).max() == 1
    fused = with_watershed(probability, 0.6)
    assert basins(fused < 0.5).max() == 2
    assert watershed_lines(probability).sum() == 32


def test_lines_that_are_weak_on_average_are_left_out() -> None:
    probability = np.full((32, 32), 0.02, np.float32)
    probability[:, 15:18] = 0.9
    probability[14:17, 15:18] = 0.05
    probability[:, 6:8] = 0.2
    fused = with_watershed(probability, 0.6, 0.5)
    assert basins(fused < 0.5).max() == 2
    assert fused[:, 7].max() < 0.1 and (fused[:, 14:19].max(axis=1) >= 0.6).all()


def test_without_weight_nothing_changes() -> None:
    probability = np.random.default_rng(1).random((16, 16)).astype(np.float32)
    assert with_watershed(probability, 0.0) is probability


def test_lines_between_joined_basins_need_a_weight() -> None:
    with pytest.raises(ValidationError, match="watershed_weight above 0"):
        PredictSettings(join_below=0.3)
    assert PredictSettings(join_below=0.3, watershed_weight=0.6).join_below == 0.3

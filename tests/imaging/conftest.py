"""A picture and a volume that have no structure and no zeros."""

import numpy as np
import pytest


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(1, 255, (90, 70), dtype=np.uint8)


@pytest.fixture
def volume() -> np.ndarray:
    return np.random.default_rng(1).integers(1, 255, (8, 40, 48), dtype=np.uint8)

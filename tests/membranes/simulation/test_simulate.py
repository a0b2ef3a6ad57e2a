"""Simulated stacks: the same each time, with dark membranes where the labels say."""

import numpy as np
from skimage.measure import label

from snakescope.membranes.simulation.settings import SimulateSettings
from snakescope.membranes.simulation.simulate import simulate


def test_a_seed_gives_the_same_stack_whose_membranes_are_dark() -> None:
    settings = SimulateSettings(shape=(2, 96, 128))
    image, labels = simulate(settings, 1)
    again, _ = simulate(settings, 1)
    other, _ = simulate(settings, 2)
    assert np.array_equal(image, again) and not np.array_equal(image, other)
    assert image.shape == labels.shape == (2, 96, 128) and set(np.unique(labels)) == {0, 255}
    assert image[labels > 0].mean() < image[labels == 0].mean() - 30
    assert 0.08 < (labels > 0).mean() < 0.4
    cells = label(labels[0] == 0, connectivity=1)
    assert 5 < cells.max() < 40
    # Cells go on in the next section.
    assert np.mean((labels[0] == 0) & (labels[1] == 0)) > 0.5

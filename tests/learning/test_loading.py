"""Samples depend on seed, epoch and index only, in whatever order they are prepared."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from snakescope.learning.loading import Samples, prefetched, rng_of


def draw(index: int, rng: np.random.Generator) -> tuple[int, float]:
    return index, float(rng.random())


SAMPLES = Samples(draw, count=10, size=4, seed=1)


def test_an_epoch_has_every_sample_once_but_for_the_rest() -> None:
    assert SAMPLES.epoch_steps == 2
    for epoch in range(3):
        seen = [index for k in (0, 1) for index, _ in SAMPLES.batch(2 * epoch + k)]
        assert len(set(seen)) == 8 and set(seen) < set(range(10))
        assert seen != sorted(seen)
    assert SAMPLES.batch(0) != SAMPLES.batch(2)


def test_a_sample_depends_on_seed_epoch_and_index_only() -> None:
    found = dict(SAMPLES.batch(2) + SAMPLES.batch(3))
    alone = {index: float(rng_of(1, 1, index).random()) for index in found}
    assert found == alone
    assert replace(SAMPLES, seed=2).batch(2) != SAMPLES.batch(2)


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_batches_begin_anywhere_with_any_number_of_threads(workers: int) -> None:
    whole = [SAMPLES.batch(number) for number in range(9)]
    assert list(SAMPLES.batches(0, 9, workers)) == whole
    assert list(SAMPLES.batches(5, 9, workers)) == whole[5:]


def test_prefetching_keeps_the_order() -> None:
    assert list(prefetched(lambda k: k * k, range(20), 3)) == [k * k for k in range(20)]
    assert list(prefetched(lambda k: k * k, range(3), 0)) == [0, 1, 4]


def test_prefetching_ends_with_its_reader() -> None:
    called: list[int] = []
    batches = prefetched(lambda k: called.append(k), iter(range(1000)), 2)
    next(batches)
    batches.close()
    assert len(called) <= 6
    assert not [one for one in threading.enumerate() if "ThreadPool" in one.name]


def test_an_error_of_a_sample_reaches_the_reader() -> None:
    def broken(number: int) -> int:
        if number == 3:
            raise ValueError("image 3")
        return number

    read = []
    with pytest.raises(ValueError, match="image 3"):
        for one in prefetched(broken, range(9), 2):
            read.append(one)
    assert read == [0, 1, 2]

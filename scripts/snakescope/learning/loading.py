"""Samples and batches that depend on a seed and their place in the training, and on nothing else.

Whatever is drawn for a sample comes from a generator of its own, so the batches do not depend on
how many threads prepare them, nor on where a training was interrupted.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Item = TypeVar("Item")


def rng_of(seed: int, *place: int) -> np.random.Generator:
    """The generator of a place in a training, such as ``(seed, epoch, index)``."""
    return np.random.default_rng([seed, *place])


@dataclass(frozen=True)
class Samples(Generic[Item]):
    """Batches of a data set of ``count`` samples, shuffled anew in every epoch.

    What is left of an epoch's order after the last whole batch is not used in that epoch.

    Attributes:
        draw: the sample of an index, augmented with a generator of (seed, epoch, index).
        count: samples of the data set.
        size: samples of a batch.
    """

    draw: Callable[[int, np.random.Generator], Item]
    count: int
    size: int
    seed: int

    @property
    def epoch_steps(self) -> int:
        """Batches of an epoch."""
        return self.count // self.size

    def indices(self, number: int) -> tuple[int, NDArray[np.int64]]:
        """Epoch and sample indices, shape (size,), of a batch (from 0)."""
        epoch, place = divmod(number, self.epoch_steps)
        order = rng_of(self.seed, epoch).permutation(self.count)
        return epoch, order[place * self.size : (place + 1) * self.size]

    def batch(self, number: int) -> list[Item]:
        """The samples of a batch (from 0)."""
        epoch, indices = self.indices(number)
        return [self.draw(index, rng_of(self.seed, epoch, index)) for index in indices.tolist()]

    def batches(self, first: int, last: int, workers: int = 0) -> Generator[list[Item], None, None]:
        """Batches ``first`` to ``last`` - 1, computed ahead by so many threads."""
        return prefetched(self.batch, range(first, last), workers)


def prefetched(
    function: Callable[[int], Item], numbers: Iterable[int], workers: int
) -> Generator[Item, None, None]:
    """``function`` of each number in order, computed ahead by so many threads.

    With 0 threads nothing is computed ahead. At most twice as many results as threads wait.
    """
    if workers == 0:
        yield from map(function, numbers)
        return
    waiting: deque[Future[Item]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for number in numbers:
                waiting.append(pool.submit(function, number))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            # Where the training ends early, nothing that was not begun is computed any more.
            pool.shutdown(wait=False, cancel_futures=True)

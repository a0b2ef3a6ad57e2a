"""Partition of a volume into blocks, the unit of jobs, and slabs of sections.

Without numpy, since every process that parses the Snakefile imports this module.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import ceil, prod

Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
Zyx = tuple[int, int, int]


@dataclass(frozen=True)
class Block:
    """A block of a volume.

    Attributes:
        index: its number in the grid, x fastest.
        box: first voxel and the one after the last, along z, y and x.
    """

    index: int
    box: Box

    @property
    def name(self) -> str:
        """The block's name in files, such as ``z0000-0032_y0000-0512_x0512-1024``."""
        return "_".join(
            f"{axis}{begin:04d}-{end:04d}"
            for axis, (begin, end) in zip("zyx", self.box, strict=True)
        )

    @property
    def ranges(self) -> str:
        """The block as an option of commands, ``z0:z1,y0:y1,x0:x1``."""
        return ",".join(f"{begin}:{end}" for begin, end in self.box)

    @property
    def slices(self) -> tuple[slice, slice, slice]:
        """The block as an index into the volume."""
        return slices(self.box)

    @property
    def shape(self) -> Zyx:
        """Voxels along z, y and x."""
        return box_shape(self.box)


@dataclass(frozen=True)
class Grid:
    """Blocks that cover a volume; the last ones along an axis may be smaller.

    Attributes:
        shape: voxels of the volume along z, y and x.
        block: voxels of a whole block.
    """

    shape: Zyx
    block: Zyx

    @cached_property
    def counts(self) -> Zyx:
        """Blocks along z, y and x."""
        z, y, x = (ceil(n / size) for n, size in zip(self.shape, self.block, strict=True))
        return z, y, x

    @property
    def capacity(self) -> int:
        """How many ids every block has to itself: fragment ``n`` of block ``i`` is i * capacity
        + n.
        """
        return prod(self.block)

    def __len__(self) -> int:
        return prod(self.counts)

    def __iter__(self) -> Iterator[Block]:
        for at in product(*(range(count) for count in self.counts)):
            yield self._at(at)

    @cached_property
    def by_name(self) -> dict[str, Block]:
        """The blocks by name."""
        return {block.name: block for block in self}

    def _at(self, at: tuple[int, ...]) -> Block:
        begins = [i * size for i, size in zip(at, self.block, strict=True)]
        z, y, x = (
            (begin, min(begin + size, n))
            for begin, size, n in zip(begins, self.block, self.shape, strict=True)
        )
        return Block((at[0] * self.counts[1] + at[1]) * self.counts[2] + at[2], (z, y, x))

    def before(self, block: Block) -> tuple[Block | None, Block | None, Block | None]:
        """Return the blocks before ``block`` along z, y and x; None if it is the first."""
        at = self.position(block)
        z, y, x = (
            self._at(tuple(i - (a == axis) for a, i in enumerate(at))) if at[axis] else None
            for axis in range(3)
        )
        return z, y, x

    def inner_faces(self, block: Block) -> list[tuple[int, int]]:
        """Return axis and side (0 before, 1 after) of the faces shared with other blocks."""
        at = self.position(block)
        return [
            (axis, side)
            for axis in range(3)
            for side in range(2)
            if at[axis] != (self.counts[axis] - 1 if side else 0)
        ]

    def position(self, block: Block) -> Zyx:
        """Return the index of the block along z, y and x."""
        z, y, x = (begin // size for (begin, _), size in zip(block.box, self.block, strict=True))
        return z, y, x

    def touching(self, box: Box) -> list[Block]:
        """Return the blocks that overlap ``box``."""
        ranges = [
            range(begin // size, ceil(end / size))
            for (begin, end), size in zip(box, self.block, strict=True)
        ]
        return [self._at(at) for at in product(*ranges)]

    def window(self, block: Block, context: Zyx) -> Box:
        """Return the block extended by ``context`` voxels on every side, clipped to the volume."""
        z, y, x = (
            (max(begin - more, 0), min(end + more, n))
            for (begin, end), more, n in zip(block.box, context, self.shape, strict=True)
        )
        return z, y, x


def slices(box: Box) -> tuple[slice, slice, slice]:
    """Return a box as an index."""
    z, y, x = (slice(begin, end) for begin, end in box)
    return z, y, x


def box_shape(box: Box) -> Zyx:
    """Return the shape of a box along z, y and x."""
    z, y, x = (end - begin for begin, end in box)
    return z, y, x


def within(box: Box, outer: Box) -> tuple[slice, slice, slice]:
    """Return ``box`` as an index into an array that covers ``outer``."""
    z, y, x = (
        slice(begin - start, end - start)
        for (begin, end), (start, _) in zip(box, outer, strict=True)
    )
    return z, y, x


def common(one: Box, other: Box) -> Box:
    """Return the intersection of two boxes, which must overlap."""
    z, y, x = ((max(a, c), min(b, d)) for (a, b), (c, d) in zip(one, other, strict=True))
    return z, y, x


def slabs(depth: int, sections: int) -> list[tuple[int, int]]:
    """Return the slabs of a volume as (first section, section after the last)."""
    return [(begin, min(begin + sections, depth)) for begin in range(0, depth, sections)]


def stride_of(patch: int, overlap: float) -> int:
    """Return the step between patches (voxels) that overlap by the fraction ``overlap``."""
    return max(1, round(patch * (1 - overlap)))

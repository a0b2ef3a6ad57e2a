"""Which deconvolution kernels keep a branch aligned with its image. Free of torch.

The output of a transposed convolution of stride s, kernel k and padding p on n pixels has
(n - 1) s - 2 p + k pixels. With p = (k - s) / 2 these are n s, and the centre of the kernel falls
on the centre of its source pixel. An odd k - s displaces the map by half a pixel; a kernel below
the stride leaves pixels without any input.
"""

from collections.abc import Sequence

STRIDES = (2, 4, 8)
"""Of the branches F1, F2 and F3: how much coarser than the image the map is that they enlarge."""

BRANCHES = ("F1", "F2", "F3")
MAX_KERNEL = 48
Kernels = tuple[int, int, int]

PAPER_SETTINGS: tuple[Kernels, ...] = (
    (4, 8, 16), (4, 8, 10), (4, 8, 12), (4, 8, 14), (2, 8, 16), (6, 8, 16), (4, 6, 16), (4, 10, 16),
    (4, 8, 18), (4, 8, 20), (2, 4, 10), (2, 4, 20), (2, 8, 20), (4, 10, 18), (2, 6, 16), (2, 8, 18),
)  # fmt: skip
"""Table 1 of Takaya et al., in its order; the first is where their search begins."""

PAPER_IOU = (
    0.6536, 0.7041, 0.6859, 0.6625, 0.6871, 0.7097, 0.5198, 0.6934,
    0.6163, 0.6801, 0.6693, 0.6573, 0.7063, 0.6611, 0.6419, 0.6736,
)  # fmt: skip
"""IoU of those settings, one training each, on their ant stack (data set B)."""

PAPER_PROPOSED = PAPER_SETTINGS[1:4]
"""What they chose by looking at feature maps."""


def problem_of(branch: int, kernel: int) -> str | None:
    """Why a kernel cannot be used, and the next ones that can, or None.

    Args:
        branch: 0 to 2, for F1 to F3.
        kernel: side (px).
    """
    stride, name = STRIDES[branch], BRANCHES[branch]
    if kernel < stride:
        return (
            f"{kernel} for branch {name}: a kernel must be at least its stride ({stride}), or"
            f" pixels between get nothing; use {stride} or {stride + 2}"
        )
    if kernel > MAX_KERNEL:
        return (
            f"{kernel} for branch {name}: a kernel of at most {MAX_KERNEL} px is meant; use"
            f" {MAX_KERNEL - 2} or {MAX_KERNEL}"
        )
    if (kernel - stride) % 2:
        return (
            f"{kernel} for branch {name}: kernel minus stride ({stride}) must be even, or the map"
            f" is shifted by half a pixel; use {kernel - 1} or {kernel + 1}"
        )
    return None


def check_kernels(kernels: Sequence[int]) -> Kernels:
    """Return three kernels that keep their branches aligned.

    Raises:
        ValueError: they are not three, or one of them cannot be used.
    """
    if len(kernels) != len(STRIDES):
        raise ValueError(
            f"three kernels, for the branches F1, F2 and F3, found {len(kernels)} of them"
        )
    for branch, kernel in enumerate(kernels):
        if problem := problem_of(branch, kernel):
            raise ValueError(problem)
    first, second, third = kernels
    return first, second, third


def name_of(kernels: Sequence[int]) -> str:
    """``k4-8-16``, as folders of trainings are called."""
    return "k" + "-".join(map(str, kernels))


def kernels_of(name: str) -> Kernels:
    """The kernels of a name of :func:`name_of`.

    Raises:
        ValueError: one of them cannot be used.
    """
    return check_kernels([int(part) for part in name.removeprefix("k").split("-")])

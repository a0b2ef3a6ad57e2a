"""Whether an explanation says anything: measures with known answers and simple rivals.

Everything in a crop is centred, so a Gaussian in the middle scores high in most measures; a map has
to do better than it, and than its own network with random weights.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import stats

Map = NDArray[np.floating]
Mask = NDArray[np.bool_]


def resized(maps: Map, size_yx: tuple[int, int]) -> NDArray[np.float32]:
    """Maps (T, y, x) brought to the size of frames, bilinear."""
    height, width = size_yx
    return np.stack(
        [
            cv2.resize(one.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
            for one in maps
        ]
    )


def centred_gaussian(size_yx: tuple[int, int], sd: float = 0.15) -> NDArray[np.float32]:
    """The rival: a Gaussian in the middle, ``sd`` as a share of the shorter side."""
    y, x = (np.arange(n) - (n - 1) / 2 for n in size_yx)
    wide = 2 * (sd * min(size_yx)) ** 2
    return np.exp(-(y[:, None] ** 2 + x[None] ** 2) / wide).astype(np.float32)


def grown(mask: Mask, radius: int) -> Mask:
    """A mask (Y, X) dilated by a disc (px)."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), disc) > 0)


def pointing(maps: Map, masks: Mask, radius: int = 8) -> float:
    """Share of frames whose maximum lies in the mask dilated by ``radius`` px.

    Zhang et al., ECCV 2016, the pointing game. Frames without any relevance are misses.

    Args:
        maps, masks: shape (T, Y, X).
    """
    hits = []
    for one, mask in zip(maps, masks, strict=True):
        place = np.unravel_index(int(one.argmax()), one.shape)
        hits.append(bool(grown(mask, radius)[place]) and float(one.max()) > float(one.min()))
    return float(np.mean(hits))


def share_within(maps: Map, masks: Mask) -> float:
    """Share of the positive relevance that lies in the masks; NaN without any relevance."""
    positive = np.clip(maps, 0, None)
    whole = float(positive.sum())
    return float(positive[masks].sum() / whole) if whole > 0 else np.nan


def concentration(maps: Map, masks: Mask) -> float:
    """Share of the relevance in the masks over their share of the area: 1 is chance."""
    return share_within(maps, masks) / max(float(masks.mean()), 1e-9)


def rank_correlation(one: Map, other: Map) -> float:
    """Spearman correlation of two maps, as of a network before and after its weights are random.

    Adebayo et al., NeurIPS 2018. NaN where a map is constant.
    """
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return np.nan
    return float(stats.spearmanr(one.ravel(), other.ravel()).statistic)


def erased(
    clip: NDArray[np.float32], maps: Map, share: float, insertion: bool = False
) -> NDArray[np.float32]:
    """A clip without its most relevant pixels, or with them only; the others are blurred.

    Args:
        clip: shape (T, Y, X); maps: the same.
        share: of the pixels, 0 to 1.
    """
    blurred = np.stack([cv2.GaussianBlur(frame, (0, 0), 10) for frame in clip])
    count = round(share * maps.size)
    # Stable, so that equal relevance is taken in the order of pixels, the same every time.
    order = np.argsort(-maps.ravel(), kind="stable")
    chosen = np.zeros(maps.size, bool)
    chosen[order[:count]] = True
    kept = chosen if insertion else ~chosen
    return np.where(kept.reshape(clip.shape), clip, blurred).astype(np.float32)


def curve_area(
    clip: NDArray[np.float32],
    maps: Map,
    score: Callable[[NDArray[np.float32]], float],
    insertion: bool = False,
    steps: int = 8,
) -> float:
    """Mean change of a score as pixels are deleted, or of what is missing as they are inserted.

    Petsiuk et al., BMVC 2018. Here a score is a mean grade, which may rise or fall, so its distance
    to that of the whole clip counts: a good map makes it large early on when its pixels are
    deleted, and small early on when they are inserted.
    """
    whole = score(clip)
    shares = np.linspace(0, 1, steps + 1)[1:-1]
    return float(
        np.mean([abs(score(erased(clip, maps, one, insertion)) - whole) for one in shares])
    )

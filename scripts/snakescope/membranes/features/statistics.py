"""What the feature map of each branch does: statistics that may tell which kernel to change.

The map of a branch is the difference of its two logits, membrane minus other, at full resolution:
what it adds to the sum. Takaya et al. looked at these maps by eye.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import xlogy

from snakescope.membranes.networks.kernels import BRANCHES, STRIDES
from snakescope.membranes.networks.networks import GRID, Network

PATCH = 8
"""Side of the patches whose effective rank is taken (px)."""
ENTROPY_EDGES = np.linspace(-8, 8, 65)
"""Bins of the entropy, the same for every network (logits)."""
THIN = 3
"""Of pixels, every third row and column is taken where an order or all pairs are: no multiple of a
stride, so that all phases of the period are among them."""
LARGEST = 1024
"""Side of the part of a section that is looked at, its middle (px)."""

Map = NDArray[np.float32]


@dataclass(frozen=True)
class BranchStatistics:
    """Of a branch over some labelled sections.

    Attributes:
        loss_without: cross-entropy without the branch minus that with it (nats); what works too
            little has a low one. The primary statistic.
        loss_alone: cross-entropy of the branch alone minus that of all (nats).
        auc: area under the ROC curve of the map for membrane.
        zeros: share of logits that are exactly 0 (Hu et al. 2016, APoZ).
        effective_rank: of patches of the map (Roy and Vetterli 2007), 1 to 64.
        entropy: of the map's values in fixed bins (bits).
        contrast: 95th minus 5th percentile of the map (logits).
        share: of the map's variance in the sum of those of all branches.
        redundancy: greatest absolute correlation with the map of another branch.
        period_share: share of the map's variance that repeats with the stride: squares that come
            from the kernel, not from the section, and that raise contrast.
    """

    loss_without: float
    loss_alone: float
    auc: float
    zeros: float
    effective_rank: float
    entropy: float
    contrast: float
    share: float
    redundancy: float
    period_share: float


STATISTICS = tuple(BranchStatistics.__dataclass_fields__)
LOW_IS_IDLE: Mapping[str, bool] = {
    "loss_without": True, "loss_alone": False, "auc": True, "zeros": False, "effective_rank": True,
    "entropy": True, "contrast": True, "share": True, "redundancy": False, "period_share": False,
}  # fmt: skip
"""Whether the branch that works too little is the one of the lowest value, or of the highest."""


@torch.no_grad()
def logits_of(network: Network, planes: NDArray[np.float32]) -> dict[str, Map]:
    """The logits of every branch, each (2, Y, X), of a section (C, Y, X)."""
    height, width = planes.shape[1:]
    padded = np.pad(planes, ((0, 0), (0, -height % GRID), (0, -width % GRID)), mode="reflect")
    device = next(network.parameters()).device
    maps = network(torch.from_numpy(np.ascontiguousarray(padded))[None].to(device))
    return {
        name: one[0, :, :height, :width].float().cpu().numpy()
        for name, one in zip(network.names, maps, strict=True)
    }


def middle(height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns of the part that is looked at."""
    top, left = (max(0, (side - LARGEST) // 2) for side in (height, width))
    return slice(top, top + min(height, LARGEST)), slice(left, left + min(width, LARGEST))


def statistics_of(
    sections: Sequence[Mapping[str, Map]], membrane: Sequence[NDArray[np.bool_]]
) -> dict[str, BranchStatistics]:
    """Statistics of every branch.

    Args:
        sections: logits of every branch (2, Y, X), a section each.
        membrane: truth of each, bool (Y, X).
    """
    names = list(sections[0])
    truth = np.concatenate([one[::THIN, ::THIN].ravel() for one in membrane])
    maps = {name: [one[name][1] - one[name][0] for one in sections] for name in names}
    flat = {
        name: np.concatenate([one[::THIN, ::THIN].ravel() for one in maps[name]]) for name in names
    }
    variance = {name: float(flat[name].var()) for name in names}
    together = np.sum([flat[name] for name in names], axis=0)
    loss = _cross_entropy(together, truth)
    correlation = np.atleast_2d(_correlation([flat[name] for name in names]))
    np.fill_diagonal(correlation, 0)
    return {
        name: BranchStatistics(
            loss_without=_cross_entropy(together - flat[name], truth) - loss,
            loss_alone=_cross_entropy(flat[name], truth) - loss,
            auc=_auc(flat[name], truth),
            zeros=float(np.mean([(one[name] == 0).mean() for one in sections])),
            effective_rank=float(np.mean([effective_rank(one) for one in maps[name]])),
            entropy=_entropy(flat[name]),
            contrast=float(np.subtract(*np.percentile(flat[name], [95, 5]))),
            share=variance[name] / max(sum(variance.values()), 1e-12),
            redundancy=float(np.abs(correlation[place]).max()),
            period_share=float(np.mean([period_share(one, _stride(name)) for one in maps[name]])),
        )
        for place, name in enumerate(names)
    }


def _stride(name: str) -> int:
    return STRIDES[BRANCHES.index(name)] if name in BRANCHES else 1


def _cross_entropy(logit: Map, truth: NDArray[np.bool_]) -> float:
    """Mean cross-entropy (nats) of the difference of two logits."""
    return float(np.logaddexp(0, np.where(truth, -logit, logit)).mean())


def _correlation(maps: Sequence[Map]) -> NDArray[np.float64]:
    """Correlations of maps; 0 with a map that is constant."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.nan_to_num(np.corrcoef(maps)), np.float64)


def _auc(values: Map, truth: NDArray[np.bool_]) -> float:
    """Mann-Whitney estimate; ties count half. NaN where there is one class only."""
    positive = int(truth.sum())
    negative = truth.size - positive
    if not positive or not negative:
        return float("nan")
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = (ends - (counts - 1) / 2)[place]
    return float((ranks[truth].sum() - positive * (positive + 1) / 2) / positive / negative)


def effective_rank(values: Map) -> float:
    """Exponential of the entropy of the singular values of patches (Roy and Vetterli 2007)."""
    height, width = (side // PATCH * PATCH for side in values.shape)
    blocks = values[:height, :width].reshape(height // PATCH, PATCH, width // PATCH, PATCH)
    patches = blocks.transpose(0, 2, 1, 3).reshape(-1, PATCH * PATCH).astype(np.float64)
    covariance = np.cov(patches, rowvar=False)
    singular = np.sqrt(np.linalg.eigvalsh(covariance).clip(0))
    if singular.sum() == 0:
        return 1.0
    shares = singular / singular.sum()
    return float(np.exp(-xlogy(shares, shares).sum()))


def _entropy(values: Map) -> float:
    counts = np.histogram(values.clip(-8, 8), ENTROPY_EDGES)[0]
    shares = counts / counts.sum()
    return float(-xlogy(shares, shares).sum() / np.log(2))


def period_share(values: Map, stride: int) -> float:
    """Share of the variance of a map in its mean over all periods of ``stride`` pixels.

    A map without pattern has about stride squared / pixels.
    """
    height, width = (side // stride * stride for side in values.shape)
    part = values[:height, :width].astype(np.float64)
    total = float(part.var())
    if total == 0:
        return 0.0
    phases = part.reshape(height // stride, stride, width // stride, stride).mean(axis=(0, 2))
    return float(phases.var() / total)


def as_rows(found: Mapping[str, BranchStatistics]) -> list[dict[str, Any]]:
    """A row a branch, for tables."""
    return [{"branch": name, **asdict(one)} for name, one in found.items()]

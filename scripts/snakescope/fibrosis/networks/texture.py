"""Twelve named measures of a liver's texture, for a logistic regression that anyone can check."""

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.feature import graycomatrix, graycoprops

NAMES = (
    "nakagami_m", "speckle_snr", "skewness", "kurtosis", "glcm_contrast", "glcm_homogeneity",
    "glcm_energy", "glcm_correlation", "band_3_to_5_mm", "band_5_to_9_mm", "surface_roughness",
    "depth_slope",
)  # fmt: skip
"""Of :func:`texture_measures`, in order; millimetres hold for a sector of 220 mm."""

SIDE = 256
LEVELS = 16
RANGE_DB = 60.0
"""Dynamic range that grey levels are taken for, to undo the logarithm; scanners do not tell it."""


def texture_measures(image: NDArray[np.uint8], liver: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The measures of a scan, shape (12,); zeros where the liver has fewer than 200 px.

    Args:
        image: uint8, shape (Y, X), 0 outside the sector.
        liver: shape (Y, X).
    """
    size = (SIDE, SIDE)
    grey = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float64)
    mask = cv2.resize(liver.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    core = cv2.erode(mask, np.ones((7, 7), np.uint8)) > 0
    if core.sum() < 200:
        return np.zeros(len(NAMES))
    inside = grey[core]
    power = 10 ** (inside / 255 * RANGE_DB / 10)
    centred = (inside - inside.mean()) / max(inside.std(), 1e-6)
    quantised = np.clip(grey / 256 * (LEVELS - 1), 0, LEVELS - 2).astype(np.uint8) + 1
    quantised[~core] = 0
    pairs = graycomatrix(quantised, [2], [0, np.pi / 2], levels=LEVELS, symmetric=True)
    pairs = pairs[1:, 1:].astype(np.float64)
    pairs /= np.maximum(pairs.sum(axis=(0, 1), keepdims=True), 1)
    of_pairs = [
        float(graycoprops(pairs, name).mean())
        for name in ("contrast", "homogeneity", "energy", "correlation")
    ]
    smooth = [_smooth(grey, core, window) for window in (5, 9, 17)]
    bands = [
        float(np.log(((fine - coarse) ** 2)[core].mean() + 1e-6))
        for fine, coarse in ((smooth[0], smooth[1]), (smooth[1], smooth[2]))
    ]
    rows = np.nonzero(core)[0]
    slope = float(np.polyfit(rows / SIDE, inside, 1)[0])
    return np.array(
        [
            float(power.mean() ** 2 / max(power.var(), 1e-9)),
            float(inside.mean() / max(inside.std(), 1e-6)),
            float((centred**3).mean()),
            float((centred**4).mean()),
            *of_pairs,
            *bands,
            _roughness(np.asarray(mask, np.uint8)),
            slope,
        ]
    )


def _smooth(grey: NDArray[np.float64], core: NDArray[np.bool_], window: int) -> NDArray[np.float64]:
    weight = core.astype(np.float64)
    total = cv2.blur(grey * weight, (window, window))
    return np.asarray(total / np.maximum(cv2.blur(weight, (window, window)), 1e-6))


def _roughness(mask: NDArray[np.uint8]) -> float:
    """RMS (px) of the liver's upper outline around its smooth course."""
    columns = np.flatnonzero(mask.any(axis=0))
    top = mask[:, columns].argmax(axis=0).astype(np.float64)
    if len(top) < 24:
        return 0.0
    rest = top - cv2.blur(top[None], (15, 1), borderType=cv2.BORDER_REFLECT)[0]
    return float(np.sqrt(np.median(rest[8:-8] ** 2)))

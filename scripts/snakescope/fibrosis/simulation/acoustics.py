"""From backscatter to a B-mode image: speckle, point-spread function, attenuation, grey scale."""

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from snakescope.fibrosis.simulation.anatomy import BEAMS, SAMPLES, Anatomy, Patient
from snakescope.fibrosis.simulation.devices import Device

FWHM = 2.355
BANDS = 8
"""Of depth; within one the lateral resolution is constant."""


def envelope_of(anatomy: Anatomy, device: Device, rng: np.random.Generator) -> NDArray[np.float32]:
    """Envelope of scatterers seen through the point-spread function; liver has RMS 1.

    Scatterers are complex Gaussian; the axial resolution is that of the pulse, the lateral one
    widens linearly away from the focus.
    """
    amplitude = np.sqrt(anatomy.variance / 2)
    sample_mm = device.depth_mm / SAMPLES
    sigma = device.axial_mm / sample_mm / FWHM
    parts = [
        _axial(amplitude * rng.standard_normal(amplitude.shape, dtype=np.float32), sigma)
        for _ in range(2)
    ]
    depth = np.linspace(0, device.depth_mm, SAMPLES)
    width_mm = device.lateral_mm * (1 + np.abs(depth - device.focus_mm) / 60)
    beam_mm = 2 * device.half_angle / BEAMS * (device.radius_mm + depth)
    power = np.zeros(amplitude.shape, np.float32)
    ends = np.linspace(0, SAMPLES, BANDS + 1).astype(int)
    for begin, end in pairwise(ends.tolist()):
        sigma = float((width_mm[begin:end] / beam_mm[begin:end]).mean()) / FWHM
        for part in parts:
            power[begin:end] += _lateral(part[begin:end], sigma) ** 2
    envelope = np.sqrt(power)
    level = np.sqrt((envelope[anatomy.liver] ** 2).mean()) if anatomy.liver.any() else 1.0
    return np.asarray(envelope / level, np.float32)


def _kernel(sigma: float) -> NDArray[np.float32]:
    radius = max(1, int(3 * sigma + 0.5))
    return np.asarray(cv2.getGaussianKernel(2 * radius + 1, sigma), np.float32)


def _axial(values: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    return np.asarray(
        cv2.sepFilter2D(values, -1, np.ones(1, np.float32), _kernel(sigma)), np.float32
    )


def _lateral(values: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    return np.asarray(
        cv2.sepFilter2D(values, -1, _kernel(sigma), np.ones(1, np.float32)), np.float32
    )


def displayed(
    envelope: NDArray[np.float32],
    anatomy: Anatomy,
    patient: Patient,
    device: Device,
    gain_db: float,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Grey values 0 to 1: attenuation less its compensation, shadows, noise, log compression.

    Attenuation is 0.50 dB/cm/MHz, to 0.75 in steatosis (Lu et al., Ultrasound Med. Biol. 25
    (1999) 1047-1054), each way.
    """
    depth_cm = anatomy.depth_mm.clip(0) / 10
    slope = 0.50 + 0.25 * patient.fat + rng.normal(0, 0.02)
    db = 20 * np.log10(envelope + 1e-6) - 2 * device.mhz * (slope - device.tgc_db) * depth_cm
    beams = np.linspace(-1, 1, BEAMS)[None]
    for _ in range(rng.poisson(0.8)):  # ribs and gas
        centre, width = rng.uniform(-1, 1), rng.uniform(0.02, 0.1)
        shadow = rng.uniform(5, 22) * np.exp(-(((beams - centre) / width) ** 2))
        db = db - shadow * (anatomy.depth_mm > rng.uniform(5, 40))
    floor = 10 ** (device.noise_db / 20) * np.abs(rng.standard_normal(db.shape))
    db = 20 * np.log10(10 ** (db / 20) + floor)
    grey = np.clip((db + gain_db) / device.range_db + 0.58, 0, 1) ** device.gamma
    return np.asarray(grey, np.float32)


def nakagami_m(
    envelope: NDArray[np.float32], liver: NDArray[np.bool_], rng: np.random.Generator
) -> float:
    """Median Nakagami parameter of windows of about 3 x 5 mm that lie inside the liver.

    Moment estimator E[I]^2 / Var[I] of the intensity I (Shankar 2000). NaN without a window.
    """
    height, width = 20, 5
    inside = cv2.erode(liver.astype(np.uint8), np.ones((height, width), np.uint8))
    rows, columns = np.nonzero(inside[height : SAMPLES - height, width : BEAMS - width])
    if not len(rows):
        return float("nan")
    found = []
    for at in rng.integers(0, len(rows), 300):
        y, x = rows[at] + height - height // 2, columns[at] + width - width // 2
        power = envelope[y : y + height, x : x + width].astype(np.float64) ** 2
        found.append(power.mean() ** 2 / power.var())
    return float(np.median(found))

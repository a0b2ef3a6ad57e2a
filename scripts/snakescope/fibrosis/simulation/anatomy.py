"""Backscatter of a simulated upper abdomen along the beams of a convex probe.

The fibrosis model is that of several Rayleigh components: normal parenchyma with stronger fibrous
septa between nodules (Igarashi et al., Jpn. J. Appl. Phys. 49 (2010) 07HF06). Its latent value f is
0 without fibrosis and 1 in cirrhosis.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from snakescope.fibrosis.simulation.devices import Device
from snakescope.fibrosis.simulation.settings import Preset

SAMPLES, BEAMS = 1024, 224
"""Of the polar grid; a sample is about 0.16 mm."""

Grid = NDArray[np.float32]


class Patient(NamedTuple):
    """What the images of a patient share.

    Attributes:
        f: latent fibrosis.
        fat: steatosis, 0 to 1.
        wall_mm: thickness of the abdominal wall.
        tilt: of the liver's surface (rad).
        scale, contrast: of the texture, factors that do not depend on the stage.
        coarse: factor of its coarseness.
        density: of scatterers; few of them look like septa to the Nakagami parameter.
    """

    f: float
    fat: float
    wall_mm: float
    tilt: float
    scale: float
    contrast: float
    coarse: float
    density: float


class Anatomy(NamedTuple):
    """Backscatter (variance, shape (SAMPLES, BEAMS)), and the liver without its vessels."""

    variance: Grid
    liver: NDArray[np.bool_]
    depth_mm: Grid


def draw_patient(stage: int, preset: Preset, rng: np.random.Generator) -> Patient:
    """Draw the patient of a stage (0 to 4)."""
    f = float(np.clip(stage / 4 + rng.normal(0, preset.latent_sd), 0, 1.2))
    fat = float(rng.beta(2, 2.5)) if rng.random() < preset.fat else float(rng.uniform(0, 0.08))
    spreads = (preset.texture_sd, preset.septa_sd, preset.texture_sd)
    scale, contrast, coarse = np.exp(rng.normal(0, spreads))
    return Patient(
        f, fat, float(rng.uniform(12, 26)), float(rng.normal(0, 0.1)),
        float(scale), float(contrast), float(coarse),
        float(np.exp(rng.normal(0, preset.density_sd))),
    )  # fmt: skip


def noise(rng: np.random.Generator, shape: tuple[int, int], sigma: tuple[float, float]) -> Grid:
    """Smooth Gaussian noise of mean 0 and standard deviation 1; sigma in samples and beams."""
    # Coarse noise is drawn on a coarse grid, which costs a hundredth.
    step = tuple(max(1, int(one / 2)) for one in sigma)
    small = (shape[0] // step[0] + 3, shape[1] // step[1] + 3)
    drawn = rng.standard_normal(small).astype(np.float32)
    smooth = cv2.GaussianBlur(drawn, (0, 0), sigmaX=sigma[1] / step[1], sigmaY=sigma[0] / step[0])
    grown = cv2.resize(smooth, (small[1] * step[1], small[0] * step[0]))[: shape[0], : shape[1]]
    return np.asarray((grown - grown.mean()) / grown.std(), dtype=np.float32)


def positions(device: Device) -> tuple[Grid, Grid]:
    """Lateral place and depth (mm) of every sample, depth from the middle of the probe."""
    r = device.radius_mm + np.linspace(0, device.depth_mm, SAMPLES)[:, None]
    angle = np.linspace(-device.half_angle, device.half_angle, BEAMS)[None]
    x, z = r * np.sin(angle), r * np.cos(angle) - device.radius_mm
    return x.astype(np.float32), z.astype(np.float32)


def septa_of(patient: Patient, x: Grid, z: Grid, rng: np.random.Generator) -> Grid:
    """Weight (0 to 1) of fibrous septa: edges of nodules that grow, and close, with f."""
    cell = (1.7 + 3.3 * patient.f) * patient.scale
    count = int(280 * 200 / cell**2)
    seeds = rng.uniform((-140, -20), (140, 180), (count, 2))
    few = np.c_[x[::2, ::2].ravel(), z[::2, ::2].ravel()]
    near, _ = cKDTree(seeds).query(few, k=2)
    gap = (near[:, 1] - near[:, 0]).reshape(SAMPLES // 2, BEAMS // 2).astype(np.float32)
    edge = np.exp(-((cv2.resize(gap, (BEAMS, SAMPLES)) / 0.6) ** 2))
    closed = noise(rng, (SAMPLES, BEAMS), (16, 6)) > 1.4 - 3.0 * min(patient.f, 0.5)
    return np.asarray(edge * cv2.GaussianBlur(closed.astype(np.float32), (5, 5), 0), np.float32)


def draw_anatomy(
    patient: Patient, preset: Preset, device: Device, shape_seed: int, rng: np.random.Generator
) -> Anatomy:
    """Draw one view of a patient.

    Args:
        shape_seed: of what all views of the patient have in common.
        rng: of what is the view's own.
    """
    own = np.random.default_rng(shape_seed)
    x, z = positions(device)
    rough = preset.roughness_mm * max(0.0, patient.f - 0.35) / 0.65 + 0.12
    line = noise(own, (1, 600), (1, 5))[0] * rough
    place = np.clip((x + 150) / 300 * 599, 0, 599).astype(np.intp)
    surface = patient.wall_mm + x * np.tan(patient.tilt + rng.normal(0, 0.04))
    surface = surface + 2.5 * np.sin(x / 40 + own.uniform(0, 6)) + line[place]
    below = (
        surface - 0.8 * line[place] + rng.uniform(78, 115) - 0.004 * (x - rng.uniform(-25, 25)) ** 2
    )
    below = below + x * rng.normal(0, 0.12)
    liver = (z > surface) & (z < below)
    vessels = _vessels(x, z, patient, rng) & liver
    septa = septa_of(patient, x, z, rng)
    # Septa gain contrast to the middle stages; then nodules grow, and septa lose their share: the
    # Nakagami parameter falls early and tells late stages badly, as published.
    late = 1 - 0.7 * float(np.clip((patient.f - 0.5) / 0.5, 0, 1))
    strength = preset.septa * min(1.0, patient.f / 0.4) * late
    strength *= patient.contrast * (1 - 0.5 * patient.fat)
    variance = np.full(x.shape, 0.02, np.float32)
    wall = z <= surface
    layers = 0.5 * (1 + 3.5 * np.sin(z * own.uniform(1.6, 2.1) + own.uniform(0, 6)) ** 8)
    variance[wall] = layers[wall]
    variance[liver] = 0.30 * (1 + 0.8 * patient.fat)
    variance *= np.where(liver, 1 + strength * septa, 1)
    spread = 0.08 + preset.coarseness * patient.f * patient.coarse
    size_mm = (2.6 + 0.6 * patient.f) * patient.scale
    size = (size_mm / (device.depth_mm / SAMPLES), size_mm / 0.95)
    texture = np.exp(noise(rng, x.shape, size) * spread)
    # Tissue that every liver has: bright walls of portal tracts, a little unevenness.
    common = np.exp(noise(rng, x.shape, (60, 18)) * 0.15)
    variance *= np.where(liver, texture * common, common)
    variance[liver] *= rng.gamma(patient.density, 1 / patient.density, int(liver.sum()))
    variance[vessels] = 0.003
    grown = cv2.dilate(vessels.astype(np.uint8), np.ones((9, 3), np.uint8)).astype(bool)
    variance[grown & ~vessels & liver] *= 3
    variance += 7 * np.exp(-(((z - surface) / 0.5) ** 2)) + 9 * np.exp(-(((z - below) / 0.9) ** 2))
    deep = z >= below
    variance[deep] *= 6 * rng.uniform(0.3, 1.5) * np.exp(noise(rng, x.shape, (40, 8)))[deep]
    _other_organs(variance, liver, x, z, rng)
    return Anatomy(variance.astype(np.float32), liver & ~vessels, z)


def _vessels(x: Grid, z: Grid, patient: Patient, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Ellipses of hepatic and portal veins, narrower in cirrhosis."""
    found = np.zeros(x.shape, bool)
    narrow = 1 - 0.25 * min(1.0, patient.f)
    for _ in range(rng.integers(3, 9)):
        at_x, at_z = rng.uniform(-60, 60), rng.uniform(35, 110)
        short, long = rng.uniform(1.5, 5) * narrow, rng.uniform(4, 18)
        turn = rng.uniform(0, np.pi)
        u = (x - at_x) * np.cos(turn) + (z - at_z) * np.sin(turn)
        v = -(x - at_x) * np.sin(turn) + (z - at_z) * np.cos(turn)
        found |= (u / short) ** 2 + (v / long) ** 2 < 1
    return found


def _other_organs(
    variance: Grid, liver: NDArray[np.bool_], x: Grid, z: Grid, rng: np.random.Generator
) -> None:
    """Draw, in some views, a kidney or a gallbladder; both leave the liver."""
    if rng.random() < 0.35:  # kidney: darker cortex, bright sinus
        at_x, at_z, turn = rng.uniform(-50, 50), rng.uniform(85, 120), rng.normal(0, 0.4)
        u = (x - at_x) * np.cos(turn) + (z - at_z) * np.sin(turn)
        v = -(x - at_x) * np.sin(turn) + (z - at_z) * np.cos(turn)
        distance = np.hypot(u / 48, v / 23)
        inside = distance < 1
        variance[inside] = 0.16
        variance[distance < 0.45] = 0.8
        variance += 4 * np.exp(-(((distance - 1) * 23 / 0.8) ** 2))
        liver &= distance > 1.03
    if rng.random() < 0.3:  # gallbladder: without echoes, bright behind
        at_x, at_z = rng.uniform(-40, 40), rng.uniform(55, 85)
        distance = np.hypot((x - at_x) / rng.uniform(9, 14), (z - at_z) / rng.uniform(14, 22))
        variance[distance < 1] = 0.002
        variance += 3 * np.exp(-(((distance - 1) * 14 / 0.7) ** 2))
        liver &= distance > 1.06

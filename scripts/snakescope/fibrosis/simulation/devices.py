"""Simulated convex probes: geometry of the sector, resolution, grey scale, look of the frame."""

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray


class Device(NamedTuple):
    """A convex probe and its scanner.

    Attributes:
        height, width: of the frame (px).
        radius_mm: of the probe.
        half_angle_deg: of the sector.
        depth_mm: of the image, from the probe's surface.
        axial_mm, lateral_mm: full width at half maximum of the point-spread function, lateral at
            the focus.
        focus_mm: depth of the focus.
        mhz: frequency.
        tgc_db: compensation of attenuation (dB/cm/MHz, one way).
        noise_db: electronic noise, relative to liver at the probe.
        range_db: dynamic range of the display.
        gamma: of the grey scale.
        top: of the sector in the frame (share of its height).
        fill: height of the sector (share of that of the frame).
    """

    height: int
    width: int
    radius_mm: float
    half_angle_deg: float
    depth_mm: float
    axial_mm: float
    lateral_mm: float
    focus_mm: float
    mhz: float
    tgc_db: float
    noise_db: float
    range_db: float
    gamma: float
    top: float
    fill: float

    @property
    def half_angle(self) -> float:
        """Half angle of the sector (rad)."""
        return math.radians(self.half_angle_deg)

    @property
    def mm_per_px(self) -> float:
        """Size of a pixel of the frame."""
        height = self.radius_mm * (1 - math.cos(self.half_angle)) + self.depth_mm
        return height / (self.fill * self.height)

    @property
    def apex_yx(self) -> tuple[float, float]:
        """Centre of the probe's curvature in the frame (px)."""
        start = self.radius_mm * math.cos(self.half_angle) / self.mm_per_px
        return self.top * self.height - start, self.width / 2


DEVICES = {
    "convex_a": Device(
        600, 800, 60, 30, 160, 0.55, 1.4, 60, 3.0, 0.58, -32, 62, 1.0, 0.06, 0.86,
    ),
    "convex_b": Device(
        576, 768, 50, 33, 155, 0.60, 1.5, 70, 3.2, 0.60, -30, 66, 0.92, 0.09, 0.82,
    ),
    "convex_c": Device(
        480, 640, 60, 28, 165, 0.65, 1.3, 70, 2.8, 0.56, -30, 60, 1.0, 0.05, 0.88,
    ),
}  # fmt: skip


def scan_convert(
    device: Device, polar: NDArray[np.uint8], nearest: bool = False
) -> NDArray[np.uint8]:
    """Bring samples along beams into the frame; zero outside the sector.

    Args:
        polar: shape (samples, beams), from the probe's surface to the depth, left to right.
        nearest: do not interpolate, for masks.
    """
    samples, beams = polar.shape
    y, x = np.mgrid[0 : device.height, 0 : device.width].astype(np.float32)
    apex_y, apex_x = device.apex_yx
    z, across = (y - apex_y) * device.mm_per_px, (x - apex_x) * device.mm_per_px
    sample = (np.hypot(across, z) - device.radius_mm) / device.depth_mm * (samples - 1)
    beam = (np.arctan2(across, z) / device.half_angle + 1) / 2 * (beams - 1)
    outside = (sample < 0) | (sample > samples - 1) | (beam < 0) | (beam > beams - 1)
    how = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
    found = cv2.remap(
        polar, beam.astype(np.float32), sample.astype(np.float32), how,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    found[outside] = 0
    return np.asarray(found, np.uint8)


def burn_in(
    device: Device, frame: NDArray[np.uint8], patient: str, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Draw what scanners draw: names, a grey bar, a depth scale, sometimes callipers.

    Args:
        frame: shape (Y, X), changed in place.
    """
    height, width = frame.shape
    font, size = cv2.FONT_HERSHEY_SIMPLEX, height / 1300
    lines = [f"NAME {patient}^SIMULATED", f"{rng.integers(10, 29)}/0{rng.integers(1, 9)}/2019"]
    for at, text in enumerate(lines):
        place = (int(0.015 * width), int((0.045 + 0.035 * at) * height))
        cv2.putText(frame, text, place, font, size, 210, 1, cv2.LINE_AA)
    place = (int(0.78 * width), int(0.045 * height))
    cv2.putText(frame, f"{device.mhz} MHz", place, font, size, 190, 1, cv2.LINE_AA)
    cv2.putText(frame, "ABDOMEN", (place[0], int(0.08 * height)), font, size, 190, 1, cv2.LINE_AA)
    bar = np.linspace(255, 0, int(0.28 * height)).astype(np.uint8)
    frame[int(0.12 * height) : int(0.12 * height) + len(bar), -24:-14] = bar[:, None]
    px_per_cm = 10 / device.mm_per_px
    for tick in range(int(device.depth_mm / 10) + 1):
        y = int(device.top * height + tick * px_per_cm)
        if y < height:
            frame[y, -10 : -10 + (8 if tick % 5 == 0 else 4)] = 200
    if rng.random() < 0.25:
        y0, x0 = int(rng.uniform(0.4, 0.7) * height), int(rng.uniform(0.4, 0.6) * width)
        for y, x in ((y0, x0), (y0 + int(rng.integers(25, 60)), x0 + int(rng.integers(-30, 30)))):
            cv2.drawMarker(frame, (x, y), 255, cv2.MARKER_CROSS, 9, 1)
    return frame

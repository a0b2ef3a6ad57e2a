"""Simulated views beside few drawn scans, so that a network does not learn these by heart."""

from functools import cache

import numpy as np

from snakescope.fibrosis.scans.settings import SIDE_PX
from snakescope.fibrosis.simulation.cohort import cohort
from snakescope.fibrosis.simulation.devices import DEVICES, Device
from snakescope.fibrosis.simulation.settings import STAGES, SimulateSettings
from snakescope.fibrosis.simulation.simulate import simulate
from snakescope.fibrosis.training.examples import Examples
from snakescope.imaging.sector import Sector, cropped
from snakescope.step.progress import progress


def sector_of(device: Device) -> Sector:
    """Where a simulated device shows its sector (px)."""
    y, x = device.apex_yx
    near, far = device.radius_mm, device.radius_mm + device.depth_mm
    return Sector(
        y, x, near / device.mm_per_px, far / device.mm_per_px, -device.half_angle, device.half_angle
    )


@cache
def simulated_views(count: int, seed: int) -> Examples:
    """At least ``count`` scans of the preset ``views``; their stages mean nothing (-1)."""
    of_stage = -(-count // len(STAGES))
    settings = SimulateSettings(
        set="beside",
        preset="views",
        seed=seed,
        images=(of_stage,) * 5,
        patients=of_stage * len(STAGES),
    )
    planned, images, masks = cohort(settings), [], []
    for one in progress(planned, "simulated views"):
        scan, sector = simulate(one, settings), sector_of(DEVICES[one.device])
        images.append(cropped(scan.image, sector, SIDE_PX))
        masks.append(cropped(scan.mask, sector, SIDE_PX, nearest=True))
    names = tuple(one.scan for one in planned)
    return Examples(names, tuple(images), tuple(masks), np.full(len(names), -1), names)

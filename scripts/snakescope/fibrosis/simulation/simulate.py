"""Simulate the B-mode scans of a set: images as scanners export them, liver masks, the truth."""

import argparse
import json
import zlib
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.fibrosis.simulation.acoustics import displayed, envelope_of, nakagami_m
from snakescope.fibrosis.simulation.anatomy import Patient, draw_anatomy, draw_patient
from snakescope.fibrosis.simulation.cohort import Planned, cohort
from snakescope.fibrosis.simulation.devices import DEVICES, burn_in, scan_convert
from snakescope.fibrosis.simulation.settings import PRESETS, STAGES, SimulateSettings
from snakescope.fibrosis.simulation.views import draw_view, shown, varied
from snakescope.step.output import atomic_write
from snakescope.step.progress import progress
from snakescope.step.tables import write_table

JPEG_QUALITY = 92


class Scan(NamedTuple):
    """A simulated scan.

    Attributes:
        image: uint8, shape (Y, X), with burned-in text.
        mask: uint8, 255 where the liver is.
        patient: what was drawn of the patient.
        nakagami: median Nakagami parameter in the liver, of the envelope before compression; NaN of
            views.
    """

    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    patient: Patient
    nakagami: float


def simulate(planned: Planned, settings: SimulateSettings) -> Scan:
    """Simulate one scan; equal settings give equal pixels."""
    preset, device = PRESETS[settings.preset], DEVICES[planned.device]
    own = zlib.crc32(f"{settings.set} {settings.seed} {planned.patient}".encode())
    patient = draw_patient(planned.stage, preset, np.random.default_rng(own))
    rng = np.random.default_rng([own, planned.number])
    if preset.any_view:
        device = varied(device, rng)
        view = draw_view(patient, preset, device, rng)
        grey, liver, envelope = shown(view, device, rng), view.liver, None
    else:
        anatomy = draw_anatomy(patient, preset, device, own, rng)
        envelope, liver = envelope_of(anatomy, device, rng), anatomy.liver
        gain = float(rng.normal(0, preset.gain_sd_db))
        grey = displayed(envelope, anatomy, patient, device, gain, rng)
    image = scan_convert(device, np.round(grey * 255).astype(np.uint8))
    mask = scan_convert(device, liver.astype(np.uint8) * 255, nearest=True)
    return Scan(
        burn_in(device, image.astype(np.uint8), planned.patient, rng),
        mask.astype(np.uint8),
        patient,
        # Of scans through a scanner of unknown settings it says nothing.
        float("nan") if envelope is None else nakagami_m(envelope, liver, rng),
    )


def write_scan(planned: Planned, settings: SimulateSettings, folder: Path) -> dict[str, Any]:
    """Simulate a scan, write its image and mask, and return its row of the truth."""
    scan = simulate(planned, settings)
    quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if planned.image.endswith("jpg") else []
    for name, pixels, options in (
        (planned.image, scan.image, quality),
        (planned.mask, scan.mask, []),
    ):
        with atomic_write(folder / name) as path:
            cv2.imwrite(str(path), pixels, options)
    return {
        "scan": planned.scan,
        "patient": planned.patient,
        "stage": STAGES[planned.stage],
        "f": round(scan.patient.f, 6),
        "fat": round(scan.patient.fat, 6),
        "nakagami_m": round(scan.nakagami, 6),
        "device": planned.device,
    }


def sheet(settings: SimulateSettings, folder: str) -> pd.DataFrame:
    """The sample sheet of a set whose images lie in ``folder``."""
    return pd.DataFrame(
        {
            "scan": one.scan,
            "patient": one.patient,
            "image": f"{folder}/{one.image}",
            "mask": f"{folder}/{one.mask}",
            "stage": STAGES[one.stage],
            "device": one.device,
        }
        for one in cohort(settings)
    )


def simulate_set(settings: SimulateSettings, folder: Path, processes: int = 1) -> pd.DataFrame:
    """Simulate all scans of a set; return their truth, see :func:`write_scan`."""
    folder.mkdir(parents=True, exist_ok=True)
    planned = cohort(settings)
    one = partial(write_scan, settings=settings, folder=folder)
    if processes < 2:
        return pd.DataFrame(one(scan) for scan in progress(planned, "scans"))
    with ProcessPoolExecutor(processes) as pool:
        return pd.DataFrame(progress(list(pool.map(one, planned)), "scans"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--settings", required=True, help="settings as JSON")
    parser.add_argument("--threads", type=int, default=1, help="processes that simulate")
    parser.add_argument("--folder", required=True, type=Path, help="of the images to write")
    parser.add_argument("--sheet", required=True, type=Path, help="sample sheet to write")
    parser.add_argument("--truth", required=True, type=Path, help="table of the truth to write")
    parser.add_argument("--oracle", required=True, type=Path, help="best possible scores to write")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    from snakescope.fibrosis.simulation.oracle import oracle_table

    settings = SimulateSettings.model_validate_json(arguments.settings)
    truth = simulate_set(settings, arguments.folder, arguments.threads)
    oracle = oracle_table(truth, PRESETS[settings.preset].latent_sd, settings.seed)
    print(json.dumps(dict(zip(oracle["metric"], oracle["value"].round(3), strict=True))))
    write_table(arguments.oracle, oracle)
    write_table(arguments.truth, truth)
    table = sheet(settings, str(arguments.folder))
    # Nobody draws an outline where no liver is, and an empty one is refused as a mistake.
    masks = (cv2.imread(path, cv2.IMREAD_GRAYSCALE) for path in table["mask"])
    cells = zip(table["mask"], masks, strict=True)
    table["mask"] = [path if np.any(mask) else "" for path, mask in cells]
    write_table(arguments.sheet, table)

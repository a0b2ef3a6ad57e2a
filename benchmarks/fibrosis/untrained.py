"""What needs no training: sectors of real frames, DICOM, the audit of a trap and of planted copies.

Each function gives rows of the evaluation's table: set, method, metric, value, low, high, n.
"""

import io
import math
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pydicom
from PIL import Image
from pydicom.pixels import pixel_array
from scipy import stats

from benchmarks import ROOT
from snakescope.fibrosis.scans.ingest import ingest_all
from snakescope.fibrosis.scans.read import read_raw
from snakescope.fibrosis.scans.settings import IngestSettings
from snakescope.fibrosis.scans.sheet import Scan
from snakescope.imaging.dicom import read_ultrasound
from snakescope.imaging.sector import fit_sector, maximum_of
from snakescope.learning.audit.accept import with_states
from snakescope.learning.audit.audit import audit, read_origins, summary_table
from snakescope.learning.intervals import bootstrap_interval, wilson_interval
from snakescope.learning.settings import AuditSettings
from snakescope.step.errors import StepError

Row = tuple[str, str, str, float, float, float, int]
NAN = float("nan")
DATA = Path(os.environ.get("SNAKESCOPE_DATA", str(ROOT / "../shared/data"))) / "liver"
ORIGINS = ROOT / "resources/known_origins/ultrasound.tsv"
SIDES_BY_HAND = (-27.5, 28.3)
"""Of the probe of abdominal_us (degrees), read off the corners of three subjects' frames by eye."""

SUBJECTS = "acdefgi"
WITHIN_DEG = 2.0
COPIES = 30


def share(set_: str, method: str, metric: str, hits: int, n: int) -> Row:
    """A row of a share with its Wilson interval."""
    return (set_, method, metric, hits / max(1, n), *wilson_interval(hits, n), n)


def sectors(folder: Path = DATA / "abdominal_us/images") -> Iterator[Row]:
    """Angles of the sides against those read by eye, frame by frame."""
    by_device, alone, n = 0, 0, 0
    for subject in SUBJECTS:
        frames = [read_raw(str(path)).grey for path in sorted(folder.glob(f"{subject}[0-9]*.jpg"))]
        shared = fit_sector(maximum_of(frames), subject)
        for frame in frames:
            n += 1
            by_device += _close(shared.left, shared.right)
            try:
                one = fit_sector(frame)
                alone += _close(one.left, one.right)
            except StepError:
                pass
    yield share("sector", "maximum_of_device", "within_2_degrees", by_device, n)
    yield share("sector", "single_frame", "within_2_degrees", alone, n)


def _close(left: float, right: float) -> bool:
    found = (math.degrees(left), math.degrees(right))
    return all(abs(a - b) <= WITHIN_DEG for a, b in zip(found, SIDES_BY_HAND, strict=True))


def dicom() -> Iterator[Row]:
    """The four ultrasound files of pydicom: colours, regions, Doppler, letters."""
    folder = Path(pydicom.__file__).parent / "data/test_files"
    files = {name: folder / f"examples_{name}.dcm"
             for name in ("jpeg2k", "palette", "rgb_color", "ybr_color")}  # fmt: skip
    rgb = {name: read_ultrasound(path) for name, path in files.items()}
    right = 0
    # One picture in two encodings: the smaller one is plain RGB, which cannot be read wrongly.
    plain = np.asarray(pixel_array(files["rgb_color"]))
    small = cv2.resize(rgb["jpeg2k"].frames[0], plain.shape[1::-1], interpolation=cv2.INTER_AREA)
    right += int(np.abs(small.astype(int) - plain).mean() < 12)
    right += int(np.array_equal(rgb["rgb_color"].frames[0], plain))
    header = rgb["palette"].frames[0][3:40, 300:700].reshape(-1, 3).mean(axis=0)
    right += int(header[2] > header[0] + 40)  # the blue bar of a Philips screen
    right += int(np.ptp(rgb["ybr_color"].frames.astype(int), axis=3).mean() < 6)  # grey tissue
    yield share("dicom", "reader", "right_colours", right, 4)
    wrong = sum(len(one.refused) > 0 and not one.regions for one in rgb.values())
    yield share("dicom", "reader", "wrong_regions_refused", wrong, 2)
    with tempfile.TemporaryDirectory() as temporary:
        rows = [Scan(scan=name, image=str(path), patient=name) for name, path in files.items()]
        settings = IngestSettings(salt=f"{temporary}/salt")
        table, refused, _ = ingest_all(rows, settings, Path(temporary), 3)
        doppler = sum(refused["scan"].isin(["jpeg2k", "rgb_color"]))
        yield share("dicom", "reader", "doppler_refused", int(doppler), 2)
        left = 0
        for row in table.to_dict("records"):
            image = cv2.imread(row["path"], cv2.IMREAD_GRAYSCALE)
            # All letters of these screens lie outside the sector: one region is left, no more.
            count, *_ = cv2.connectedComponents((image > 0).astype(np.uint8))
            left += count - 2
            text = "".join(str(value) for value in row.values())
            left += sum(name in text for name in ("BAPTIST", "Healthcare"))
        yield ("dicom", "reader", "letters_left", float(left), NAN, NAN, len(table))


def trap(folder: Path = DATA / "us_fibrosis") -> Iterator[Row]:
    """The public set "F0 to F4", which has no stage."""
    index = pd.read_csv(folder / "index.csv")
    rows = [Scan(scan=Path(file).stem, image=str(folder / file), stage=stage)
            for file, stage in zip(index["file"], index["stage"], strict=True)]  # fmt: skip
    settings = AuditSettings(known_origins=str(ORIGINS))
    origins = read_origins(ORIGINS)
    with tempfile.TemporaryDirectory() as temporary:
        ingest = IngestSettings(salt=f"{temporary}/salt")
        five, _, _ = ingest_all(rows, ingest, Path(temporary), 5)
        items = five.drop(columns=["set", "flags"])
        stages = audit(items, settings, origins)
        three = items.assign(**{"class": items["truth"].map(
            {"F0": "F0-F1", "F1": "F0-F1", "F2": "F2-F3", "F3": "F2-F3", "F4": "F4"})})  # fmt: skip
        classes = audit(three, settings, origins)
    states = with_states(summary_table(classes.findings), {})
    stops = int((states["state"] == "stops").sum())
    n = len(items)
    yield ("trap", "audit", "codes_that_stop", float(stops), NAN, NAN, n)
    format_ = next(one for one in stages.associations if one.field == "file_format")
    yield ("trap", "audit", "cramers_v", format_.value, NAN, NAN, n)
    found = classes.classifier
    assert found is not None
    yield ("trap", "audit", "metadata_only", found.accuracy, found.low, found.high, n)
    yield ("trap", "majority", "metadata_only", found.majority, NAN, NAN, n)
    known = sum(one.code == "known_origin" for one in classes.findings)
    yield share("trap", "audit", "known_origin", known, len(rows))


def planted(folder: Path = DATA / "abdominal_us/images") -> Iterator[Row]:
    """Re-encoded, shifted copies of real frames under the names of other patients."""
    rng = np.random.default_rng(1)
    files = sorted(folder.glob("*.jpg"))
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        rows = [
            Scan(scan=path.stem, image=str(path), patient=path.stem[0], stage="F0")
            for path in files
        ]
        for number, at in enumerate(rng.choice(len(files), COPIES, replace=False)):
            copy = root / f"copy{number}.jpg"
            copy.write_bytes(_edited(files[at], rng))
            rows.append(Scan(scan=f"copy{number}_of_{files[at].stem}", image=str(copy),
                             patient=f"new{number}", stage="F4"))  # fmt: skip
        settings = IngestSettings(salt=f"{temporary}/salt")
        table, _, _ = ingest_all(rows, settings, root, 3)
        subject = {row.name: row.patient for row in rows}
        findings = audit(table.drop(columns=["set", "flags"]), AuditSettings()).findings
    pairs = [one.items.split("; ") for one in findings
             if one.code in ("similar_across_groups", "same_across_groups")]  # fmt: skip
    copies = {name for one in pairs for name in one if name.startswith("copy")
              and name.rpartition("_")[2] in one}  # fmt: skip
    false = sum(
        len({subject[name] for name in one if not name.startswith("copy")}) > 1 for one in pairs
    )
    yield share("planted", "audit", "duplicates_found", len(copies), COPIES)
    yield ("planted", "audit", "false_pairs", float(false), NAN, NAN, len(files))


def _edited(path: Path, rng: np.random.Generator) -> bytes:
    """A copy as it comes back from slides: shifted up to 2 %, another gamma and quality."""
    with Image.open(path) as image:
        grey = np.asarray(image.convert("L"))
    dy, dx = (int(rng.integers(-s // 50, s // 50 + 1)) for s in grey.shape)
    shifted = cv2.warpAffine(grey, np.float32([[1, 0, dx], [0, 1, dy]]), grey.shape[::-1])
    gamma = rng.uniform(0.8, 1.25)
    changed = (255 * (shifted / 255.0) ** gamma).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(changed).save(file, "JPEG", quality=int(rng.integers(40, 85)))
    return file.getvalue()


def coverage(sets: int = 200, resamples: int = 400) -> Iterator[Row]:
    """How often the bootstrap of patients covers the true AUC of simulated patient scores.

    78 patients of 1 to 3 scans; scores of a patient's scans share a part of their noise.
    """
    rng = np.random.default_rng(7)
    apart, hits = 1.45, 0
    true = float(stats.norm.cdf(apart / math.sqrt(2)))
    for seed in range(sets):
        patients = np.arange(78)
        stage = rng.permutation(np.r_[np.zeros(26, int), np.ones(52, int)])
        group = np.repeat(patients, rng.integers(1, 4, 78))
        shared = rng.normal(size=78)[group]
        score = apart * stage[group] + math.sqrt(0.6) * shared
        score = score + math.sqrt(0.4) * rng.normal(size=len(group))
        positive = stage[group] == 1

        def area(rows: np.ndarray, p: np.ndarray = positive, s: np.ndarray = score) -> float:
            ranks, yes = stats.rankdata(s[rows]), p[rows]
            m, k = yes.sum(), (~yes).sum()
            return float((ranks[yes].sum() - m * (m + 1) / 2) / (m * k)) if m and k else NAN

        found = bootstrap_interval(area, group, seed, resamples)
        hits += found.low <= true <= found.high
    yield share("simulated_literature", "bootstrap_by_patient", "coverage", hits, sets)

"""Plates that were tracked and reviewed, without images: what the classifier learns from."""

from pathlib import Path

import numpy as np
import pandas as pd
import tifffile

from benchmarks.healthspan.drawn_tracks import simulated_plate
from snakescope.healthspan.review.corrected import digest_of_tracks
from snakescope.healthspan.review.corrections import as_text
from snakescope.healthspan.states.composite import COLUMNS
from snakescope.healthspan.tracking.settings import TrackSettings
from snakescope.healthspan.tracking.track import track_plate
from snakescope.step.tables import write_table
from tests.healthspan.review.lines import line

WORMS, FRAMES = 8, 10
BLOCK = f"t000-t{FRAMES - 1:03d}"


def write_raw(folder: Path) -> None:
    """Names of raw frames, 12 h apart; nothing opens them."""
    folder.mkdir(parents=True)
    for timepoint in range(FRAMES):
        days, hours = divmod(12 * timepoint, 24)
        (folder / f"Phase_A1_1_{days:02d}d{hours:02d}h00m.tif").write_bytes(b"x")


def write_reviewed(root: Path, plate: str, seed: int) -> None:
    """Write tables and composites of a plate, and a review of all its worms.

    Composites of dead worms are full, those of others have fewer pixels.
    """
    results = root / "results/healthspan" / plate
    (results / "composites").mkdir(parents=True)
    states, frames, _ = simulated_plate(seed, worms=WORMS, frames=FRAMES, scale_d=3.0, debris=0)
    found = track_plate(states, frames, 1.0, WORMS, TrackSettings())
    own = found.tracks
    rng = np.random.default_rng(seed)
    share = own["consistent_state"].map({"healthy": 0.1, "immobile": 0.2, "dead": 0.4})
    stack = rng.random((len(own), 128, 128, 3)) < share.to_numpy(float)[:, None, None, None]
    path = results / f"composites/{BLOCK}.tif"
    tifffile.imwrite(path, stack.astype(np.uint8) * 255, photometric="rgb", compression="zlib")
    index = pd.DataFrame(dict.fromkeys(COLUMNS, 0), index=range(len(own)))
    index = index.assign(instance=own["instance"].to_numpy(), before=1, after=1, second_look="")
    write_table(path.with_suffix(".tsv"), index.astype({"before": "Int64", "after": "Int64"}))
    # Composites are older than what was made of them.
    for name in ("tracks", "individuals", "counts"):
        write_table(results / f"{name}.tsv", getattr(found, name))
    digest = digest_of_tracks(str(results / "tracks.tsv"))
    tracks = found.individuals["track"].dropna().astype(int).tolist()
    lines = []
    for number, track in enumerate(tracks, start=1):
        first = own[own["track"] == track].iloc[0]
        place = {"timepoint": int(first["timepoint"]), "y_px": float(first["y_px"])}
        place |= {"x_px": float(first["x_px"]), "plate": plate, "digest": digest, "track": track}
        lines.append(line(number, "dead" if number == 1 else "checked", **place))
    (root / "corrections").mkdir(exist_ok=True)
    (root / "corrections" / f"{plate}.anna.tsv").write_text(as_text(lines))

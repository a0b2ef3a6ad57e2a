from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

from snakescope.healthspan.detection.channel_overlay import overlay
from snakescope.healthspan.registration.motion import Motion, transform_points
from snakescope.healthspan.simulation.settings import SimulateSettings
from snakescope.healthspan.simulation.simulate import file_name, is_simulated, simulate_plate
from snakescope.imaging.masks import read_masks
from snakescope.step.errors import StepError
from snakescope.step.tables import read_table

SETTINGS = SimulateSettings(
    frame_px=400,
    timepoints=4,
    worms=3,
    interval_h=24,
    lifespan_scale_d=2.5,
    missing_share=0.0,
    fogged_share=0.0,
)


@pytest.fixture(scope="module")
def plate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated")
    simulate_plate(SETTINGS, "A1", 11, folder)
    return folder / "A1"


def test_a_seed_gives_the_same_bytes(plate: Path, tmp_path: Path) -> None:
    simulate_plate(SETTINGS, "A1", 11, tmp_path)
    for path in sorted(plate.rglob("*.*")):
        assert path.read_bytes() == (tmp_path / "A1" / path.relative_to(plate)).read_bytes()


def test_every_frame_has_both_channels_named_as_an_instrument_does(plate: Path) -> None:
    names = sorted(path.name for path in (plate / "raw").iterdir())
    assert len(names) == 8
    assert names[0] == "VID1_Green_A1_1_00d00h00m.tif"
    assert file_name("A1", "bright_field", 60.5) == "VID1_Phase_A1_1_02d12h30m.tif"


def test_masks_lie_on_the_worms_of_the_reference_frame(plate: Path) -> None:
    raw = tifffile.imread(plate / "raw" / file_name("A1", "dark_field", 0))
    picture = overlay({"dark_field": raw})
    for one in read_masks(plate / "truth" / "masks.json").at(0):
        inside = picture[one.top : one.bottom, one.left : one.right][one.mask]
        assert inside.mean() > np.median(picture) + 40


def test_the_stated_motion_carries_worms_into_later_frames(plate: Path) -> None:
    motions = read_table(plate / "truth" / "frames.tsv")
    assert motions.loc[0, ["shift_y_px", "shift_x_px", "rotation_deg"]].abs().max() < 1e-6
    row = motions.iloc[2]
    motion = Motion(row["shift_y_px"], row["shift_x_px"], row["rotation_deg"])
    raw = tifffile.imread(plate / "raw" / file_name("A1", "dark_field", row["time_h"]))
    picture = overlay({"dark_field": raw})
    for one in read_masks(plate / "truth" / "masks.json").at(2):
        rows, columns = np.nonzero(one.mask)
        points = np.stack([columns + one.left, rows + one.top], axis=1).astype(float)
        there = np.rint(transform_points(motion.matrix(400, 400), points)).astype(int)
        seen = ((there >= 0) & (there < 400)).all(axis=1)
        if seen.sum() > 100:
            assert picture[there[seen, 1], there[seen, 0]].mean() > np.median(picture) + 40


def test_states_follow_the_lives(plate: Path) -> None:
    worms = read_table(plate / "truth" / "worms.tsv").set_index("worm")
    states = read_table(plate / "truth" / "states.tsv")
    assert len(states) == 12
    for row in states.itertuples():
        day = SETTINGS.age_at_first_frame_d + row.timepoint
        life = worms.loc[row.worm]
        expected = "healthy" if day < life.healthspan_end_d else "immobile"
        assert row.state == ("dead" if day >= life.death_d else expected)


def test_another_simulation_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    sparse = SETTINGS.model_copy(update={"worms": 1, "timepoints": 3})
    dense = sparse.model_copy(update={"interval_h": 12})
    simulate_plate(dense, "B2", 3, tmp_path)
    assert is_simulated(tmp_path / "B2", dense, 3)
    assert not is_simulated(tmp_path / "B2", dense, 4)
    assert not is_simulated(tmp_path / "B2", sparse, 3)
    # Snakemake removes the outputs of a rule before it runs again.
    for path in [*(tmp_path / "B2/truth").glob("*.tsv"), tmp_path / "B2/truth/masks.json"]:
        path.unlink()
    assert not is_simulated(tmp_path / "B2", dense, 3)
    (tmp_path / "B2/raw/notes.txt").write_text("a user's own")
    simulate_plate(sparse, "B2", 3, tmp_path)
    names = {path.name for path in (tmp_path / "B2/raw").iterdir()}
    frames = {f"VID1_{c}_A1_1_0{d}d00h00m.tif" for c in ("Green", "Phase") for d in range(3)}
    assert names == frames | {"notes.txt"}
    assert is_simulated(tmp_path / "B2", sparse, 3)


def test_images_that_no_simulation_wrote_are_neither_removed_nor_mixed_with(tmp_path: Path) -> None:
    own = tmp_path / "B2/raw/VID1_Phase_A1_1_77d00h00m.tif"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"own")
    with pytest.raises(StepError, match=f"raw: expected images of this .* such as {own.name}; rem"):
        simulate_plate(SETTINGS, "B2", 3, tmp_path)
    assert own.read_bytes() == b"own"
    assert [path.name for path in own.parent.iterdir()] == [own.name]


def test_missing_frames_have_no_image(tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"missing_share": 0.45, "timepoints": 8, "worms": 1})
    simulate_plate(settings, "B2", 3, tmp_path)
    frames: pd.DataFrame = read_table(tmp_path / "B2" / "truth" / "frames.tsv")
    assert 0 < frames["missing"].sum() < 8
    assert len(list((tmp_path / "B2" / "raw").iterdir())) == 2 * (8 - frames["missing"].sum())

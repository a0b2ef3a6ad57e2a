"""New timepoints arrive twice a day: every day's run does that day's blocks and no others."""

import re
from pathlib import Path

from tests.healthspan.clone import Workspace

BLOCK = re.compile(r"t\d{3}-t\d{3}")
FROM_IMAGES = ("registered", "masks")
"""What is made of the raw images of one block; composites need the blocks beside it, too."""


def blocks(paths: set[str], *folders: str) -> set[str]:
    """The blocks of paths such as a/masks/t000-t002.json, of all folders or of some."""
    found = (path for path in paths if not folders or Path(path).parent.name in folders)
    return {name for path in found for name in BLOCK.findall(path)}


def test_each_day_does_only_its_own_blocks_tables_and_curves(done: Workspace) -> None:
    days = ((9, {"t006-t008"}, "t003-t005"), (11, {"t009-t011"}, "t006-t008"))
    for timepoints, own, before in days:
        done.raw("a", timepoints)
        ran = done.run()
        assert blocks(ran, *FROM_IMAGES) == own
        assert blocks(ran) == own | {before}
        assert {"a/tracks.tsv", "a/curves.tsv", "experiments/one/survival.tsv"} <= ran
        assert {path.split("/")[0] for path in ran} <= {"a", "experiments", "plates.tsv"}
        assert "a/reference.ome.tif" not in ran
    assert done.plan() == set()


def test_registered_frames_need_not_be_kept(workspace: Workspace) -> None:
    workspace.config("keep_registered: false\n")
    target = ("results/healthspan/a/quality.html",)
    assert "a/contact_sheet.png" in workspace.run(*target)
    assert not list(workspace.root.glob("results/healthspan/a/registered/*.ome.tif"))
    assert list(workspace.root.glob("results/healthspan/a/registered/*.tsv"))
    assert not {path for path in workspace.plan(*target) if path.startswith("a/")}
    # What is said of a new timepoint: every block is registered and searched for worms again.
    workspace.raw("a", 8)
    planned = workspace.plan(*target)
    for folder in FROM_IMAGES:
        assert blocks(planned, folder) == {"t000-t002", "t003-t005", "t006-t008"}

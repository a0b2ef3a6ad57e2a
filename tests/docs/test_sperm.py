"""The first commands of the page on sperm do what it says."""

import re
import subprocess
from pathlib import Path

from snakescope import REPOSITORY
from snakescope.sperm.settings import SpermSettings
from snakescope.sperm.tree import Sperm

PAGE = (REPOSITORY / "docs/trees/sperm.md").read_text(encoding="utf-8")


def test_the_command_of_the_page_lists_the_videos_of_a_folder(tmp_path: Path) -> None:
    (block,) = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    folder = tmp_path / "a day"
    folder.mkdir()
    for name in ("mon_1.avi", "mon_2.avi", "notes.txt"):
        (folder / name).touch()
    assert "/data/monday/" in block
    (tmp_path / "config").mkdir()
    script = block.replace("/data/monday/", f"'{folder}'/")
    subprocess.run(["sh", "-c", script], check=True, cwd=tmp_path)
    settings = SpermSettings.model_validate({"sheet": str(tmp_path / "config/videos.tsv")})
    sheet = Sperm(settings, scans=False).sheet
    assert {name: row.path for name, row in sheet.items()} == {
        name: str(folder / f"{name}.avi") for name in ("mon_1", "mon_2")
    }
    assert {row.um_per_px for row in sheet.values()} == {0.46}

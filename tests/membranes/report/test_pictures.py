"""Pictures and the page of a stack."""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import tifffile

from snakescope.imaging.volumes import describe
from snakescope.membranes.report.page import main as write_page
from snakescope.membranes.report.pictures import (
    FOUND_ONLY,
    TRUE_ONLY,
    cells_over,
    differences_over,
    draw_sections,
    thresholds_of,
)
from snakescope.membranes.report.settings import PicturesSettings
from snakescope.membranes.stacks.manifest import Manifest, read_manifest, write_manifest

ROOT = Path(__file__).parents[3]
WEIGHTS = ROOT / "resources/models/membranes/membranes_demo.safetensors"


def stack(folder: Path, scored: bool) -> Manifest:
    """A stack of two sections."""
    values = np.zeros((2, 40, 48), np.uint8)
    values[:, 20] = 255
    tifffile.imwrite(folder / "a.tif", values)
    source = describe(str(folder / "a.tif"))
    parts = {"train": (), "tune": (), "test": (0, 1) if scored else ()}
    manifest = Manifest("a", source, source, "255", None, (50, 4, 4), parts)
    write_manifest(folder, manifest)
    return manifest


def test_colours_of_what_is_found_and_true() -> None:
    found, true = np.array([[1, 1, 0, 0]], bool), np.array([[1, 0, 1, 0]], bool)
    mixed = differences_over(np.ones((1, 4)), found, true)
    assert mixed[0, 0].tolist() == [0, 0, 0] and mixed[0, 3].tolist() == [1, 1, 1]
    assert tuple(mixed[0, 1]) == FOUND_ONLY and tuple(mixed[0, 2]) == TRUE_ONLY
    cells = cells_over(np.ones((1, 3)), np.array([[1, 0, 2]]))
    assert cells[0, 1].tolist() == [0, 0, 0] and not np.allclose(cells[0, 0], cells[0, 2])


def test_sections_are_drawn_with_errors_where_there_are_labels(tmp_path: Path) -> None:
    for scored, rows in ((True, 4), (False, 3)):
        manifest = stack(tmp_path, scored)
        figure = draw_sections(manifest, manifest.image, 0.5, 0.5, PicturesSettings(sections=2))
        assert len(figure.axes) == 2 * rows
    assert thresholds_of(None) == (0.5, 0.5)


def test_the_page_says_whether_thresholds_were_tuned(tmp_path: Path) -> None:
    stack(tmp_path, True)
    (tmp_path / "s.png").write_bytes(b"png")
    row = {"network": "network", "metric": "v_rand", "value": 0.9, "low": 0.8, "high": 0.95}
    given = argparse.Namespace(
        stack=tmp_path / "stack.json", weights=WEIGHTS, sections=tmp_path / "s.png",
        scores=[tmp_path / "s.tsv", tmp_path / "s.png"], page=tmp_path / "p.html",
    )  # fmt: skip
    for origin, said in (("tuning sections", "were chosen on"), ("not tuned", "they are 0.5")):
        table = pd.DataFrame([{**row, "threshold": 0.5, "threshold_from": origin}])
        table.to_csv(given.scores[0], sep="\t", index=False)
        write_page(given)
        text = given.page.read_text()
        assert said in text and "0.800 to 0.950" in text and "simulated sections only" in text
    given.scores = []
    write_page(given)
    assert "No section of this stack is labelled" in given.page.read_text()
    assert read_manifest(given.stack).shape == (2, 40, 48)

"""The page of a plate that failed."""

from pathlib import Path

import numpy as np
import tifffile

from snakescope.healthspan.plates.manifest import Frame, PlateFrames, write_manifests
from snakescope.healthspan.report.problem_page import write_problem_pages


def test_a_failed_plate_has_its_page(tmp_path: Path) -> None:
    image = np.random.default_rng(1).integers(0, 255, (60, 80)).astype(np.uint8)
    frames = []
    for k in range(3):
        path = tmp_path / f"raw{k}.tif"
        if k < 2:
            tifffile.imwrite(path, image)
        else:
            path.write_bytes(b"no image")
        frames.append(Frame(k, 24.0 * k, "bright_field", str(path), "present"))
    folder = tmp_path / "results/p"
    write_manifests(folder / "manifest", PlateFrames("p", ("bright_field",), 3, tuple(frames)), 10)
    (folder / "registered").mkdir()
    (folder / "registered/t000-t009.tsv").write_text(
        "timepoint\ttime_h\tstatus\treason\n0\t0\tregistered\t\n1\t24\tunregistered\tfogged\n"
    )
    reasons = {"p": "register: <b>lost</b>", "q": "x", "z": "y"}
    (line,) = write_problem_pages(str(tmp_path / "results"), reasons, ("p", "q"))
    text = (folder / "problem.html").read_text()
    assert "register: &lt;b&gt;lost" in text and "fogged" in text and "raw2.tif" in text
    assert text.count("data:image/jpeg") == 2
    assert (tmp_path / "results/q/problem.html").exists() and "q/problem.html" in line
    write_problem_pages(str(tmp_path / "results"), {"q": "x"}, ("p", "q"))
    assert not (folder / "problem.html").exists()
    assert (tmp_path / "results/q/problem.html").exists()


def test_nobody_failed(tmp_path: Path) -> None:
    assert write_problem_pages(str(tmp_path), {}, ()) == []

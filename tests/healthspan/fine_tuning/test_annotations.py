import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from snakescope.healthspan.fine_tuning import annotations
from snakescope.healthspan.fine_tuning.planning import files_of
from snakescope.healthspan.fine_tuning.split import parts_of, stated_parts
from snakescope.healthspan.fine_tuning.store import images_of, read_splits
from snakescope.step.command import call
from snakescope.step.errors import StepError
from snakescope.step.tables import read_table
from tests.healthspan.fine_tuning.drawn import (
    SIZE,
    image,
    worm,
    worms,
    write_coco,
    write_png,
    write_single_masks,
)

HEADER = "image\tbright_field\tmasks\tgroup\tset\tlicence\tincubator\n"


def read(folder: Path, *rows: str, pixel_size_um: float = 9.74) -> tuple[pd.DataFrame, str]:
    """The table of splits, and all findings as lines."""
    sheet = folder / "annotations.tsv"
    sheet.write_text(HEADER + "".join("\t".join(row.split("|")) + "\n" for row in rows))
    words = ["--sheet", str(sheet), "--pixel-size-um", str(pixel_size_um)]
    for name in ("labelled", "splits", "findings", "report"):
        words += [f"--{name}", str(folder / name)]
    call(annotations, words)
    findings = read_table(folder / "findings", ("image", "used", "finding"), text="all")
    lines = ["|".join(row) for row in findings.astype(str).to_numpy()]
    return read_splits(folder / "splits"), "\n".join(lines)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate("abc"):
        write_single_masks(tmp_path, name, number)
    return tmp_path


def row(name: str, group: str, **cells: str) -> str:
    masks = cells.get("masks", f"masks/{name}_*.png")
    return f"{name}|{cells.get('file', name + '.png')}|{masks}|{group}|{cells.get('set', '')}|CC0|7"


def test_images_and_masks_are_kept_with_the_users_columns(here: Path) -> None:
    splits, findings = read(here, row("a", "p1"), row("b", "p2"), row("c", "p2"))
    assert findings == ""
    assert splits["worms"].tolist() == [3, 3, 3]
    assert set(splits["part"]) == {"train", "held_out"}
    assert splits.groupby("group")["part"].nunique().max() == 1
    assert splits["licence"].tolist() == ["CC0"] * 3 and splits["incubator"].tolist() == [7] * 3
    (kept,) = [
        one
        for part in ("train", "held_out")
        for one in images_of(here / "labelled", splits, part)
        if one.name == "a"
    ]
    assert kept.picture.shape == SIZE and kept.group == "p1"
    assert [one.area for one in kept.worms] == [int(one.sum()) for one in worms(0)]
    assert kept.picture[worms(0)[0]].mean() > kept.picture[~np.any(worms(0), axis=0)].mean() + 50


def test_one_bad_image_is_named_and_stops_no_other(here: Path) -> None:
    Path("broken.png").write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    write_png(Path("small.png"), np.eye(30, dtype=np.uint8) * 200)
    splits, findings = read(
        here,
        row("a", "p1"),
        row("b", "p2"),
        row("broken", "p3", masks="masks/a_*.png"),
        row("absent", "p3", masks="masks/a_*.png"),
        row("c", "p3", masks="masks/none_*.png"),
        row("small", "p3", masks="masks/a_*.png"),
    )
    assert splits["image"].tolist() == ["a", "b"]
    refused = [line.split("|")[0] for line in findings.splitlines() if "|no|" in line]
    assert sorted(refused) == ["absent", "broken", "c", "small"]
    assert "Traceback" not in findings


def test_tiny_masks_odd_sizes_and_empty_images_are_told(here: Path) -> None:
    labels = worm(20, 20).astype(np.uint8)
    labels[100:105, 100:105] = 2
    write_png(Path("c.png"), image([labels > 0], 9))
    write_png(Path("c_labels.png"), labels)
    write_png(Path("none.png"), np.zeros(SIZE, np.uint8))
    write_png(Path("e.png"), image([worm(20, 20)], 5))
    splits, findings = read(
        here,
        row("a", "p1"),
        row("c", "p2", masks="c_labels.png"),
        row("e", "p2", masks="none.png"),
        pixel_size_um=9.74,
    )
    assert splits.set_index("image")["worms"].to_dict() == {"a": 3, "c": 1, "e": 0}
    assert "c|yes|1 masks of less than 60 px" in findings
    assert "e|yes|no worm" in findings
    assert splits.set_index("image").loc["c", "ignored"] == 1
    _, findings = read(here, row("a", "p1"), row("b", "p2"), pixel_size_um=3.0)
    assert "check pixel_size_um" in findings


def test_the_same_picture_is_not_used_twice(here: Path) -> None:
    Path("b.png").write_bytes(Path("a.png").read_bytes())
    splits, findings = read(here, row("a", "p1"), row("b", "p2"), row("c", "p3"))
    assert splits["image"].tolist() == ["a", "c"]
    assert "b|no|expected each image once, found the same picture as a" in findings


def test_a_folder_with_a_coco_file_is_one_group(here: Path) -> None:
    bar = [20.0, 30.0, 100.0, 30.0, 100.0, 38.0, 20.0, 38.0]
    note = {"segmentation": [bar]}
    write_coco(Path("all.json"), {"a.png": [note], "b.png": [note], "gone.png": [note]})
    splits, _ = read(here, row("plate", "p1", file=str(here), masks="all.json"), row("c", "p2"))
    assert splits["image"].tolist() == ["plate_a", "plate_b", "c"]
    assert splits["group"].tolist() == ["p1", "p1", "p2"]


def test_images_are_resampled_with_their_masks(here: Path) -> None:
    splits, _ = read(here, row("a", "p1"), row("b", "p2"), pixel_size_um=9.74 * 1.5)
    assert splits["width"].tolist() == [255, 255]
    for part in ("train", "held_out"):
        (one,) = images_of(here / "labelled", splits, part)
        inside = np.zeros(one.picture.shape, bool)
        for mask in one.worms:
            inside[mask.top : mask.bottom, mask.left : mask.right] |= mask.mask
        bright = one.picture > 150
        assert (bright & inside).sum() / (bright | inside).sum() > 0.9


def test_a_group_in_both_sets_is_refused(here: Path) -> None:
    with pytest.raises(StepError, match="the group p1 in train and in held_out"):
        read(here, row("a", "p1", set="train"), row("b", "p1", set="held_out"), row("c", "p2"))


def test_one_group_alone_is_refused(here: Path) -> None:
    with pytest.raises(StepError, match="annotate images of another plate"):
        read(here, row("a", "p1"), row("b", "p1"))
    assert not (here / "labelled").exists() and not (here / "splits").exists()


def test_the_draw_of_groups_depends_on_the_seed_alone() -> None:
    groups = [f"g{number}" for number in range(12)]
    first = parts_of("s", groups, {}, 0.25, 3)
    assert first == parts_of("s", groups[::-1], {}, 0.25, 3)
    assert [*first.values()].count("held_out") == 3
    assert any(parts_of("s", groups, {}, 0.25, seed) != first for seed in range(4, 9))


def test_groups_without_a_set_join_the_part_that_lacks() -> None:
    assert parts_of("s", ["a", "b"], {"a": "held_out"}, 0.3, 1)["b"] == "train"
    assert parts_of("s", ["a", "b"], {"a": "train"}, 0.3, 1)["b"] == "held_out"
    assert stated_parts("s", []) == {}


def test_a_run_depends_on_the_files_that_are_there(here: Path) -> None:
    read(here, row("a", "p1"), row("b", "p2"), row("gone", "p2"))
    found = files_of("annotations.tsv")
    assert found[0] == "annotations.tsv" and "a.png" in found and "masks/b_2.png" in found
    assert "gone.png" not in found and len(found) == len(set(found)) == 9


def test_a_sheet_without_rows_is_refused_while_it_is_planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert files_of("annotations.tsv") == ["annotations.tsv"]  # absent: Snakemake says so
    shutil.copy(Path(__file__).resolve().parents[3] / "config/annotations.tsv", "annotations.tsv")
    with pytest.raises(StepError, match="expected a row for every annotated image, found none"):
        files_of("annotations.tsv")
    header = "image\tbright_field\tmasks\tgroup\texclusion\n"
    Path("annotations.tsv").write_text(header + "a\ta.png\tm.png\tg\tblurred\n")
    with pytest.raises(StepError, match="found none to use"):
        files_of("annotations.tsv")
    Path("annotations.tsv").write_text(header + "a\ta.png\t\tg\t\n")
    assert files_of("annotations.tsv") == ["annotations.tsv"]  # refused: the step says why
    Path("annotations.tsv").write_text("something else")
    assert files_of("annotations.tsv") == ["annotations.tsv"]  # damaged: the step says so

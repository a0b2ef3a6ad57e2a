"""Fine-tuning cross-validated by well: folds, tables that are read back, rows of all folds."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.healthspan import fine_tuned_folds
from benchmarks.healthspan.fine_tuned_folds import (
    COLUMNS,
    cross_validate,
    folds_of,
    rows_of,
    scored,
    scores_of,
    table_of,
)
from benchmarks.kept import read_kept, write_kept
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.evaluation.detection_scores import (
    ImageScores,
    detection_rows,
    score_image,
)
from snakescope.healthspan.fine_tuning.settings import FineTuneSettings
from snakescope.healthspan.training.hard_scenes import draw_hard_scenes
from snakescope.healthspan.training.labelled_images import LabelledImage
from snakescope.imaging.masks import Instance, cropped
from snakescope.step.errors import StepError


def bar(top: int, width: int = 8) -> Instance:
    one = cropped(np.ones((width, 60), bool), top, 20, 0, 0, 1.0)
    assert one is not None
    return one


def well(name: str, tops: Sequence[int]) -> LabelledImage:
    return LabelledImage(name, name, np.zeros((100, 100), np.uint8), [bar(top) for top in tops])


def counted() -> tuple[list[LabelledImage], list[ImageScores]]:
    images = [well("A01", [10, 40, 70]), well("B07", [10]), well("C02", [])]
    found = [[bar(70, 6), bar(10)], [bar(50)], [bar(30), bar(60)]]
    return images, [score_image(*pair) for pair in zip(images, found, strict=True)]


def test_folds_are_even_and_do_not_depend_on_the_order() -> None:
    wells = [f"W{k:02d}" for k in range(32)]
    fold_of = folds_of(wells, 5, 1)
    assert folds_of(wells[::-1] * 2, 5, 1) == fold_of
    assert sorted(np.bincount(list(fold_of.values()))) == [6, 6, 6, 7, 7]
    assert folds_of(wells, 5, 2) != fold_of
    with pytest.raises(StepError, match="expected 5 wells at least, found 4"):
        folds_of(wells[:4], 5, 1)


def test_a_kept_table_gives_the_rows_of_what_was_counted(tmp_path: Path) -> None:
    images, scores = counted()
    # A character that elsewhere starts a comment may be part of a name.
    images = [replace(one, name=f"#{one.name}") for one in images]
    write_kept(tmp_path / "fold0.tsv", "abc", table_of(images, scores, 0.25, 0.4))
    assert read_kept(tmp_path / "fold0.tsv", "abd", COLUMNS) is None
    table = read_kept(tmp_path / "fold0.tsv", "abc", COLUMNS, text=("image", "group"))
    assert table is not None
    again = rows_of([table])
    wanted = list(detection_rows(fine_tuned_folds.NAME, scores, exhaustive=True, ap=0.25))
    assert [(row.set, row.metric, row.n) for row in again] == [
        (row.set, row.metric, row.n) for row in wanted
    ]
    for one, other in zip(again, wanted, strict=True):
        assert one[2:5] == pytest.approx(other[2:5], abs=1e-5, nan_ok=True)
    (f,) = [row.value for row in again if row.metric == "detection_f"]
    assert f == pytest.approx(2 * 2 / (2 + 4 + 3))


def test_measures_stand_beside_the_worms_that_they_are_of() -> None:
    images, scores = counted()
    table = table_of(images, scores, 0.25, 0.4)
    worms = table[(table["image"] == "A01") & table["worm"].notna()].set_index("worm")
    assert worms["found"].tolist() == [1, 0, 1]
    assert worms.loc[0, "area_ratio"] == 1
    assert worms.loc[2, "area_ratio"] == 0.75
    assert np.isnan(worms.loc[1, "area_ratio"])
    assert scores_of(table)[0].area_ratios == [1, 0.75]


def test_a_fold_is_trained_on_the_other_wells_and_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[list[str], list[str]]] = []

    def scored(
        train: Sequence[LabelledImage], test: Sequence[LabelledImage], *_: object
    ) -> pd.DataFrame:
        seen.append(([one.name for one in train], [one.name for one in test]))
        return table_of(test, [score_image(one, one.worms) for one in test], 1.0, 0.4)

    monkeypatch.setattr(fine_tuned_folds, "scored", scored)
    images = [well(f"A{k:02d}", [10 + k]) for k in range(6)]
    settings = FineTuneSettings(start_weights=__file__)
    given = (settings, DetectSettings(), tmp_path, tmp_path / "kept", 3)
    assert len(cross_validate(images, [1], *given)) == 1
    assert len(cross_validate(images, range(3), *given)) == 3
    assert [len(train) for train, _ in seen] == [4, 4, 4]
    assert all(not set(train) & set(test) for train, test in seen)
    assert sorted(name for _, test in seen for name in test) == [one.name for one in images]
    own = tmp_path / "start"
    own.write_text("other weights")
    changed = [
        (settings.model_copy(update={"steps": 7}), DetectSettings()),
        (settings.model_copy(update={"start_weights": str(own)}), DetectSettings()),
        (settings, DetectSettings(score_threshold=0.6)),
    ]
    for pair in changed:
        assert cross_validate(images, [], *pair, *given[2:]) == []
    assert len(cross_validate(images, [], *given)) == 3


def test_the_threshold_is_chosen_on_the_wells_that_were_trained_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen: list[list[str]] = []

    def sweep(model: object, images: Sequence[LabelledImage], *_: object) -> pd.DataFrame:
        chosen.append([one.name for one in images])
        raise StopIteration

    monkeypatch.setattr(fine_tuned_folds, "fine_tune", lambda *given: (None, None))
    monkeypatch.setattr(fine_tuned_folds, "threshold_sweep", sweep)
    images = [well(f"A{k:02d}", [10 + k]) for k in range(3)]
    settings = FineTuneSettings(start_weights=__file__)
    with pytest.raises(StopIteration):
        scored(images[:2], images[2:], settings, DetectSettings(), tmp_path / "c")
    assert chosen == [["A00", "A01"]]


def test_a_training_of_one_step_is_scored(tmp_path: Path) -> None:
    scenes = draw_hard_scenes(5, 2, 320)
    images = [
        LabelledImage(f"W{k}", f"W{k}", one.picture, list(one.worms))
        for k, one in enumerate(scenes)
    ]
    root = Path(__file__).resolve().parents[2]
    settings = FineTuneSettings(
        start_weights=str(root / DetectSettings().weights),
        steps=1, batch=1, crop_px=96, simulated_scenes=0, warmup_steps=0, precision="float32",
    )  # fmt: skip
    tables = cross_validate(
        images, range(2), settings, DetectSettings(), tmp_path, tmp_path / "kept", 2
    )
    assert len(tables) == 2
    rows = {row.metric: row for row in rows_of(tables)}
    assert rows["detection_f"].n == sum(len(one.worms) for one in images)
    assert 0 <= rows["ap"].value <= 1

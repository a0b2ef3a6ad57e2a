"""The steps ``fit`` and ``predict`` as rules call them."""

import argparse
from importlib import import_module
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from snakescope.fibrosis.classes import class_names, class_of
from snakescope.fibrosis.simulation.settings import STAGES
from snakescope.fibrosis.training.models import fit_model
from snakescope.fibrosis.training.settings import FitSettings
from snakescope.learning.settings import SplitSettings
from snakescope.learning.splits import assign_folds, write_splits

from .test_models import TINY, drawn

LIVER = "resources/models/fibrosis/liver.safetensors"


def tables(folder: Path, folds: int) -> tuple[Path, Path]:
    """Items and splits of two patients of each of three classes."""
    examples = drawn(6)
    rows = []
    for at, stage in enumerate(("F0", "F1", "F2", "F3", "F4", "F4")):
        path = folder / f"s{at}.png"
        cv2.imwrite(str(path), examples.images[STAGES.index(stage)])
        name = class_names(3)[class_of(stage, 3)]
        rows.append((f"s{at}", f"p{at}", name, str(path), "", stage))
    items = pd.DataFrame(rows, columns=["item", "group", "class", "path", "mask", "truth"])
    items.to_csv(folder / "items.tsv", sep="\t", index=False)
    write_splits(folder / "splits.tsv", assign_folds(items, SplitSettings(folds=folds)))
    return folder / "items.tsv", folder / "splits.tsv"


@pytest.mark.parametrize("model", ["ordinal", "features", "majority"])
def test_two_folds_of_two_patients_of_a_class_are_enough(model: str, tmp_path: Path) -> None:
    items, splits = tables(tmp_path, 2)
    for fold in (0, 1):
        given = argparse.Namespace(
            items=items, splits=splits, model=model, fold=fold,
            settings=TINY.model_dump_json(exclude_defaults=True),
            weights=tmp_path / f"{fold}.safetensors", checkpoint=tmp_path / f"{fold}.ckpt",
            predictions=tmp_path / f"{fold}.tsv",
        )  # fmt: skip
        import_module("snakescope.fibrosis.training.fit").main(given)
        import_module("snakescope.fibrosis.prediction.predict").main(given)
        found = pd.read_csv(tmp_path / f"{fold}.tsv", sep="\t")
        assert len(found) == 3 and (found["temperature"] == 1).all()
        assert np.allclose(found[[f"p_{name}" for name in class_names(3)]].sum(axis=1), 1)


def test_a_training_starts_from_shipped_weights_in_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own = {"start": LIVER, "ordinal": {**TINY.ordinal.model_dump(), "width": 12}}
    settings = FitSettings.model_validate({**TINY.model_dump(), **own})
    assert fit_model("ordinal", drawn(4), settings, {}).card["settings"]["start"] == LIVER

"""Points of the learning curve: which sections are taken, and what becomes of their scores."""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import tifffile

from snakescope.imaging.volumes import Source, describe
from snakescope.membranes.cross_validation import learning_curve, learning_point
from snakescope.membranes.cross_validation.learning_point import of_neighbours, with_fewer
from snakescope.membranes.scores.stack_scores import METRICS
from snakescope.membranes.simulation.settings import SimulateSettings
from snakescope.membranes.simulation.simulate import simulate
from snakescope.membranes.stacks.folds import drawn, draws_apart
from snakescope.membranes.stacks.manifest import Manifest, write_manifest
from snakescope.membranes.training.settings import TrainSettings
from snakescope.step.errors import StepError
from snakescope.step.tables import read_table


def run(step: Any, *words: object) -> None:
    """Run a step as its command does."""
    parser = argparse.ArgumentParser()
    step.add_arguments(parser)
    step.main(parser.parse_args([str(word) for word in words]))


def test_sections_are_far_apart_and_others_in_every_draw() -> None:
    assert drawn(range(24), 1, 0, 1) == (12,)
    assert drawn(range(24), 3, 0, 1) == (4, 12, 20)
    assert drawn(range(24), 24, 0, 1) == tuple(range(24))
    draws = [drawn(range(10, 34), 3, draw, 4) for draw in range(4)]
    assert draws == [(11, 19, 27), (13, 21, 29), (15, 23, 31), (17, 25, 33)]
    for count in range(1, 8):
        for draw in range(3):
            assert len(set(drawn(range(7), count, draw, 3))) == count


def test_draws_of_the_same_sections_count_once() -> None:
    assert draws_apart(range(4), 4, 5) == [0]
    assert draws_apart(range(24), 3, 4) == [0, 1, 2, 3]
    few = draws_apart(range(2), 1, 20)
    assert [drawn(range(2), 1, draw, 20) for draw in few] == [(0,), (1,)]


def test_tune_and_test_stay_and_too_few_are_refused() -> None:
    source = Source("a.tif", "tiff", (9, 64, 64), "uint8", ("a.tif",))
    parts = {"train": (0, 1, 2, 3, 4), "tune": (5, 6), "test": (7, 8)}
    manifest = Manifest("a", source, source, "", None, (50, 4, 4), parts)
    assert with_fewer(manifest, 1, 0, 1).parts == {**parts, "train": (2,)}
    with pytest.raises(StepError, match=r"stack a: .*6 sections.*found 5.*learning_curve"):
        with_fewer(manifest, 6, 0, 1)
    with pytest.raises(StepError, match=r"expected 1 sections to train with.*found 0 and 2"):
        with_fewer(replace(manifest, parts={**parts, "train": ()}), 0, 0, 1)
    with pytest.raises(StepError, match=r"a draw from 0 to 1, found 2; raise .*draws"):
        with_fewer(manifest, 2, 2, 2)


def test_only_the_network_changes() -> None:
    training = TrainSettings(steps=50)
    changed = of_neighbours(training, "unet", 2)
    assert changed.network.channels == 5 and changed.network.architecture == "unet"
    assert changed.model_copy(update={"network": training.network}) == training


def test_a_table_over_draws_and_a_picture() -> None:
    points = [
        {"network": "dcn", "neighbours": n, "sections_trained": count, "draw": draw,
         "sections": {str(z): dict.fromkeys(METRICS, 0.5 + 0.1 * draw + 0.02 * z)
                      for z in range(3)}}
        for n in (0, 1) for count, draws in ((1, 2), (9, 1)) for draw in range(draws)
    ]  # fmt: skip
    table = learning_curve.table_of(points)
    rows = table.set_index(["neighbours", "sections", "metric"])
    assert rows.loc[(1, 1, "v_rand"), ["value", "low", "high", "n"]].tolist() == pytest.approx(
        [0.57, 0.52, 0.62, 2]
    )
    one = rows.loc[(0, 9, "v_rand")]
    assert one["n"] == 1 and one["value"] == pytest.approx(0.52)
    assert one["low"] < one["value"] < one["high"]
    assert len(learning_curve.draw(table).axes) == 3


def test_a_stack_becomes_a_curve(tmp_path: Path) -> None:
    image, labels = simulate(SimulateSettings(shape=(6, 96, 96), cell_px=24), 3)
    tifffile.imwrite(tmp_path / "image.tif", image)
    tifffile.imwrite(tmp_path / "labels.tif", labels)
    found = [describe(str(tmp_path / f"{name}.tif")) for name in ("image", "labels")]
    parts = {"train": (0, 1, 2), "tune": (3,), "test": (4, 5)}
    write_manifest(tmp_path, Manifest("a", *found, "", None, (50, 4, 4), parts))
    training = {
        "crop_px": 64, "batch": 2, "steps": 2, "warmup_steps": 1, "network": {"width": 2},
    }  # fmt: skip
    points = []
    for neighbours in (0, 1):
        points.append(tmp_path / f"neighbours{neighbours}.json")
        run(
            learning_point,
            *("--stack", tmp_path / "stack.json", "--sections", 2, "--neighbours", neighbours),
            *("--draw", 0, "--settings", json.dumps({"turns": 1})),
            *("--training", json.dumps(training), "--scores", points[-1]),
            *("--checkpoint", tmp_path / "point.ckpt"),
        )
    assert [json.loads(one.read_text())["trained"] for one in points] == [[0, 2], [0, 2]]
    assert len(list(tmp_path.glob("point*.ckpt"))) == 2
    run(
        learning_curve,
        *("--points", *points, "--table", tmp_path / "a.tsv", "--figure", tmp_path / "a.png"),
    )
    table = read_table(tmp_path / "a.tsv", learning_curve.COLUMNS)
    assert set(table["neighbours"]) == {0, 1} and set(table["sections"]) == {2}
    assert pd.notna(table["value"]).all() and (tmp_path / "a.png").exists()

"""Means of networks are of those that saw neither the block nor what heights are tuned on."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from benchmarks.membranes import folds
from snakescope.imaging.volumes import Source
from snakescope.membranes.scores.stack_scores import Pair
from snakescope.membranes.stacks.manifest import Manifest
from snakescope.step.tables import write_table

MEMBRANE = np.zeros((24, 24), bool)
MEMBRANE[11:13] = True


def manifest_of(data: Path, parts: dict[str, tuple[int, ...]]) -> Manifest:
    source = Source("a.tif", "tiff", (30, 24, 24), "uint8", ("a.tif",))
    return Manifest("a", source, source, "0", None, (50, 4, 4), parts)


def test_a_block_is_predicted_by_the_two_networks_that_did_not_see_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[tuple[str, tuple[int, ...]]] = []

    def pairs(manifest: Manifest, part: str, path: Path) -> list[Pair]:
        read.append((path.stem, manifest.parts[part]))
        probability: NDArray[np.uint8] = np.where(MEMBRANE, 240, 10).astype(np.uint8)
        return [(probability, MEMBRANE)] * len(manifest.parts[part])

    monkeypatch.setattr(folds, "isbi2012", manifest_of)
    monkeypatch.setattr(folds, "read_pairs", pairs)
    assert folds.mean_of_networks(tmp_path, "dcn_2", 0, tmp_path) is None
    for fold in range(5):
        known = {"key": str(fold), "parameters": 7, "seconds": 60.0 + fold}
        Path(tmp_path, f"dcn_isbi2012_5fold_{fold}.json").write_text(json.dumps(known))
    found = folds.mean_of_networks(tmp_path, "dcn_2", 0, tmp_path)
    assert found is not None
    blocks = [tuple(range(first, first + 6)) for first in range(0, 30, 6)]
    assert sorted(read) == [
        ("dcn_isbi2012_5fold_0_test", blocks[0]),
        ("dcn_isbi2012_5fold_0_tune", blocks[1]),
        ("dcn_isbi2012_5fold_4_test", blocks[4]),
        ("dcn_isbi2012_5fold_4_tune", blocks[0]),
    ]
    assert list(found["sections"]) == [str(z) for z in blocks[0]]
    assert {one["v_rand_joined"] for one in found["sections"].values()} == {1.0}
    assert found["parameters"] == 14 and found["seconds"] == 60
    # The same predictions are not scored again.
    read.clear()
    assert folds.mean_of_networks(tmp_path, "dcn_2", 0, tmp_path) == found and not read


def test_means_round_to_the_nearest() -> None:
    low, high = (np.full((2, 2), value, np.uint8) for value in (100, 103))
    ((mean, _),) = folds.mean_of([[(low, MEMBRANE)], [(high, MEMBRANE)], [(high, MEMBRANE)]])
    assert mean.dtype == np.uint8 and (mean == 102).all()


def test_rows_of_other_networks_are_kept(tmp_path: Path) -> None:
    rows = [("isbi2012_5fold", "dcn", 0.5), ("isbi2012_5fold", "unet", 0.6)]
    known = [{"set": a, "network": b, "metric": "iou", "value": value} for a, b, value in rows]
    write_table(tmp_path / "t.tsv", pd.DataFrame(known, columns=list(folds.COLUMNS)))
    fresh = pd.DataFrame([{**known[0], "value": 0.9}], columns=list(folds.COLUMNS))
    assert folds.earlier_rows(tmp_path / "t.tsv", fresh)["network"].tolist() == ["unet"]
    assert folds.earlier_rows(tmp_path / "absent.tsv", fresh).empty

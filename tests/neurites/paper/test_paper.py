"""The seed's table: a row is measured, and the page puts the rows beside the paper's figures."""

import numpy as np
import pandas as pd

from snakescope.neurites.paper import page as paper_page
from snakescope.neurites.paper.page import joined, page
from snakescope.neurites.paper.paper import COLUMNS, row, training_settings
from snakescope.neurites.paper.settings import PaperSettings
from snakescope.neurites.training.patches import labelled, split
from snakescope.step.command import call
from tests.markdown import cells


def made(network: str, n: float, saved: float) -> dict[str, object]:
    values = {"network": network, "n": n, "seed": 1, "parameters": 10, "steps": 5, "volume": "v"}
    numbers = ("epoch_s", "peak_mb", "outline_accuracy", "arand", "voi_split", "voi_merge")
    return {
        **values, **dict.fromkeys(numbers, 0.5), "saved_mb": saved, "device": "CPU",
        "peak_is_of": "the process", "voxels": "8 x 8 x 8", "arithmetic": "float32",
        "patch": "2 x 2 x 16 x 16", "train_voxels": 512,
    }  # fmt: skip


def test_rows_differ_in_network_and_seed_only() -> None:
    settings = PaperSettings(steps=3)
    one = training_settings(settings, "base", 1, 1).model_dump()
    other = training_settings(settings, "revnet", 3, 2).model_dump()
    assert {key for key in one if one[key] != other[key]} == {"network", "n", "seed"}


def test_a_row_is_measured() -> None:
    rng = np.random.default_rng(1)
    labels = np.repeat(np.repeat(rng.integers(1, 9, (8, 4, 4)), 8, 1), 8, 2).astype(np.uint64)
    volume = labelled("noise", (labels * 20).astype(np.uint8), labels)
    settings = training_settings(PaperSettings(steps=1, patch_zyx=(2, 16, 16)), "revnet", 1, 1)
    settings = settings.model_copy(
        update={"features": (4, 6), "validation_patches": 1, "threads": 1, "device": "cpu"}
    )
    found = row(settings, *([one] for one in split(volume, 0.25)))
    assert tuple(found) == COLUMNS
    assert found["parameters"] > 1000 and found["saved_mb"] > 0 and found["epoch_s"] > 0  # type: ignore[operator]
    assert 0 <= found["arand"] <= 1 and 0 <= found["outline_accuracy"] <= 1  # type: ignore[operator]


def test_the_page_is_in_the_order_of_the_paper(tmp_path, monkeypatch) -> None:
    rows = [
        pd.DataFrame([made(*one)])
        for one in (("revnet", 2, 30.0), ("base", float("nan"), 60.0), ("revnet", 1, 30.0))
    ]
    table = joined(rows)
    assert table["network"].tolist() == ["base", "revnet", "revnet"]
    text = page(table)
    shown = cells(text)[1:]
    assert [row[0] for row in shown] == ["base", "revnet, n = 1", "revnet, n = 2"]
    assert shown[0][7] == "1.00" and shown[1][7] == "0.50" and shown[2][5] == "3h20m"
    paths = []
    for k, one in enumerate(rows):
        one.to_csv(tmp_path / f"{k}.tsv", sep="\t", index=False)
        paths.append(str(tmp_path / f"{k}.tsv"))
    out = ["--table", str(tmp_path / "t.tsv"), "--page", str(tmp_path / "p.md")]
    monkeypatch.setattr("sys.argv", ["paper_page", *paths, *out])
    call(paper_page)
    assert (tmp_path / "p.md").read_text() == text


def test_the_page_says_what_a_small_budget_is_worth() -> None:
    few = pd.DataFrame([made("base", float("nan"), 60.0)])
    assert "**A small budget**: 5 steps are 1 / 4,000 of the rule's default" in page(few)
    assert "**A small budget**" not in page(few.assign(steps=PaperSettings().steps))


def test_a_short_training_leaves_its_warm_up() -> None:
    for steps, warm_up in ((20, 2), (1000, 100), (20_000, 100)):
        assert training_settings(PaperSettings(steps=steps), "base", 1, 1).warmup_steps == warm_up

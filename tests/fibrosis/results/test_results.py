"""Scores, decision curves, table 1, checklist and export, on answers that are known."""

import argparse
import json

import cv2
import numpy as np
import pandas as pd
import pytest

from snakescope.fibrosis.paper.paper import page_of, table_of
from snakescope.fibrosis.paper.settings import PaperSettings
from snakescope.fibrosis.prediction.ensemble import main
from snakescope.fibrosis.prediction.export import export
from snakescope.fibrosis.results.checklist import AUTHORS, checklist
from snakescope.fibrosis.results.measures import (
    by_quality,
    class_scores,
    confusions,
    net_benefit,
    of_patients,
    threshold_scores,
    with_thresholds,
)
from snakescope.report.pages import html
from snakescope.step.errors import StepError


def predictions() -> pd.DataFrame:
    """Two scans of each of ten patients, two of each stage; stage F2 is called F0-F1."""
    rows = []
    for patient in range(10):
        stage = patient % 5
        named = {0: 0, 1: 0, 2: 0, 3: 1, 4: 2}[stage]
        for scan in range(2):
            p = np.full(3, 0.1)
            p[named] = 0.8
            rows.append({"item": f"{patient}_{scan}", "group": f"p{patient}", "model": "ordinal",
                         "class": ("F0-F1", "F0-F1", "F2-F3", "F2-F3", "F4")[stage],
                         "fold": patient % 2, "stage": stage, "dice": 0.9 - 0.01 * patient,
                         "p_F0-F1": p[0], "p_F2-F3": p[1], "p_F4": p[2]})  # fmt: skip
    return pd.DataFrame(rows)


def test_thresholds_and_patients():
    table = with_thresholds(predictions(), 3)
    assert table["p_ge_f2"].tolist() == pytest.approx((table["p_F2-F3"] + table["p_F4"]).tolist())
    pooled = of_patients(table, "mean")
    assert len(pooled) == 10 and (pooled["scans"] == 2).all()
    first = pooled[pooled["group"] == "p4"].iloc[0]
    assert first["p_ge_f4"] == pytest.approx(0.8)


def test_scores_of_known_answers():
    table = with_thresholds(predictions(), 3)
    scores = {s.metric: s for s in class_scores("ordinal", table, 3, 200, 1)}
    assert scores["accuracy"].value == pytest.approx(0.8) and scores["accuracy"].n == 20
    assert scores["dice"].value == pytest.approx(0.855)
    found = {s.metric: s for s in threshold_scores(
        "ordinal", "patient", of_patients(table, "mean"), 200, 1)}  # fmt: skip
    assert found["auc_ge_f4"].value == 1 and found["sensitivity_ge_f2"].value == pytest.approx(
        4 / 6
    )
    assert found["auc_bootstrap_ge_f2"].low <= found["auc_ge_f2"].value


def test_net_benefit_by_hand():
    positive, score = np.array([True, True, False, False]), np.array([0.9, 0.4, 0.6, 0.1])
    found = net_benefit(positive, score, np.array([0.5])).iloc[0]
    assert found["model"] == pytest.approx(1 / 4 - 1 / 4) and found["all"] == pytest.approx(0)


def test_confusions_need_thresholds_for_other_classes():
    table = predictions()
    assert list(confusions(table, 3)) == ["3 classes"]
    with_all = table.assign(ge_F1=0.9, ge_F2=0.6, ge_F3=0.3, ge_F4=0.1)
    found = confusions(with_all, 3)
    assert list(found) == ["3 classes", "4 classes", "5 classes"]
    assert found["5 classes"][0].sum() == 20
    thirds = by_quality(table, np.ones(20, bool))["third"].tolist()
    assert thirds == ["lowest", "middle", "highest"]


def test_table_1_has_the_papers_figures_beside():
    table = predictions()
    both = pd.concat([table, table.assign(model="paper")])
    found = table_of(both, PaperSettings(resamples=100))
    paper = found[found["model"] == "paper"].set_index("fold")
    assert paper.at["0", "paper"] == 0.83 and paper.at["all", "paper"] == pytest.approx(0.809)
    assert found[found["model"] == "ordinal"]["paper"].isna().all()
    page = page_of(found)
    assert "97 of 120" in page and "72.9% to 86.9%" in page


def test_the_checklist_leaves_to_authors_what_only_they_know():
    found = checklist({"partition": "ten folds"}).set_index(["statement", "item"])
    assert found.at[("TRIPOD+AI", "12a"), "text"] == "ten folds"
    assert found.at[("TRIPOD+AI", "17"), "text"] == AUTHORS


def test_export_in_the_layout_of_nnunet(tmp_path):
    (tmp_path / "raw").mkdir()
    rows = []
    for name in ("a", "b", "c"):
        cv2.imwrite(str(tmp_path / f"raw/{name}.png"), np.full((8, 8), 9, np.uint8))
        cv2.imwrite(str(tmp_path / f"raw/{name}_m.png"), np.full((8, 8), 255, np.uint8))
        mask = str(tmp_path / f"raw/{name}_m.png") if name != "c" else ""
        rows.append({"item": name, "path": tmp_path / f"raw/{name}.png", "mask": mask})
    items, folds = pd.DataFrame(rows), pd.DataFrame({"item": ["a", "b", "c"], "fold": [0, 1, 0]})
    assert export(items, folds, tmp_path / "d") == 2
    assert cv2.imread(str(tmp_path / "d/labelsTr/a.png"), 0).max() == 1
    assert json.loads((tmp_path / "d/dataset.json").read_text())["numTraining"] == 2
    splits = json.loads((tmp_path / "d/splits_final.json").read_text())
    assert splits[0] == {"train": ["b"], "val": ["a"]}
    with pytest.raises(StepError, match="outline"):
        export(items[items["mask"] == ""], folds, tmp_path / "e")


def test_the_page_says_where_answers_and_outlines_are():
    empty = ("models", "quality", "accepted", "refused", "checklist")
    texts = ("simulated", "scans", "patients", "pooling", "figures", "overlays")
    given = {**{key: [] for key in empty}, **dict.fromkeys(texts, "")}
    given["in_sheet"] = True
    named = html("fibrosis.html", **given, others=3, outlines=True)
    assert "../ensemble/answers.tsv" in named and "../ensemble/masks/" in named
    assert "masks/" not in html("fibrosis.html", **given, others=3, outlines=False)
    unusable = html("fibrosis.html", **given, others=0, outlines=True)
    assert "answers.tsv" not in unusable and "could be\nused" in unusable
    none = html("fibrosis.html", **{**given, "in_sheet": False}, others=0, outlines=True)
    assert "answers.tsv" not in none and "No scan of the sheet is new" in none


def test_where_every_new_scan_was_refused_the_answers_say_why(tmp_path):
    (tmp_path / "others.tsv").write_text("item\tpath\ttruth\tset\n")
    header = "scan\treason\tset\tstage\n"
    (tmp_path / "refused.tsv").write_text(
        header + "t0\tno image\ttrain\tF1\ne0\tno image\texternal\tF1\n"
    )
    (tmp_path / "unusable.tsv").write_text(header + "t1\tno such file\ttrain\t\n")
    main(argparse.Namespace(
        settings="{}", weights=[], items=tmp_path / "items.tsv", others=tmp_path / "others.tsv",
        refused=[tmp_path / "refused.tsv", tmp_path / "unusable.tsv"],
        masks=tmp_path / "masks", answers=tmp_path / "answers.tsv", scores=tmp_path / "scores.tsv",
    ))  # fmt: skip
    # Those that would have been trained on were never to be answered.
    assert (tmp_path / "answers.tsv").read_text().splitlines() == [
        "scan\tpatient\tanswer\tabstains\tstage",
        "e0\t\t\tno image\tF1",
        "t1\t\t\tno such file\t",
    ]
    assert len((tmp_path / "scores.tsv").read_text().splitlines()) == 1
    assert not (tmp_path / "masks").exists()

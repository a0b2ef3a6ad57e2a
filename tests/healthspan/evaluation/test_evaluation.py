import numpy as np
import pandas as pd
import pytest

from snakescope.healthspan.evaluation.evaluate import image_rows, page, simulated_rows
from snakescope.healthspan.evaluation.images import median_by_hand, upv_plate_scores
from snakescope.healthspan.evaluation.plates import (
    by_time,
    plate_settings,
    renumbered,
)
from snakescope.healthspan.evaluation.scores import (
    crosses_seam,
    curve_distance,
    detections,
    registration_errors,
    state_confusion,
)
from snakescope.healthspan.evaluation.settings import EvaluateSettings
from snakescope.imaging.masks import Instance, MaskSet
from snakescope.report.pages import Row
from tests.markdown import cells


def bar(timepoint: int, number: int, top: int, left: int, length: int = 100) -> Instance:
    mask = np.ones((8, length), bool)
    return Instance(timepoint, timepoint * 100_000 + number, top, left, mask, 1.0)


def masks(*instances: Instance) -> MaskSet:
    return MaskSet("A1", 9.74, 1000, 1000, (0,), instances)


def motions(**changes: float) -> pd.DataFrame:
    row = {"timepoint": 1, "status": "registered", "shift_y_px": 5.0, "shift_x_px": -3.0,
           "rotation_deg": 0.5}  # fmt: skip
    return pd.DataFrame([row | changes])


def test_registration_error_is_the_greatest_on_the_dish() -> None:
    truth = motions().drop(columns="status")
    assert registration_errors(truth, motions(), 1000, 400)[0] == pytest.approx(0)
    shifted = registration_errors(truth, motions(shift_x_px=-2.0), 1000, 400)
    assert shifted[0] == pytest.approx(1.0)
    turned = registration_errors(truth, motions(rotation_deg=0.6), 1000, 400)
    assert turned[0] == pytest.approx(400 * np.deg2rad(0.1), rel=0.01)
    flagged = motions().assign(status="unregistered")
    assert registration_errors(truth, flagged, 1000, 400).size == 0


def test_detections_are_counted_by_kind() -> None:
    crossing = Instance(0, 3, 60, 150, np.ones((90, 8), bool), 1.0)
    truth = masks(bar(0, 1, 100, 100), bar(0, 2, 300, 400), crossing)
    found = masks(bar(0, 7, 100, 102), bar(0, 8, 700, 100))
    result = detections(truth, [found])
    assert result.found.tolist() == [True, False, False]
    assert result.overlapping.tolist() == [True, False, True]
    assert result.seam.tolist() == [False, True, False]
    assert result.false == 1
    assert result.pairs == [(0, 1, 7)]
    assert result.iou[0] == pytest.approx(98 / 102)


def test_seams_are_those_of_the_440_px_grid() -> None:
    assert crosses_seam(bar(0, 0, 100, 400))
    assert not crosses_seam(bar(0, 0, 100, 340))
    assert crosses_seam(bar(0, 0, 436, 100))


def test_confusion_has_truth_in_rows_and_leaves_out_the_unknown() -> None:
    truth = pd.DataFrame(
        {"timepoint": [0, 0, 0], "worm": [1, 2, 3], "state": ["dead", "healthy", "dead"]}
    )
    states = pd.DataFrame({"instance": [7, 8, 9], "state": ["immobile", "healthy", "unknown"]})
    table = state_confusion([(0, 1, 7), (0, 2, 8), (0, 3, 9)], truth, states)
    assert table.tolist() == [[1, 0, 0], [0, 0, 0], [0, 1, 0]]


def test_curve_distance_is_the_worse_of_both_curves() -> None:
    worms = pd.DataFrame({"death_d": [2.0, 4.0], "healthspan_end_d": [1.0, 3.0]})
    day = [0.0, 1.5, 2.5, 5.0]
    true_alive, true_healthy = [1, 1, 0.5, 0], [1, 0.5, 0.5, 0]
    curves = pd.DataFrame({"day": day, "alive": true_alive, "healthy": true_healthy})
    assert curve_distance(curves, worms) == 0
    curves["healthy"] = [1, 0.5, 0.2, 0]
    assert curve_distance(curves, worms) == pytest.approx(0.3)


def scores() -> pd.DataFrame:
    values: dict[str, float] = {
        "worms_true": 100, "worms_found": 95, "worms_false": 3, "iou_sum": 76,
        "overlapping_true": 10, "overlapping_found": 8, "seam_true": 40, "seam_found": 36,
        "off_seam_true": 60, "off_seam_found": 59, "lifespan_true_d": 10, "lifespan_found_d": 10.5,
        "healthspan_true_d": 9, "healthspan_found_d": 8.9, "curve_distance": 0.05,
        "registration_px": 0.2,
    }  # fmt: skip
    values |= {f"confusion_{r}_{c}": 10.0 * (r == c) for r in range(3) for c in range(3)}
    rows = [(plate, m, v) for plate in ("E1", "E2") for m, v in values.items()]
    return pd.DataFrame(rows, columns=["plate", "metric", "value"])


def by_metric(rows: list[Row]) -> dict[str, Row]:
    return {row.metric: row for row in rows}


def test_plates_are_pooled_and_the_worst_error_told() -> None:
    rows = by_metric(list(simulated_rows(scores())))
    assert rows["detection_f"].value == pytest.approx(2 * 95 / (2 * 95 + 5 + 3))
    assert rows["mask_iou"].value == pytest.approx(0.8)
    assert rows["overlap_recall"].n == 20
    assert rows["seam_recall_gap"].value == pytest.approx(59 / 60 - 0.9)
    assert rows["state_macro_f"].value == 1
    assert rows["lifespan_median_error_d"].value == pytest.approx(0.5)
    assert rows["lifespan_median_error_d"].n == 2
    shown = cells(page(list(rows.values()), scores()))
    assert shown[0] == ["set", "metric", "value", "interval", "n", "aim", "paper"]
    assert shown[1][:3] == ["simulated_unseen", "detection_f", "0.960"]
    assert shown[1][5:] == [">= 0.97", "0.953 (its plates)"]


def test_absent_images_are_left_out() -> None:
    none = pd.DataFrame(columns=["set", "metric", "value"])
    assert list(image_rows(none)) == []


def test_hand_counts_are_compared_day_by_day() -> None:
    counts = pd.DataFrame({"time_h": [0.0, 24.0, 72.0], "alive": [10, 8, 5]})
    truth = pd.DataFrame({"day": [4, 5, 7, 8], "living_manual_count_from_filename": [10, 10, 6, 4]})
    summary = pd.DataFrame(
        {
            "worms": [10],
            "median_lifespan_d": [6.5],
            "median_lifespan_low_d": [5.0],
            "median_lifespan_high_d": [8.0],
        }
    )
    found = dict(upv_plate_scores(counts, truth, summary))
    assert found["days"] == 4
    assert found["days_within_one"] == 2
    assert found["median_by_hand_d"] == 7.5
    scores = pd.DataFrame(found.items(), columns=["metric", "value"])
    rows = {row.metric: row for row in image_rows(scores.assign(set="upv_plate_series"))}
    assert rows["median_lifespan_d"][2:6] == (6.5, 5.0, 8.0, 10)
    assert rows["median_by_hand_d"].value == 7.5


def test_counts_by_hand_that_stay_above_half_have_no_median() -> None:
    assert np.isnan(median_by_hand([1, 2, 3], [10, 8, 6]))
    assert median_by_hand([1, 2, 5], [10, 8, 5]) == 3.5


def test_frames_are_compared_by_their_time() -> None:
    truth = pd.DataFrame({"timepoint": [0, 1, 2], "time_h": [0.0, 12.0, 24.0]})
    found = pd.DataFrame({"timepoint": [0, 1], "time_h": [0.0, 24.0]})
    numbers = by_time(truth, found)
    assert numbers == {0: 0, 1: 2}
    late = MaskSet("A1", 9.74, 1000, 1000, (1,), (bar(1, 5, 10, 10),))
    (one,) = renumbered(late, numbers).at(2)
    assert one.identifier == 100_005


def test_evaluation_plates_are_unlike_those_of_training() -> None:
    settings = EvaluateSettings()
    plates = [plate_settings(settings, number) for number in range(settings.plates)]
    assert {one.looks for one in plates} == {"unseen"}
    assert [plates[0].worms, plates[-1].worms] == [60, 100]

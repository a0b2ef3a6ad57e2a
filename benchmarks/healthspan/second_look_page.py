"""The table and the page of benchmarks.healthspan.second_look."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from snakescope.healthspan.evaluation.detection_scores import share_of
from snakescope.healthspan.states.settings import SecondLookSettings
from snakescope.learning.intervals import wilson_interval
from snakescope.report.pages import Row, markdown

WAYS = {"without": SecondLookSettings(enabled=False), "with": SecondLookSettings()}
DRAWS = 5
"""How often a tenth of the masks is taken away; curves are followed from the first of these."""


def rows_of(scores: pd.DataFrame) -> Iterator[Row]:
    """The table: pooled scores of each way."""
    for way in (*WAYS, *(f"dropped_{way}" for way in WAYS)):
        one = scores[scores["way"] == way]
        if one.empty:
            continue
        total, mean = (getattr(one.groupby("metric")["value"], f)() for f in ("sum", "mean"))
        name = f"second_look_{way}"
        true, found = total["worms_true"], total["worms_found"]
        pairs = [
            ("detection_recall", found, true),
            ("detection_precision", found, found + total["worms_false"]),
            ("unbroken_tracks", total.get("unbroken", 0), total.get("corpses", 0)),
            ("corpses_sighted", total.get("corpse_sightings", 0), total.get("corpse_frames", 0)),
        ]
        if way in ("with", "dropped_with"):
            right = total["second_look_right"]
            pairs += [
                ("sightings_right", right, total["second_look"]),
                ("recovered_of_missed", right, right + true - found),
            ]
        for metric, part, whole in pairs:
            low, high = wilson_interval(round(part), round(whole)) if whole else (np.nan, np.nan)
            yield Row(name, metric, share_of(part, whole), low, high, int(whole))
        for metric in ("death_error_d", "alive_count_error", "dead_count_error", "curve_distance"):
            values = one.loc[one["metric"] == metric, "value"]
            yield Row(
                name,
                f"mean_{metric}",
                mean.get(metric, np.nan),
                values.min(),
                values.max(),
                len(values),
            )
        for what in ("lifespan", "healthspan"):
            errors = (
                one[one["metric"] == f"{what}_found_d"]["value"].to_numpy()
                - one[one["metric"] == f"{what}_true_d"]["value"].to_numpy()
            )
            worst = float(np.abs(errors).max())
            yield Row(
                name, f"{what}_median_error_d", worst, errors.min(), errors.max(), errors.size
            )
    total = scores[scores["way"] == "dropped"].groupby("metric")["value"].sum()
    for metric, part, whole in (
        ("recovered", "dropped_recovered", "dropped_still"),
        ("sightings_right", "sightings_right", "sightings"),
    ):
        if total.get(whole):
            low, high = wilson_interval(round(total[part]), round(total[whole]))
            value = total[part] / total[whole]
            yield Row("second_look_dropped", metric, value, low, high, int(total[whole]))


SETS = {
    "second_look_without": "all, first look",
    "second_look_with": "all, second look",
    "second_look_dropped_without": "nine tenths, first look",
    "second_look_dropped_with": "nine tenths, second look",
    "second_look_dropped": "taken away",
}
WORDS = {
    "detection_recall": "worms that have a mask",
    "detection_precision": "masks that are a worm",
    "sightings_right": "sightings of the second look that are a worm",
    "recovered_of_missed": "missed worms, moving ones among them, that the second look found",
    "recovered": "still worms found again whose mask was taken away",
    "unbroken_tracks": "corpses on one track from first to last",
    "corpses_sighted": "frames of corpses in which they have a mask",
    "mean_death_error_d": "error of a death, mean (d)",
    "mean_alive_count_error": "error of the living in a frame, mean (worms)",
    "mean_dead_count_error": "error of the dead in a frame, mean (worms)",
    "mean_curve_distance": "distance of a plate's curves from the truth, mean",
    "lifespan_median_error_d": "error of the median lifespan, worst plate (d)",
    "healthspan_median_error_d": "error of the median healthspan, worst plate (d)",
}


def page(rows: Sequence[Row], plates: int) -> str:
    """The rows as a page of the documentation."""
    shown = pd.DataFrame(
        {
            "masks": SETS[row.set],
            "figure": WORDS[row.metric],
            "value": row.value,
            "interval": "" if np.isnan(row.low) else f"{row.low:.3g} to {row.high:.3g}",
            "n": row.n,
        }
        for row in rows
    )
    return f"""# What the second look finds

```
.venv/bin/python -m benchmarks.healthspan.second_look
```

{plates} simulated plates, of seeds and looks that no training used, with condensation on a tenth of
their frames (the simulator's usual share is 2 %), were searched for worms once,
and followed without and with the [second look](../trees/healthspan.md#a-second-look) from the same
masks. Then a tenth of the masks was taken away at random, {DRAWS} times, with the candidates, so
that only the grey values can tell. Intervals: Wilson, 95 %, for shares; else the least and greatest
value of a worm, frame or plate. The same as a table:
[tables/healthspan-second-look.tsv](../tables/healthspan-second-look.tsv).

{markdown(shown, {"value": ".3f"})}
"""

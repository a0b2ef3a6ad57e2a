"""Costs of the steps of the sperm tree, as measured on one core."""

from collections.abc import Mapping

from snakescope.tree.costs import Cost
from snakescope.tree.trained import COSTS as OF_TRAINED

COSTS: Mapping[str, Cost] = {
    **OF_TRAINED,
    "simulate": Cost(350, {"frame": 0.5}, 5, {"frame": 0.02}, files_mb_per={"frame": 0.02}),
    "detect": Cost(700, {}, 10, {"frame": 0.1}),
    "track": Cost(400, {"frame": 0.1}, 10, {"frame": 0.02}),
    "train_heads": Cost(1200, {}, 60, {"step": 0.5}),
    "train_grader": Cost(1500, {"item": 1.5}, 60, {"step": 0.2, "item": 0.3}, max_minutes=600),
    "grade": Cost(900, {"clip": 1.0}, 15, {"clip": 0.3}),
    "dish": Cost(400, {"clip": 0.5}, 10, {"clip": 0.05}, files_mb_per={"clip": 0.05}),
    "table": Cost(250),
    "overlay": Cost(600, {}, 10, {"frame": 0.05}, files_mb_per={"frame": 0.02}),
    "explain": Cost(1200, {}, 20, {}),
    "cut": Cost(350, {"clip": 0.8}, 5, {"clip": 0.3}, files_mb_per={"clip": 0.3}),
    "fit": Cost(900, {"item": 1.5}, 30, {"step": 1.0}, max_minutes=2880),
    "predict": Cost(900, {"item": 1.5}, 20, {"item": 1.0}),
}

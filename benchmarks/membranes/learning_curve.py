"""How the scores on ISBI 2012 grow with the labelled sections, and with neighbours that are seen.

    python -m benchmarks.membranes.learning_curve --data $SNAKESCOPE_DATA

The Deep Contextual Network of width 16 is trained with 1, 3, 9 and 24 of sections 0 to 23; sections
24 to 26 choose thresholds, so that the last point has 27 labelled ones, and 27 to 29 are tested.
One JSON file a training in ``--work``; those of the same key are kept. Writes
docs/tables/membranes-learning-curve.tsv, a figure and the page
docs/benchmarks/membranes-learning-curve.md.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import ROOT
from benchmarks.membranes.folds import SPLIT, TURNS, training_key, training_of
from benchmarks.membranes.isbi2012 import isbi2012
from snakescope.imaging.style import save_figure
from snakescope.membranes.cross_validation.fold import run_parts
from snakescope.membranes.cross_validation.learning_curve import draw, table_of
from snakescope.membranes.cross_validation.learning_point import of_neighbours, with_fewer
from snakescope.membranes.stacks.folds import draws_apart
from snakescope.membranes.stacks.manifest import Manifest
from snakescope.membranes.training.settings import TrainSettings
from snakescope.report.pages import markdown, write_text
from snakescope.step.output import write_json
from snakescope.step.tables import write_table

NETWORK = "dcn"
COUNTS, NEIGHBOURS = (1, 3, 9, 24), (0, 1)
TABLE = ROOT / "docs/tables/membranes-learning-curve.tsv"
PAGE = ROOT / "docs/benchmarks/membranes-learning-curve.md"
FIGURE = ROOT / "docs/pictures/membranes-learning-curve.png"
CLOSE = 0.005
"""Differences of V_Rand that another training makes as well."""
SHOWN = ("iou", "v_rand_joined", "v_info_joined", "v_rand_max", "v_info_max")
INTRODUCTION = """# Membranes: how many labelled sections

```
.venv/bin/python -m benchmarks.membranes.learning_curve --data $SNAKESCOPE_DATA
```

Takaya et al. label one section and see one at a time; both are open questions of their paper. Here
the Deep Contextual Network of width 16 is trained for {steps} steps with 1, 3, 9 and 24 sections of
ISBI 2012 (numbers 0 to 23, as far from each other as can be), alone or with a section on either
side as channels. Sections 24 to 26 choose thresholds, so that the last point has 27 labelled
sections; 27 to 29 are tested. {draws} Intervals are a bootstrap over the three test sections, or
the least and the greatest draw; three neighbouring sections say little about others.
"""


def point(
    manifest: Manifest, training: TrainSettings, count: int, number: int, draws: int, work: Path
) -> dict[str, Any]:
    """Train with so many sections and score, or read the result of the same training."""
    neighbours = training.network.neighbours
    own = with_fewer(manifest, count, number, draws)
    key = training_key(own, training)
    path = work / f"neighbours{neighbours}_sections{count}_draw{number}_{key}.json"
    if path.exists():
        return dict(json.loads(path.read_text(encoding="utf-8")))
    found, _ = run_parts(own, training, TURNS, {"key": key}, path.with_suffix(".ckpt"))
    result = {
        **found, "network": NETWORK, "neighbours": neighbours, "sections_trained": count,
        "draw": number,
    }  # fmt: skip
    write_json(path, result)
    return result


def finding(table: pd.DataFrame) -> str:
    """What the curve says of the two questions, of V_Rand of joined basins."""
    rows = table[table["metric"] == "v_rand_joined"].set_index(["neighbours", "sections"])["value"]
    alone, beside = (rows.xs(n, level="neighbours") for n in NEIGHBOURS)
    best = float(alone.max())
    enough = int(alone.index[alone >= best - CLOSE][0])
    last = int(alone.index[-1])
    change = float(beside.loc[last] - alone.loc[last])
    return (
        f"**Found:** {enough} labelled section{'s' if enough > 1 else ''} come within {CLOSE:g} of"
        f" the best V_Rand of joined basins ({best:.3f}). Seeing a section on either side, 50 nm"
        f" away, changes it by {change:+.3f} with {last} sections."
    )


def write_page(table: pd.DataFrame, steps: int, draws: int, page: Path) -> None:
    """Write the page of the curve."""
    said = f"Of fewer than all sections {draws} draws." if draws > 1 else "One draw of sections."
    shown = table[table["metric"].isin(SHOWN)]
    text = INTRODUCTION.format(steps=steps, draws=said)
    image = f"![scores over labelled sections](../pictures/{FIGURE.name})"
    formats = dict.fromkeys(("value", "low", "high"), ".3f")
    write_text(page, f"{text}\n{finding(table)}\n\n{image}\n\n{markdown(shown, formats)}\n")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with neurites/isbi2012")
    parser.add_argument("--work", type=Path, default=Path("training/membranes_curve"))
    parser.add_argument("--draws", type=int, default=1, help="of fewer than all sections")
    parser.add_argument("--steps", type=int, help="of every training, to try the benchmark")
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS)
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--figure", type=Path, default=FIGURE)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    base = training_of(NETWORK, given.steps)
    assert base is not None
    manifest, points = isbi2012(given.data, SPLIT), []
    for count in given.counts:
        for neighbours in NEIGHBOURS:
            training = of_neighbours(base, NETWORK, neighbours)
            for number in draws_apart(SPLIT["train"], count, given.draws):
                points.append(point(manifest, training, count, number, given.draws, given.work))
                print(count, neighbours, number, "done", flush=True)
    table = table_of(points)
    write_table(given.table, table)
    save_figure(draw(table), given.figure)
    write_page(table, base.steps, given.draws, given.page)


if __name__ == "__main__":
    main()

"""Ways to tell the states of a worm, all on the same simulated composites and grey values.

    python -m benchmarks.healthspan.states
    python -m benchmarks.healthspan.states --fit

Table 5 of Matsuo et al. compares Hu moments with three networks. Here the ways that need no further
training stand side by side: shape by Hu moments, overlap of the masks, the share of the body that
moved by the grey values, the shipped classifier, and the classifier with the grey values.
Thresholds are tuned on scenes of another seed. Two sets: masks as the shipped detector draws them
on plates like those of its training (looks drawn from other ranges), and unsteady masks as it draws
them on images of other instruments.
``--fit`` prints the coefficients of the last way, fitted anew.
"""

import argparse
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from benchmarks import ROOT
from snakescope.healthspan.paper.state_examples import SETS, TESTING, TUNING
from snakescope.healthspan.paper.state_rules import MEASURES, by_thresholds, tuned
from snakescope.healthspan.states.classify import classify, load_classifier
from snakescope.healthspan.states.fusion import (
    SHIPPED,
    Fusion,
    features,
    fused,
    log_odds_of,
)
from snakescope.healthspan.states.settings import ClassifySettings
from snakescope.healthspan.states.states import DEAD, HEALTHY, STATES
from snakescope.healthspan.training.evidence_examples import (
    EvidenceExamples,
    draw_evidence_examples,
)
from snakescope.learning.intervals import wilson_interval
from snakescope.learning.scores import confusion_matrix, f_scores, macro_f
from snakescope.report.pages import markdown, write_text
from snakescope.step.command import run_step
from snakescope.step.tables import write_table

Floats = NDArray[np.float64]
PAPER = {"Hu moments": 0.511, "MLP-Mixer, masks alone": 0.934}


class Judged(NamedTuple):
    """Examples, and the classifier's probabilities of them (N, 3)."""

    examples: EvidenceExamples
    found: Floats


def draw(name: str, purpose: int, per_state: int) -> EvidenceExamples:
    """Examples of a set; tuning and testing never share a scene."""
    seed = np.random.SeedSequence([2026, list(SETS).index(name), purpose])
    return draw_evidence_examples(np.random.default_rng(seed), per_state, SETS[name])


def ways(tuning: Judged, testing: Judged) -> dict[str, NDArray[np.int64]]:
    """States (N,) of the testing examples by every way."""
    named = {}
    for name, measure in MEASURES.items():
        low, high = tuned(measure(tuning.examples), tuning.examples.states)
        named[name] = by_thresholds(measure(testing.examples), low, high)
    named["MLP-Mixer, masks alone"] = testing.found.argmax(axis=1)
    together = fused(testing.found, testing.examples.moved, SHIPPED)
    named["MLP-Mixer and grey values"] = together.argmax(axis=1)
    return named


def fit(judged: Judged) -> Fusion:
    """Coefficients of the two regressions, rounded to three digits."""
    states = judged.examples.states
    dead_odds, healthy_odds = log_odds_of(judged.found)
    alive = states != STATES.index(DEAD)
    fitted = []
    for odds, rows, target in (
        (dead_odds, np.ones_like(alive), ~alive),
        (healthy_odds, alive, states == STATES.index(HEALTHY)),
    ):
        model = LogisticRegression(C=1.0, fit_intercept=False, max_iter=2000)
        model.fit(features(judged.examples.moved, odds)[rows], target[rows])
        fitted.append(tuple(round(float(one), 3) for one in model.coef_[0]))
    return Fusion(*fitted)


def rows_of(name: str, tuning: Judged, testing: Judged) -> list[dict[str, object]]:
    """A row per way, with its confusion matrix."""
    states = testing.examples.states
    rows: list[dict[str, object]] = []
    for way, called in ways(tuning, testing).items():
        confusion = confusion_matrix(states, called, 3)
        right = int(np.trace(confusion))
        low, high = wilson_interval(right, len(states))
        by_state = dict(zip(STATES, f_scores(confusion).round(3).tolist(), strict=True))
        rows.append(
            {"set": name, "way": way, "macro_f": round(macro_f(confusion), 3),
             **{f"f_{state}": f for state, f in by_state.items()},
             "accuracy": round(right / len(states), 3), "low": round(low, 3),
             "high": round(high, 3), "n": len(states),
             "paper_f": PAPER.get(way, ""),
             "confusion": "; ".join(" ".join(map(str, line)) for line in confusion.tolist())}
        )  # fmt: skip
    return rows


def page(table: pd.DataFrame) -> str:
    """The page with the table and the confusion matrices."""
    return f"""# States, way by way

```
.venv/bin/python -m benchmarks.healthspan.states
```

The same simulated worms by every way, the three states equally often. *steady*: masks as the
shipped detector draws them on simulated plates, looks from other ranges than those of training.
*unsteady*: masks as it draws them on images of other instruments (outlines that differ by 1 to 2 px
from frame to frame, lost tips, missed worms, pixels up to three times larger). Thresholds and
coefficients are from scenes of other seeds. Intervals of the accuracy: Wilson, 95 %, over worms.
`paper_f` is that of Matsuo et al., table 5, on their composites. ResNet-RS and ViT are trained by
`training: classifier: architecture`; no weights of them ship. All three, trained alike, stand in
[The paper's tables](healthspan-paper.md).

{markdown(table.drop(columns="confusion"), {})}

## Confusion matrices: true in rows, assigned in columns; healthy, immobile, dead

{markdown(table[["set", "way", "confusion"]], {})}

The grey values gain most where masks are unsteady. On steady masks of simulated plates the masks
alone are as good or better.
"""


def main() -> None:
    """Score the ways; write the table and the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--per-state", type=int, default=60, help="worms of each state and set")
    parser.add_argument("--fit", action="store_true", help="print coefficients instead")
    parser.add_argument("--table", type=Path, default=ROOT / "docs/tables/healthspan-states.tsv")
    parser.add_argument("--page", type=Path, default=ROOT / "docs/benchmarks/healthspan-states.md")
    given = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    model, card = load_classifier(str(ROOT / ClassifySettings().weights), None)

    def judged(name: str, purpose: int) -> Judged:
        examples = draw(name, purpose, given.per_state)
        return Judged(examples, classify(model, examples.composites, card["temperature"]))

    if given.fit:
        print(fit(judged("unsteady", TUNING)))
        return
    rows = [row for s in SETS for row in rows_of(s, judged(s, TUNING), judged(s, TESTING))]
    table = pd.DataFrame(rows)
    write_table(given.table, table)
    write_text(given.page, page(table))
    print(table.drop(columns="confusion").to_string(index=False))


if __name__ == "__main__":
    run_step(main)

"""Table 5 and figure 15 of Matsuo et al.: the states of the same worms by every method.

Two sets of simulated worms (:mod:`snakescope.healthspan.paper.state_examples`), and, where they are
at hand, the real sequences of :mod:`snakescope.healthspan.evaluation.triplets`. Thresholds are
tuned on worms of other scenes; those for the real sequences are of the set ``unsteady``.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from snakescope.healthspan.detection.detect import load_detector
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.evaluation.images import Models
from snakescope.healthspan.evaluation.triplets import (
    PLAIN_SHARE,
    looks_of,
    plain_share,
    read_triplets,
    sequence_of,
)
from snakescope.healthspan.paper.rows import PaperRow, state_rows, table_of
from snakescope.healthspan.paper.settings import PaperStatesSettings
from snakescope.healthspan.paper.state_examples import (
    SETS,
    TESTING,
    TUNING,
    StateExamples,
    draw_state_examples,
)
from snakescope.healthspan.paper.state_rules import (
    MEASURES,
    by_duration,
    by_thresholds,
    tuned,
    tuned_duration,
)
from snakescope.healthspan.states.classify import classify, load_classifier
from snakescope.healthspan.states.fusion import SHIPPED, fused
from snakescope.healthspan.states.states import DEAD, STATES
from snakescope.healthspan.training.evidence_examples import EvidenceExamples
from snakescope.imaging.style import save_figure
from snakescope.learning.figures import confusion_figure
from snakescope.learning.scores import confusion_matrix
from snakescope.step.tables import write_table

Ints = NDArray[np.int64]
Method = Callable[[EvidenceExamples], Ints]

EARLIER = "Hu moments, 48 h rule"
SHIPPED_MASKS = "MLP-Mixer as shipped, masks alone"
SHIPPED_GREY = "MLP-Mixer as shipped, with grey values"
PLAIN = "share of the dark body that moved, no model"
TITLES = {"resnet_rs": "ResNet-RS", "vit": "ViT", "mlp_mixer": "MLP-Mixer"}
PAPER = {
    "Hu moments": (0.507, 0.515, 0.511),
    "ResNet-RS": (0.863, 0.865, 0.864),
    "ViT": (0.917, 0.926, 0.921),
    "MLP-Mixer": (0.933, 0.935, 0.934),
}
"""Recall, precision and F in table 5 of the paper, of its own composites."""

TRIPLETS = "upv_triplets"
"""Real sequences, judged as a whole; with ``_either_side``: alive if it moved on either side."""

CONFUSION_COLUMNS = ("set", "method", "true", "assigned", "count")

Classifier = tuple[torch.nn.Module, float]


def load_classifiers(paths: Sequence[str]) -> dict[str, Classifier]:
    """Classifiers, each with the temperature of its card, by their architecture."""
    loaded = (load_classifier(path, None) for path in paths)
    return {card["architecture"]: (model, float(card["temperature"])) for model, card in loaded}


def by_classifier(examples: EvidenceExamples, model: Classifier, grey_values: bool = False) -> Ints:
    """States (N,) by a classifier with its temperature, with the grey values or without."""
    found = classify(model[0], examples.composites, model[1])
    if grey_values:
        found = fused(found, examples.moved, SHIPPED)
    return np.asarray(found.argmax(axis=1), dtype=np.int64)


def rule_of(
    measure: Callable[[EvidenceExamples], NDArray[np.float64]], worms: StateExamples
) -> Method:
    """The two thresholds of a measure, tuned on worms."""
    low, high = tuned(measure(worms.examples), worms.examples.states)
    return lambda examples: by_thresholds(measure(examples), low, high)


def methods_of(
    tuning: StateExamples, trained: Mapping[str, Classifier], shipped: Classifier
) -> dict[str, Method]:
    """The methods that judge a composite and its grey values, by name.

    Args:
        trained: the classifiers that were trained alike, by their architecture.
    """
    rules = {name: rule_of(measure, tuning) for name, measure in MEASURES.items()}
    networks = {
        title: partial(by_classifier, model=trained[name])
        for name, title in TITLES.items()
        if name in trained
    }
    return {
        **rules,
        **networks,
        SHIPPED_MASKS: partial(by_classifier, model=shipped),
        SHIPPED_GREY: partial(by_classifier, model=shipped, grey_values=True),
    }


def judged(
    worms: StateExamples, tuning: StateExamples, methods: Mapping[str, Method]
) -> dict[str, Ints]:
    """The states (N,) of worms by every method, that of the earlier frames among them."""
    called = {name: method(worms.examples) for name, method in methods.items()}
    earlier = by_duration(worms, *tuned_duration(tuning))
    first, *others = called
    return {first: called[first], EARLIER: earlier, **{name: called[name] for name in others}}


def triplets_judged(
    folder: Path, models: Models, methods: Mapping[str, Method]
) -> tuple[Ints, dict[str, Ints], dict[str, Ints]]:
    """Whether each real sequence is dead (0 or 1): in truth; by each method as a whole; by sides.

    A sequence in which no worm was found counts as called wrong.
    """
    truth: list[int] = []
    whole: dict[str, list[int]] = {name: [] for name in (*methods, PLAIN)}
    sides: dict[str, list[int]] = {name: [] for name in methods}
    for pictures, alive in read_triplets(folder, models.pixel_size_um):
        truth.append(int(not alive))
        moved = plain_share(pictures, models.pixel_size_um)
        whole[PLAIN].append(int(moved <= PLAIN_SHARE))
        sequence = sequence_of(pictures, models)
        for name, method in methods.items():
            if sequence.worm is None:
                whole[name].append(int(alive))
                sides[name].append(int(alive))
                continue
            composites, shares = looks_of(sequence)
            looks = EvidenceExamples(composites, shares, np.zeros(len(shares), np.int64))
            dead = method(looks) == STATES.index(DEAD)
            whole[name].append(int(dead[0]))
            sides[name].append(int(dead[1:].all()))
    return (
        np.array(truth),
        {name: np.array(one) for name, one in whole.items()},
        {name: np.array(one) for name, one in sides.items()},
    )


def confusion_rows(
    name: str, method: str, truth: Ints, called: Ints, classes: Sequence[str]
) -> Iterator[tuple[str, str, str, str, int]]:
    """The counts of a confusion matrix, a row a cell."""
    counts = confusion_matrix(truth, called, len(classes))
    for (true, assigned), count in np.ndenumerate(counts):
        yield name, method, classes[true], classes[assigned], int(count)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--weights", required=True, nargs="+", help="of the trained classifiers")
    parser.add_argument("--classifier", required=True, help="weights of the shipped classifier")
    parser.add_argument("--detector", required=True, help="weights of the shipped detector")
    parser.add_argument("--data", default="", help="folder of the real images; empty: none")
    parser.add_argument("--settings", required=True, help="settings as JSON")
    parser.add_argument("--rows", required=True, type=Path, help="figures to write (TSV)")
    parser.add_argument("--confusions", required=True, type=Path, help="counts to write (TSV)")
    parser.add_argument(
        "--pictures", required=True, nargs=len(SETS), help="confusion matrices of each set"
    )


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = PaperStatesSettings.model_validate_json(arguments.settings)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    trained = load_classifiers(arguments.weights)
    (shipped,) = load_classifiers([arguments.classifier]).values()
    rows: list[PaperRow] = []
    confusions: list[tuple[str, str, str, str, int]] = []
    methods: dict[str, Method] = {}
    for name, picture in zip(SETS, arguments.pictures, strict=True):
        tuning = draw_state_examples(name, settings.seed, TUNING, settings.tuning_per_state)
        worms = draw_state_examples(name, settings.seed, TESTING, settings.per_state)
        methods = methods_of(tuning, trained, shipped)
        truth, found = worms.examples.states, judged(worms, tuning, methods)
        panels = {}
        for method, called in found.items():
            rows += state_rows(
                name, method, truth, called, worms.scenes, settings.seed, settings.resamples,
                PAPER.get(method),
            )  # fmt: skip
            confusions += confusion_rows(name, method, truth, called, STATES)
            panels[method.replace(", ", ",\n")] = confusion_matrix(truth, called, len(STATES))
        save_figure(confusion_figure(panels, STATES), picture)
    folder = Path(arguments.data, "worms", "upv_alive_dead_triplets")
    if arguments.data and folder.is_dir():
        detector, pixel_size_um = load_detector(arguments.detector, None, DetectSettings())
        models = Models(detector, pixel_size_um, *shipped)
        dead, whole, sides = triplets_judged(folder, models, methods)
        each = np.arange(len(dead))
        for name, by in ((TRIPLETS, whole), (f"{TRIPLETS}_either_side", sides)):
            for method, called in by.items():
                rows += state_rows(
                    name, method, dead, called, each, settings.seed, settings.resamples
                )
                confusions += confusion_rows(name, method, dead, called, ("alive", DEAD))
    write_table(arguments.rows, table_of(rows))
    write_table(arguments.confusions, pd.DataFrame(confusions, columns=list(CONFUSION_COLUMNS)))

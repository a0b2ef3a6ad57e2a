"""The state classifier trained further on what people said of worms, scored on other plates.

Half of every batch is simulated composites, so that what they teach is not forgotten. Plates are
either trained on or held out, never both; nothing is chosen by those held out.
"""

import argparse
import hashlib
import json
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from snakescope.healthspan.fine_tuning.settings import FineTuneStatesSettings
from snakescope.healthspan.fine_tuning.split import HELD_OUT, TRAIN, parts_of
from snakescope.healthspan.fine_tuning.state_examples import (
    LINES_COLUMNS,
    TRACK_COLUMNS,
    StateExamples,
    counts_table,
    examples_of,
    labels_of,
)
from snakescope.healthspan.states.classify import load_classifier
from snakescope.healthspan.states.models import model_input, probabilities
from snakescope.healthspan.states.states import STATES
from snakescope.healthspan.training.example_ranges import TRAINING
from snakescope.healthspan.training.train_classifier import (
    Examples,
    logits_of,
    prepared,
    turned,
)
from snakescope.learning.device import choose_device
from snakescope.learning.history import history_of
from snakescope.learning.intervals import bootstrap_interval
from snakescope.learning.loading import rng_of
from snakescope.learning.loop import Training, fit, seed_everything
from snakescope.learning.registry import Card, Data, ScoreSet, card_of, read_card, write_card
from snakescope.learning.schedules import cosine_annealing
from snakescope.learning.scores import best_temperature, confusion_matrix, f_scores
from snakescope.learning.weights import save_weights
from snakescope.report.pages import Row, scores_table
from snakescope.step.checksum import sha256_of
from snakescope.step.errors import StepError
from snakescope.step.tables import read_table, write_table

BEFORE, AFTER, DIFFERENCE = "held_out_before", "held_out_after", "held_out_difference"
STATE_F = "state_f"
Called = NDArray[np.int64]


def mean_f(states: Called, called: Called) -> float:
    """Mean F of the states that there are; NaN without any."""
    there = np.unique(states)
    if not len(there):
        return float("nan")
    return float(f_scores(confusion_matrix(states, called, len(STATES)))[there].mean())


def drawn_batches(
    own: Examples, simulated: Examples, settings: FineTuneStatesSettings, start: int
) -> Generator[Examples, None, None]:
    """Batches from a number on, that depend on seed and number only.

    States are equally frequent among the own examples, whatever a plate has most of.
    """
    rows = [np.flatnonzero(own[1].numpy() == state) for state in range(len(STATES))]
    rows = [one for one in rows if len(one)]
    real = max(round(settings.batch * settings.real_share), 1)
    step = start
    while True:
        rng = rng_of(settings.seed, 23, step)
        chosen = [rng.choice(rows[int(rng.integers(len(rows)))]) for _ in range(real)]
        others = rng.integers(len(simulated[1]), size=settings.batch - real)
        yield (
            torch.cat([own[0][chosen], simulated[0][others]]),
            torch.cat([own[1][chosen], simulated[1][others]]),
        )
        step += 1


def joined(plates: Sequence[StateExamples]) -> Examples:
    """The composites of plates, (N, 128, 128), and their states, (N,)."""
    states = np.concatenate([one.states for one in plates])
    return torch.cat([one.colours for one in plates]), torch.from_numpy(states)


def digest_of(plates: Sequence[StateExamples]) -> str:
    """Digest of composites and states."""
    digest = hashlib.blake2b(digest_size=16)
    for one in plates:
        digest.update(one.plate.encode() + one.states.tobytes() + one.colours.numpy().tobytes())
    return digest.hexdigest()


def fine_tune_states(
    plates: Sequence[StateExamples],
    start_weights: str,
    settings: FineTuneStatesSettings,
    checkpoint: Path | None,
) -> tuple[torch.nn.Module, dict[str, Any]]:
    """The classifier trained on plates, on the CPU, and the card of its weights file."""
    device = choose_device(settings.device)
    own = joined(plates)
    simulated = prepared(settings.seed, "training", settings.simulated_per_state, TRAINING)
    rng = seed_everything(settings.seed, settings.threads)
    model, card = load_classifier(start_weights, None)
    model = model.to(device).train()
    optimiser = torch.optim.RAdam(
        model.parameters(),
        lr=settings.learning_rate,
        weight_decay=settings.weight_decay,
        decoupled_weight_decay=True,
    )

    def loss_of(model: torch.nn.Module, batch: Examples, step: int) -> torch.Tensor:
        pictures = model_input(turned(batch[0].to(device), rng_of(settings.seed, 29, step)))
        return torch.nn.functional.cross_entropy(
            model(pictures), batch[1].to(device), label_smoothing=settings.label_smoothing
        )

    training = Training(
        model=model,
        optimiser=optimiser,
        rate=cosine_annealing(settings.steps, settings.learning_rate),
        batches=lambda start: drawn_batches(own, simulated, settings, start),
        loss_of=loss_of,
        steps=settings.steps,
        identity=settings.model_dump(mode="json", exclude={"threads", "device"})
        | {"version": settings.version, "start_sha256": sha256_of(start_weights)}
        | {"examples": digest_of(plates)},
        report_every=max(settings.steps // 10, 1),
        clip_norm=1.0,
        rng=rng,
    )
    fit(training, checkpoint, history_of(checkpoint))
    # As many simulated composites as its own, as in the training.
    weighed = _alike(own, simulated, settings.seed)
    logits = logits_of(model, weighed[0], device).numpy()
    card = {**card, "temperature": best_temperature(logits, weighed[1].numpy())}
    return model.cpu().eval(), card


def _alike(own: Examples, simulated: Examples, seed: int) -> Examples:
    number = min(len(own[1]), len(simulated[1]))
    rows = [rng_of(seed, 31, k).permutation(len(one[1]))[:number]
            for k, one in enumerate((own, simulated))]  # fmt: skip
    return (
        torch.cat([own[0][rows[0]], simulated[0][rows[1]]]),
        torch.cat([own[1][rows[0]], simulated[1][rows[1]]]),
    )


def called_by(
    model: torch.nn.Module, temperature: float, plates: Sequence[StateExamples]
) -> Called:
    """The state (number) that a classifier calls each composite of plates, (N,)."""
    colours, _ = joined(plates)
    logits = logits_of(model, colours, torch.device("cpu"))
    return np.asarray(probabilities(logits, temperature).argmax(axis=1), np.int64)


def score_rows(plates: Sequence[StateExamples], before: Called, after: Called) -> Iterator[Row]:
    """Scores of both weights on held-out plates, and their difference, with intervals over worms.

    Composites of a worm are alike, so that worms are resampled. Plates would be better, where there
    are many.
    """
    states = joined(plates)[1].numpy()
    worms = [f"{one.plate}/{track}" for one in plates for track in one.tracks.tolist()]

    def f_of(called: Called, rows: NDArray[np.intp]) -> float:
        return mean_f(states[rows], called[rows])

    everything = np.arange(len(states))
    for name, called in ((BEFORE, before), (AFTER, after)):
        found = bootstrap_interval(lambda rows, c=called: f_of(c, rows), worms, 37)  # type: ignore[misc]
        yield Row(name, STATE_F, found.value, found.low, found.high, len(states))
        for state in np.unique(states):
            own = confusion_matrix(states[everything], called, len(STATES))
            value = float(f_scores(own)[state])
            count = int((states == state).sum())
            yield Row(name, f"f_{STATES[state]}", value, np.nan, np.nan, count)
    gain = bootstrap_interval(lambda rows: f_of(after, rows) - f_of(before, rows), worms, 37)
    yield Row(DIFFERENCE, STATE_F, gain.value, gain.low, gain.high, len(states))


def verdict(rows: Sequence[Row], plates: int, weights: str) -> str:
    """Whether the new weights are better on what was held out, and how to use them."""
    (one,) = [row for row in rows if row.set == DIFFERENCE]
    said = (
        f"mean F of states changed by {one.value:+.3f} ({one.low:+.3f} to {one.high:+.3f}, over"
        f" worms) on {plates} held-out plate{'s' if plates != 1 else ''}."
    )
    if one.high < 0:
        return f"{said} The new weights are worse: do not use them."
    if one.low > 0:
        return f"{said} They are better: healthspan: states: classify: weights: {weights}"
    return f"{said} That they are better is not sure: review more plates, or keep the old ones."


def card_of_states(
    card: dict[str, Any],
    sha256: str,
    start: str,
    settings: FineTuneStatesSettings,
    counts: Any,
    rows: Sequence[Row],
) -> Card:
    """The card beside the weights."""
    trained = counts[counts["part"] == TRAIN]
    held_out = ", ".join(counts.loc[counts["part"] == HELD_OUT, "plate"])
    number = int(trained[list(STATES)].to_numpy().sum())
    own = Data(
        what=f"composites of {len(trained)} plates with the states of a review ({number})",
        licence="not stated",
    )
    earlier = read_card(start).data if card_of(start).exists() else []
    return Card(
        what="state of a worm (healthy, immobile, dead) from its composite of three masks",
        sha256=sha256,
        model=card,
        data=[own, *earlier],
        seed=settings.seed,
        steps=settings.steps,
        settings={
            **settings.model_dump(mode="json", exclude={"threads", "device"}),
            "start_sha256": sha256_of(start),
        },
        held_out={
            name: ScoreSet(
                what=f"worms that people looked at on {held_out}, {words}",
                n=max(row.n for row in rows if row.set == name),
                cases="composites",
                scores={row.metric: round(row.value, 4) for row in rows if row.set == name},
            )
            for name, words in ((BEFORE, "weights gone on from"), (AFTER, "these weights"))
        },
        limits="plates like those that were reviewed; labels are of people who saw the machine's"
        " calls, unless they reviewed blind",
        licence="as the licences of the data allow",
        command="snakemake healthspan_fine_tune_states",
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--plates", nargs="*", default=[], help="that people reviewed")
    parser.add_argument("--tracks", nargs="*", default=[], help="corrected, of each plate")
    parser.add_argument("--lines", nargs="*", default=[], help="corrections.tsv of each plate")
    parser.add_argument("--composites", nargs="*", default=[], help="of all blocks of all plates")
    parser.add_argument("--settings", default="{}")
    parser.add_argument("--start-weights", required=True, help="weights to go on from")
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--card", required=True)
    parser.add_argument("--scores", required=True)
    parser.add_argument("--examples", required=True, help="table of plates and examples to write")


def read_plates(given: argparse.Namespace) -> list[StateExamples]:
    """The examples of the plates that have some.

    Raises:
        StepError: a file cannot be read, or fewer than two plates have any.
    """
    stacks: dict[str, list[Path]] = {name: [] for name in given.plates}
    for path in map(Path, given.composites):
        stacks[path.parent.parent.name].append(path)
    plates = []
    for name, tracks, lines in zip(given.plates, given.tracks, given.lines, strict=True):
        labels = labels_of(
            read_table(tracks, TRACK_COLUMNS), read_table(lines, LINES_COLUMNS, text=("track",))
        )
        plates.append(examples_of(name, labels, stacks[name]))
    plates = [one for one in plates if len(one.states)]
    if len(plates) < 2:
        raise StepError(
            "corrections: expected worms that people looked at on two plates, one to train on and"
            f" one to hold out, found {len(plates)} of {len(given.plates)} reviewed plates with"
            " some; review another plate, and press Enter for worms that are right"
        )
    return plates


def main(given: argparse.Namespace) -> None:
    """Run the step."""
    settings = FineTuneStatesSettings.model_validate_json(given.settings)
    cv2.setNumThreads(1)
    plates = read_plates(given)
    names = [one.plate for one in plates]
    parts = parts_of("corrections", names, {}, settings.held_out_share, settings.seed)
    training, held_out = (
        [one for one in plates if parts[one.plate] == part] for part in (TRAIN, HELD_OUT)
    )
    counts = counts_table(plates, parts)
    write_table(given.examples, counts)
    old, old_card = load_classifier(given.start_weights, None)
    before = called_by(old, old_card["temperature"], held_out)
    model, card = fine_tune_states(training, given.start_weights, settings, given.checkpoint)
    rows = list(score_rows(held_out, before, called_by(model, card["temperature"], held_out)))
    sha256 = save_weights(given.weights, model, card)
    made = card_of_states(card, sha256, given.start_weights, settings, counts, rows)
    write_table(given.scores, scores_table(rows))
    write_card(given.card, made)
    print(json.dumps({row.set: round(row.value, 4) for row in rows if row.metric == STATE_F}))
    print(verdict(rows, len(held_out), given.weights), flush=True)

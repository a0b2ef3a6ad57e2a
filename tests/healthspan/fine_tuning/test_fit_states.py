"""The classifier learns from what people said of worms, and is judged on other plates."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
import torch

from snakescope.healthspan.fine_tuning import fit_states
from snakescope.healthspan.fine_tuning.fit_states import (
    AFTER,
    BEFORE,
    DIFFERENCE,
    drawn_batches,
    mean_f,
    score_rows,
    verdict,
)
from snakescope.healthspan.fine_tuning.settings import FineTuneStatesSettings
from snakescope.healthspan.fine_tuning.state_examples import (
    StateExamples,
    examples_of,
    labels_of,
)
from snakescope.healthspan.states.composite import COLUMNS
from snakescope.healthspan.states.models import build_model
from snakescope.healthspan.states.settings import ClassifySettings
from snakescope.healthspan.states.states import STATES
from snakescope.learning.registry import read_card
from snakescope.step.command import call
from snakescope.step.errors import StepError
from snakescope.step.tables import read_table, write_table

TINY = FineTuneStatesSettings(steps=3, batch=4, simulated_per_state=2, device="cpu")


def tracks(plate: int = 0) -> pd.DataFrame:
    """Five worms of four sightings; the last one does not count."""
    rows = [
        {
            "timepoint": t, "instance": 1000 * plate + 10 * track + t, "track": track,
            "consistent_state": STATES[min((track + t) // 2, 2)], "counted": int(track != 5),
        }
        for track in range(1, 6)
        for t in range(4)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def lines() -> pd.DataFrame:
    rows = [("dead", "1", "applied"), ("checked", "2", "checked"), ("dead", "", "stale")]
    rows += [("several", "3", "applied"), ("dead", "4", "undone"), ("worm", "5", "replaced")]
    return pd.DataFrame(rows, columns=["action", "track", "standing"])


def written(folder: Path, plate: int = 0) -> Path:
    """A plate with composites in one block; that of its first sighting has no neighbours."""
    own = tracks(plate)
    rng = np.random.default_rng(plate)
    stack = (rng.random((len(own), 128, 128, 3)) < 0.2).astype(np.uint8) * 255
    index = pd.DataFrame(dict.fromkeys(COLUMNS, 0), index=range(len(own)))
    index = index.assign(instance=own["instance"], before=1, after=1, second_look="")
    index.loc[0, ["before", "after"]] = None
    path = folder / f"p{plate}/composites/t000-t003.tif"
    path.parent.mkdir(parents=True)
    tifffile.imwrite(path, stack, photometric="rgb")
    write_table(path.with_suffix(".tsv"), index.astype({"before": "Int64", "after": "Int64"}))
    write_table(folder / f"p{plate}/tracks.tsv", own)
    write_table(folder / f"p{plate}/corrections.tsv", lines())
    return path


def test_labels_are_of_worms_that_somebody_looked_at(tmp_path: Path) -> None:
    """Not of those that nobody did, of several in one, nor of a line that does not count."""
    labels = labels_of(tracks(), lines())
    assert set(labels["track"]) == {1, 2} and len(labels) == 8
    found = examples_of("p0", labels, [written(tmp_path)])
    # One composite shows no movement, so that nothing can be learned of it.
    assert len(found.states) == len(found.colours) == 7
    expected = tracks().set_index("instance").loc[labels["instance"][1:], "consistent_state"]
    assert [STATES[one] for one in found.states] == expected.tolist()
    assert found.colours.dtype == torch.uint8 and int(found.colours.max()) == 7


def plates() -> list[StateExamples]:
    """Two plates of two worms; 30 of 32 composites are of a dead one."""
    states = np.array([0, *[2] * 15])
    colours = torch.zeros((16, 128, 128), dtype=torch.uint8)
    worms = np.repeat([1, 2], 8)
    return [StateExamples(name, colours, states, worms) for name in "ab"]


def test_batches_depend_on_seed_and_number_and_have_states_alike() -> None:
    own = fit_states.joined(plates())
    simulated = torch.full((6, 128, 128), 9, dtype=torch.uint8), torch.ones(6, dtype=torch.int64)
    settings = TINY.model_copy(update={"batch": 40})
    batches = drawn_batches(own, simulated, settings, 0)
    first = [next(batches) for _ in range(8)]
    resumed = drawn_batches(own, simulated, settings, 5)
    torch.testing.assert_close(next(resumed), first[5])
    states = torch.cat([one[1][:20] for one in first])
    assert 0.3 < (states == 0).float().mean() < 0.7
    assert all((one[0][20:] == 9).all() and (one[1][20:] == 1).all() for one in first)


def test_scores_compare_the_same_composites() -> None:
    states = np.tile([0, *[2] * 15], 2)
    assert mean_f(states, states) == 1 and mean_f(states, np.full(32, 2)) < 0.5
    rows = {(row.set, row.metric): row for row in score_rows(plates(), states * 0 + 2, states)}
    gain = rows[DIFFERENCE, "state_f"]
    assert rows[AFTER, "state_f"].value == 1
    assert gain.value == pytest.approx(1 - rows[BEFORE, "state_f"].value)
    assert rows[BEFORE, "f_healthy"].value == 0 and rows[BEFORE, "f_healthy"].n == 2
    same = list(score_rows(plates(), states, states))
    assert "not sure" in verdict(same, 1, "w") and "+0.000" in verdict(same, 1, "w")


def test_corrections_of_two_plates_become_weights_with_scores(tmp_path: Path) -> None:
    for plate in (0, 1):
        written(tmp_path, plate)
    names = ["p0", "p1"]

    def run(count: int) -> None:
        own = names[:count]
        call(
            fit_states,
            [
                *("--plates", *own, "--settings", TINY.model_dump_json()),
                *("--tracks", *(f"{tmp_path}/{one}/tracks.tsv" for one in own)),
                *("--lines", *(f"{tmp_path}/{one}/corrections.tsv" for one in own)),
                *("--composites", *(f"{tmp_path}/{one}/composites/t000-t003.tif" for one in own)),
                *("--start-weights", ClassifySettings().weights),
                *("--weights", f"{tmp_path}/c.safetensors", "--card", f"{tmp_path}/c.json"),
                *("--scores", f"{tmp_path}/s.tsv", "--examples", f"{tmp_path}/e.tsv"),
            ],
        )

    with pytest.raises(StepError, match="found 1 of 1 reviewed plates"):
        run(1)
    assert not (tmp_path / "c.safetensors").exists()
    run(2)
    examples = read_table(tmp_path / "e.tsv")
    assert sorted(examples["part"]) == ["held_out", "train"]
    assert (examples[list(STATES)].sum(axis=1) == 7).all()
    scores = read_table(tmp_path / "s.tsv").set_index(["set", "metric"])["value"]
    gain = scores[AFTER, "state_f"] - scores[BEFORE, "state_f"]
    assert scores[DIFFERENCE, "state_f"] == pytest.approx(gain, abs=1e-5)
    card = read_card(tmp_path / "c.safetensors")
    assert set(card.held_out) == {BEFORE, AFTER} and card.steps == TINY.steps
    model, header = fit_states.load_classifier(tmp_path / "c.safetensors", card.sha256)
    assert isinstance(model, type(build_model(header["architecture"], header["parameters"])))

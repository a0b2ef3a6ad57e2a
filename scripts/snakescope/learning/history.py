"""The course of a training as a table and as learning curves."""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from snakescope.imaging.style import figure_style, save_figure
from snakescope.step.tables import write_table

VALIDATION = "validation_"
"""Before the names of scores, in contrast to losses."""


def history_of(checkpoint: str | Path | None) -> Path | None:
    """Where the history of a training is written: ``training/x.ckpt`` gives ``training/x.tsv``."""
    return None if checkpoint is None else Path(checkpoint).with_suffix(".tsv")


def write_history(path: str | Path, history: pd.DataFrame, figure: bool = False) -> None:
    """Write the reports of a training as TSV and, on demand, a figure (SVG) of the same name.

    Args:
        history: a report each: ``step``, ``rate``, losses, and scores named ``validation_...``.
    """
    write_table(path, history.astype({"step": int}))
    if figure:
        save_figure(learning_curves(history), Path(path).with_suffix(".svg"))


def learning_curves(history: pd.DataFrame) -> Figure:
    """Losses, validation scores and the learning rate against the step, one panel each."""
    names = [str(name) for name in history.columns]
    scores = [name for name in names if name.startswith(VALIDATION)]
    losses = [name for name in names if name not in ("step", "rate", *scores)]
    # A validation loss is comparable with the losses of the training.
    losses += [name for name in scores if name.removeprefix(VALIDATION) in losses]
    panels = {
        "loss": losses,
        "validation score": [name for name in scores if name not in losses],
        "learning rate": ["rate"],
    }
    shown = {label: columns for label, columns in panels.items() if columns}
    with figure_style():
        figure = Figure(figsize=(6, 2.2 * len(shown)), layout="constrained")
        axes = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
        for ax, (label, columns) in zip(axes, shown.items(), strict=True):
            for name in columns:
                text = name.removeprefix(VALIDATION) if label == "validation score" else name
                ax.plot(history["step"], history[name], label=text.replace("_", " "))
            ax.set_ylabel(label)
            if len(columns) > 1 or label == "validation score":
                ax.legend()
        axes[-1].set_xlabel("step")
    return figure

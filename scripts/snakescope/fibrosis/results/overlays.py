"""Scans with the liver that a network found and the heat map of its class, side by side.

Kang et al. (section II.1) hold that the segmentation shows what the class rests on, so that no
Grad-CAM is needed; both are drawn, so that readers can judge.
"""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from snakescope.fibrosis.training.examples import load_examples
from snakescope.fibrosis.training.models import NETWORKS, Fitted, predict, restored
from snakescope.fibrosis.training.networks import inputs_of
from snakescope.imaging.style import FAINT_INK, SERIES_COLOURS, figure_style
from snakescope.learning.explanation.grad_cam import grad_cam
from snakescope.learning.weights import load_weights


def heat_map(fitted: Fitted, image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Grad-CAM of a scan, (Y, X) of the image, 0 to 1.

    Of the most likely class, or of an ordered network of its place on the axis of stages.
    """
    module: Any = fitted.module
    *others, seen = inputs_of(fitted.name, image, fitted.norm, fitted.settings)

    def score(inputs: Tensor) -> Tensor:
        found: Tensor = module(*others, inputs).stage
        return found.mean(1) if fitted.name == "ordinal" else found.max(1).values

    (found,) = grad_cam(module.camera, seen, score)
    whole = cv2.resize(found, image.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.where(image > 0, whole, 0).astype(np.float32)


def overlays_figure(weights: Path, items: pd.DataFrame, table: pd.DataFrame, count: int) -> Figure:
    """Rows of four pictures of scans that the model of ``weights`` has not seen.

    Args:
        items: ingested scans.
        table: predictions of that model, of its test scans.
        count: scans to draw, half of them its least certain ones.
    """
    fitted = restored(*load_weights(weights))
    order = table.sort_values(["confidence", "item"])["item"].tolist()
    half = max(1, count // 2)
    names = list(dict.fromkeys(order[:half] + order[::-1][: count - half]))
    with figure_style():
        if fitted.name not in NETWORKS or not names:
            figure = Figure(figsize=(6, 1), layout="constrained")
            figure.text(0.02, 0.5, f"{fitted.name} draws no liver and has no heat map.")
            return figure
        chosen = items.set_index("item").loc[names].reset_index()
        examples = load_examples(chosen)
        predictions = predict(fitted, examples)
        columns = 2
        rows = -(-len(names) // columns)
        figure = Figure(figsize=(6.4 * columns, 1.9 * rows + 0.5), layout="constrained")
        axes = figure.subplots(rows, 4 * columns, squeeze=False)
        for ax in axes.ravel():
            ax.axis("off")
        by_name = table.set_index("item")
        for at, name in enumerate(names):
            row, column = divmod(at, columns)
            panel = axes[row, 4 * column : 4 * column + 4]
            image, mask, liver = examples.images[at], examples.masks[at], predictions[at].liver
            for ax in panel[:4]:
                ax.imshow(image, cmap="gray", vmin=0, vmax=255)
            if mask is not None:
                panel[1].contour(mask > 0, [0.5], colors=[SERIES_COLOURS[1]], linewidths=1.2)
            if liver is not None:
                panel[2].contour(liver, [0.5], colors=[SERIES_COLOURS[4]], linewidths=1.2)
            heat = heat_map(fitted, image)
            panel[3].imshow(
                np.ma.masked_less(heat, 0.15), cmap="viridis", alpha=0.55, vmin=0, vmax=1
            )
            said = by_name.loc[name]
            found, sure = said["named"], said["confidence"]
            panel[0].set_title(f"{name}: F{said['stage']}", fontsize=8, loc="left")
            panel[1].set_title("outline, given", fontsize=7, fontweight="normal", color=FAINT_INK)
            panel[2].set_title(f"network, Dice {said['dice']:.2f}", fontsize=7, fontweight="normal")
            panel[3].set_title(f"says {found} ({sure:.2f})", fontsize=7, fontweight="normal")
        return figure

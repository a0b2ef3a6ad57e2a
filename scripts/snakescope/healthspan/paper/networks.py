"""What the backbones of the detector and the semantic baseline cost: parameters and time.

ResNet-101 is the paper's backbone (section 3.2.2). It is built and timed; no weights of it ship.
"""

import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from snakescope.healthspan.detection.model import build_detector, for_inference
from snakescope.healthspan.paper.rows import PaperRow
from snakescope.healthspan.paper.semantic import SemanticUNet
from snakescope.healthspan.simulation.optics import TRAINING
from snakescope.healthspan.training.detector_crops import draw_crop
from snakescope.healthspan.training.detector_examples import draw_scene

VIEW_PX = 572
"""Side of the part of a frame that the detector looks at, with its margin."""
CROP_PX = 320
NOTES = {"resnet101": " (the paper's; not trained here)"}
BASELINE = "semantic U-Net"


def parameters_of(model: nn.Module) -> int:
    """Number of parameters of a model."""
    return sum(one.numel() for one in model.parameters())


def seconds(run: Callable[[], object]) -> float:
    """Processor time of the second of two calls (s); the first one also allocates memory."""
    run()
    started = time.process_time()
    run()
    return time.process_time() - started


def network_rows(
    backbones: Sequence[str], view_px: int = VIEW_PX, crop_px: int = CROP_PX
) -> Iterator[PaperRow]:
    """Parameters, and CPU seconds of one view and of one training step on one crop.

    Args:
        backbones: architectures of the detector.
        view_px, crop_px: sides (px).
    """
    rng = np.random.default_rng(1)
    picture, target = draw_crop(rng, draw_scene(rng, crop_px + 64, TRAINING), crop_px)
    for architecture in backbones:
        title = f"Mask R-CNN, {architecture}{NOTES.get(architecture, '')}"
        torch.manual_seed(1)
        model = build_detector(architecture)
        count = parameters_of(model)

        def step(model: nn.Module = model) -> None:
            losses: dict[str, Tensor] = model.train()([picture], [target])
            torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]

        took = seconds(step)
        found = for_inference(model, torch.device("cpu"))
        found.roi_heads.score_thresh = 1.0  # Masks take time of their own, worm by worm.
        with torch.inference_mode():
            view = seconds(lambda found=found: found([torch.full((1, view_px, view_px), 0.25)]))  # type: ignore[misc]
        yield from _rows(title, count, view, took)
    baseline = SemanticUNet()

    def baseline_step() -> None:
        baseline.train()(picture[None]).square().mean().backward()

    took = seconds(baseline_step)
    with torch.inference_mode():
        view = seconds(
            lambda: baseline.eval()(torch.zeros(1, 1, view_px - view_px % 8, view_px - view_px % 8))
        )
    yield from _rows(BASELINE, parameters_of(baseline), view, took)


def _rows(title: str, count: int, view_s: float, step_s: float) -> Iterator[PaperRow]:
    for metric, value in (("parameters", count), ("view_s", view_s), ("step_s", step_s)):
        yield PaperRow("networks", "one core", title, metric, float(value), np.nan, np.nan, 1)

"""What the steps of the tree take, by the size of their input.

Peaks and seconds of processors are those of docs/tables/full-geometry.tsv, written by its
benchmark; a test holds the figures here against that table. Sizes of results are those of
docs/tables/measured.tsv.
"""

from collections.abc import Mapping

from snakescope.tree.costs import Cost, Size

PAPER_MEGAPIXELS = 3080 * 3080 / 1e6
"""A frame of the paper (million px), where that of a plate is not known."""


def _cost(
    mb: float,
    megapixel: float = 0.0,
    frame: float = 0.0,
    s: float = 3.0,
    s_megapixel: float = 0.0,
    s_frame: float = 0.0,
    files: Mapping[str, float] | None = None,
) -> Cost:
    """Memory (MB) of a frame's megapixels and of each frame; time (s) of each megapixel, frame.

    ``files`` are results that are kept (MB), by the unit that they grow with.
    """
    return Cost(
        mb,
        {"megapixel": megapixel, "frame": frame},
        s,
        {"megapixel frame": s_megapixel, "frame": s_frame},
        files_mb_per=files or {},
    )


COSTS = {
    "simulate": _cost(171, 39.1, 0.5, s_megapixel=0.25),
    # 191 MB in one measurement, 412 MB in another.
    "reference": _cost(350, 6.5, files={"megapixel": 0.39}),
    "register": _cost(119, 29.2, s_megapixel=0.15, files={"megapixel frame": 0.39}),
    "frames_table": _cost(71),
    "tile": _cost(128, 24.6, s_megapixel=0.12),
    "detect": _cost(1300, 25, s=12, s_megapixel=1.7, files={"frame": 0.05}),
    "second_look": _cost(180, 26, 1, s_megapixel=0.13, s_frame=0.7, files={"frame": 0.01}),
    "composite": _cost(180, 0.5, 1, s_frame=0.1),
    "evidence": _cost(180, 28, 1, s_megapixel=0.13, s_frame=0.9),
    "classify": _cost(930, 0, 5, s=7, s_frame=0.2, files={"frame": 0.07}),
    "states_table": _cost(72),
    "track": _cost(130, 0, 0.5, s_frame=0.3, files={"frame": 0.01}),
    "corrected": _cost(200, 0, 0.5, files={"frame": 0.01}),
    # As the contact sheet, with larger cells of 100 worms at every frame.
    "review_page": _cost(200, 10, 1.5, s_megapixel=0.1, s_frame=0.2, files={"frame": 0.2}),
    "review_index": _cost(190, files={"frame": 0.01}),
    # As the experiment, of which it makes the comparison for the machine and each scorer.
    "conclusion": _cost(190, 0, 0.5, s=8, s_frame=0.5, files={"frame": 0.01}),
    "curves": _cost(188, files={"frame": 0.01}),
    "contact_sheet": _cost(130, 5, 1, s_megapixel=0.1, s_frame=0.1, files={"frame": 0.2}),
    "quality": _cost(290, 10, 1, s=6, s_megapixel=0.05),
    "provenance": _cost(50),
    # The frames of an experiment and of the table of plates are their plates.
    "experiment": _cost(190, 0, 0.5, s=8, s_frame=0.2, files={"frame": 0.1}),
    "plates_table": _cost(72, files={"frame": 0.01}),
    # Peaks of trainings on next to no examples, and every example, all of which are in memory:
    # scenes of 560 px, composites. Two hours, and more when tried again.
    "train_detector resnet18_half_slender": Cost(1290, {"example": 1.0}, s=7200),
    "train_detector resnet101": Cost(3280, {"example": 1.0}, s=7200),
    "train_classifier mlp_mixer": Cost(940, {"example": 0.234}, s=7200),
    # The frames of fine-tuning are its steps, those of the others annotated images.
    "audit": _cost(400, 0, 5, s=10, s_frame=1),
    # The frames of the package are its plates.
    "annotations": _cost(250, 20, 1, s=10, s_frame=5, files={"frame": 5.0}),
    "fine_tune": _cost(2600, s=300, s_frame=2.5),
    # Composites of 100 worms of ten plates, and batches of the classifier.
    "fine_tune_states": _cost(2000, s=600, s_frame=1.0),
    "fine_tune_scores": _cost(1300, 0, 5, s=20, s_frame=6),
    # The frames of the paper's tables are composites, steps, worms, images and detections.
    "paper_classifier": _cost(950, 0, 0.234, s=60, s_frame=0.1),
    "paper_semantic": _cost(1000, 0, 0.1, s=60, s_frame=1),
    "paper_states": _cost(1250, 0, 0.1, s=40, s_frame=0.05),
    "paper_detection": _cost(2700, 0, 1, s=120, s_frame=3),
    "paper_curves": _cost(1250, 0, 0.2, s=20, s_frame=0.03),
    "paper": _cost(250),
}
TRAINED = {
    "train_detector": ("resnet18_half_slender", "resnet101"),
    "train_classifier": ("mlp_mixer",),
}
"""Architectures whose training was measured, the largest last."""


def size_of_frames(megapixels: float, frames: int) -> Size:
    """Return the amount of work of a job on frames of so many megapixels."""
    amounts = {"megapixel": megapixels, "frame": frames, "megapixel frame": megapixels * frames}
    return Size("", amounts)


def size_of_training(step: str, architecture: str, examples: float) -> Size:
    """Return the amount of work of a training.

    An architecture that was not measured counts as the largest that was."""
    measured = TRAINED[step]
    kind = architecture if architecture in measured else measured[-1]
    return Size(kind, {"example": examples})

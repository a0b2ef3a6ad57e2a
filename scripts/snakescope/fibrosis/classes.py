"""Stages of fibrosis, and the classes that are told apart; free of torch and numpy."""

STAGES = ("F0", "F1", "F2", "F3", "F4")

CLASSES: dict[int, tuple[tuple[str, ...], ...]] = {
    3: (("F0", "F1"), ("F2", "F3"), ("F4",)),
    4: (("F0", "F1"), ("F2",), ("F3",), ("F4",)),
    5: (("F0",), ("F1",), ("F2",), ("F3",), ("F4",)),
}
"""Stages of each class. Kang et al. have three classes, and name four and five as future work."""


def class_names(count: int) -> list[str]:
    """Names of 3, 4 or 5 classes, such as F0-F1."""
    return ["-".join(stages) for stages in CLASSES[count]]


def class_of(stage: str, count: int) -> int:
    """The class (from 0) of a stage.

    Raises:
        ValueError: no such stage.
    """
    for number, stages in enumerate(CLASSES[count]):
        if stage in stages:
            return number
    raise ValueError(f"stage {stage}")

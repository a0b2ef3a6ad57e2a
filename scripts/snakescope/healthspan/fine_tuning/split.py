"""Groups of annotated images, plates or wells, to train on and to hold out."""

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np

from snakescope.healthspan.fine_tuning.sheet import AnnotatedImage, Part
from snakescope.step.errors import StepError

TRAIN: Part = "train"
HELD_OUT: Part = "held_out"


def stated_parts(sheet: str, rows: Sequence[AnnotatedImage]) -> dict[str, Part]:
    """The part of every group for which the sheet states one.

    Raises:
        StepError: it states both for a group.
    """
    stated: dict[str, Part] = {}
    for row in rows:
        if row.set and stated.setdefault(row.group, cast(Part, row.set)) != row.set:
            raise StepError(
                f"{sheet}: expected all images of a group in one set, found the group {row.group}"
                " in train and in held_out: scores would be those of images trained on; correct"
                " the column set"
            )
    return stated


def parts_of(
    sheet: str,
    groups: Sequence[str],
    stated: Mapping[str, Part],
    held_out_share: float,
    seed: int,
) -> dict[str, Part]:
    """The part of every group.

    Groups of no stated part go to the one that is not stated; where neither is, or both are
    needed, a seeded draw decides that does not depend on the order of the sheet.

    Raises:
        StepError: no group is left for one of the parts.
    """
    names = sorted(set(groups))
    parts = {name: stated[name] for name in names if name in stated}
    free = [name for name in names if name not in parts]
    given = set(parts.values())
    if given == {TRAIN}:
        parts |= dict.fromkeys(free, HELD_OUT)
    elif HELD_OUT in given:
        parts |= dict.fromkeys(free, TRAIN)
    else:
        order = np.random.default_rng([seed, 17]).permutation(len(free))
        count = min(max(round(held_out_share * len(free)), 1), len(free) - 1)
        held_out = {free[int(k)] for k in order[:count]}
        parts |= {name: HELD_OUT if name in held_out else TRAIN for name in free}
    for part in (TRAIN, HELD_OUT):
        if part not in parts.values():
            raise StepError(
                f"{sheet}: expected groups (plates, wells) to train on and others to hold out,"
                f" found {len(names)} with readable masks and none for {part}; annotate images of"
                " another plate, or correct the columns group and set"
            )
    return parts

"""Who is scanned how often on what device: the plan of a simulated set, free of numpy.

The Snakefile names the files of a set from it.
"""

import random
from typing import NamedTuple

from snakescope.fibrosis.simulation.settings import STAGES, SimulateSettings

DEVICES = ("convex_a", "convex_b", "convex_c")
SUFFIX = {"convex_a": ".png", "convex_b": ".png", "convex_c": ".jpg"}
MAX_IMAGES = 4


class Planned(NamedTuple):
    """One scan to simulate.

    Attributes:
        scan: name, unique in the set.
        patient: name.
        stage: 0 to 4.
        device: one of :data:`DEVICES`.
        number: of the scan among those of the patient, from 0.
    """

    scan: str
    patient: str
    stage: int
    device: str
    number: int

    @property
    def image(self) -> str:
        """Name of the image's file."""
        return f"{self.scan}{SUFFIX[self.device]}"

    @property
    def mask(self) -> str:
        """Name of the mask's file."""
        return f"{self.scan}_liver.png"


def shares(images: tuple[int, ...], patients: int) -> list[int]:
    """Patients of each stage: in proportion to its images, by largest remainders, at least one."""
    whole = sum(images)
    exact = [patients * count / whole for count in images]
    found = [min(count, max(1, int(part))) for count, part in zip(images, exact, strict=True)]
    by_rest = sorted(range(len(images)), key=lambda at: (found[at] - exact[at], at))
    for at in by_rest:
        if sum(found) < patients and found[at] < images[at]:
            found[at] += 1
    return found


def cohort(settings: SimulateSettings) -> list[Planned]:
    """The scans of a set: patients in random order, each of one stage and on one device."""
    rng = random.Random(f"{settings.set} {settings.seed}")
    drawn: list[tuple[int, int]] = []
    for stage, (images, patients) in enumerate(
        zip(settings.images, shares(settings.images, settings.patients), strict=True)
    ):
        counts = [1] * patients
        for _ in range(images - patients):
            free = [at for at, count in enumerate(counts) if count < MAX_IMAGES]
            counts[rng.choice(free or range(patients))] += 1
        drawn += [(stage, count) for count in counts]
    rng.shuffle(drawn)
    planned = []
    for number, (stage, count) in enumerate(drawn, start=1):
        patient = f"P{number:03d}"
        device = rng.choice(DEVICES)
        if rng.random() < settings.confound:
            device = DEVICES[stage * len(DEVICES) // len(STAGES)]
        for at in range(count):
            planned.append(Planned(f"{patient}_{at + 1}", patient, stage, device, at))
    return planned

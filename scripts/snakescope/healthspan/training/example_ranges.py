"""From what the scenes of training composites are drawn: plates of training, and unlike ones."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ExampleRanges:
    """From what the scenes are drawn: (low, high) of even draws, or chances from 0 to 1.

    Attributes:
        length_px, slenderness: of the scene's worms; width = length x slenderness.
        worms, radius_px: how many on how large a dish.
        interval_h: time between frames.
        bias_px: by how much the detector draws all outlines of a plate too wide.
        flicker_px: standard deviation of that between the frames of the plate.
        ragged_px: standard deviation of smooth noise on every outline.
        blunt: share of the length that the detector loses at every tip of a plate.
        jitter_px: registration error per axis (standard deviation) of a frame.
        coarse: chance that a plate is taken with two to three times larger pixels.
        missed: chance that a worm is not found in a frame; drawn per plate.
        truncated, broken, merged: chances per worm; merged, per touching pair.
        nudged: rate a day at which corpses are pushed.
        head_only: chance that an immobile worm moves but its head or tail.
        rigid: chance that it only shifts and turns, the paper's pseudo-immobile worm (3.3.3).
        changing: chance that a healthy worm stops within the next interval, and that a corpse
            died within the last. On a plate of 100 worms and 50 frames about 0.05.
        one_sided: chance that a frame has only one neighbour.
    """

    length_px: tuple[float, float] = (78.0, 135.0)
    slenderness: tuple[float, float] = (0.058, 0.085)
    worms: tuple[int, int] = (4, 16)
    radius_px: tuple[float, float] = (150.0, 500.0)
    interval_h: tuple[float, ...] = (12.0, 12.0, 12.0, 8.0, 24.0)
    bias_px: tuple[float, float] = (-0.8, 1.3)
    flicker_px: tuple[float, float] = (0.02, 0.25)
    ragged_px: tuple[float, float] = (0.05, 0.5)
    blunt: tuple[float, float] = (0.0, 0.08)
    jitter_px: tuple[float, float] = (0.02, 0.4)
    coarse: float = 0.15
    missed: tuple[float, float] = (0.0, 0.1)
    truncated: float = 0.05
    broken: float = 0.015
    merged: float = 0.3
    nudged: float = 0.1
    head_only: float = 0.15
    rigid: float = 0.05
    changing: float = 0.12
    one_sided: float = 0.06


TRAINING = ExampleRanges()

HELD_OUT = ExampleRanges(
    length_px=(95.0, 142.0),
    slenderness=(0.052, 0.09),
    worms=(10, 25),
    radius_px=(300.0, 800.0),
    interval_h=(10.0, 12.0, 14.0),
    bias_px=(-1.0, 1.6),
    flicker_px=(0.03, 0.2),
    ragged_px=(0.05, 0.4),
    blunt=(0.0, 0.1),
    jitter_px=(0.05, 0.25),
    coarse=0.1,
    missed=(0.0, 0.06),
    nudged=0.03,
    rigid=0.0,
    changing=0.05,
    one_sided=0.04,
)
"""Plates unlike those of training: other sizes, crowds, intervals and outlines. Changes of
state, nudges and lonely frames are as frequent as on simulated plates, not sought out."""

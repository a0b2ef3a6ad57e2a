"""What a plate's tables say of its quality, and which of that deserves a warning."""

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from snakescope.healthspan.plates.gaps import widest_gap
from snakescope.healthspan.report.settings import QualitySettings
from snakescope.healthspan.states.states import STATES
from snakescope.healthspan.tracking.individuals import DEAD_AT_START, STATIC

PROBABILITIES = [f"p_{state}" for state in STATES]
OK, WARNING, FAILED = "ok", "warning", "failed"
FIRST_FRAMES = 3
"""Usable frames whose greatest count is compared with the number of worms put on."""


@dataclass(frozen=True)
class Measures:
    """Figures of a plate; nan where there is nothing to measure.

    Attributes:
        frames, usable, missing, unreadable, unregistered: numbers of frames.
        median_score: correlation of the mark, of the frames registered by it, 0 to 1.
        median_agreement: share of the plate's texture found in place, of the frames registered by
            the plate itself, 0 to 1; a fraction of the mark's correlation in a good frame, too.
        largest_shift_px: raw px.
        largest_rotation_deg: degrees.
        worms, deaths: individuals, and those that died.
        dead_at_start: of the deaths, those from before the first picture.
        static: objects that lay on the plate from the start and are not taken for worms.
        censored_share, lost_share: of the worms, 0 to 1.
        put_on: worms put on the plate; None where nobody counted.
        first_count: most worms found in one of the first three usable frames.
        mean_confidence: mean of the probability of each detection's state, 0 to 1.
        unknown_share: detections without a state, 0 to 1.
        found, dropped: objects kept, objects dropped; second views of one worm are not counted.
        second_look: of the objects kept, those that were missed at first.
    """

    frames: int
    usable: int
    missing: int
    unreadable: int
    unregistered: int
    median_score: float
    median_agreement: float
    largest_shift_px: float
    largest_rotation_deg: float
    worms: int
    deaths: int
    dead_at_start: int
    static: int
    censored_share: float
    lost_share: float
    put_on: int | None
    first_count: float
    mean_confidence: float
    unknown_share: float
    found: int
    dropped: int
    second_look: int = 0


@dataclass(frozen=True)
class Verdict:
    """ok, warning or failed, with the reasons in plain words."""

    status: str
    warnings: tuple[str, ...]


def confidence(states: pd.DataFrame) -> pd.Series:
    """The greatest probability of each detection; nan where its state is unknown."""
    sure = states[PROBABILITIES].astype(float).max(axis=1)
    return sure.where(states["state"].isin(STATES))


def usable_counts(counts: pd.DataFrame) -> pd.DataFrame:
    """Counts of the usable frames, in the order of time."""
    return counts[counts["usable"] == 1].sort_values("timepoint", kind="stable")


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def measure(
    frames: pd.DataFrame,
    counts: pd.DataFrame,
    states: pd.DataFrame,
    summary: pd.DataFrame,
    dropped: pd.DataFrame,
    tracks: pd.DataFrame,
    put_on: int | None = None,
) -> Measures:
    """Measure a plate from its tables; ``put_on`` is the number of worms put on it."""
    status = frames["status"].value_counts()
    registered = frames[frames["status"] == "registered"]
    shift = np.hypot(registered["shift_y_px"].astype(float), registered["shift_x_px"].astype(float))
    row = summary.iloc[0]
    worms, deaths = int(row["worms"]), int(row["deaths"])
    reasons = tracks.drop_duplicates("track")["reason"]
    first = usable_counts(counts)["total"].head(FIRST_FRAMES)
    return Measures(
        frames=len(frames),
        usable=len(registered),
        missing=int(status.get("missing", 0)),
        unreadable=int(status.get("unreadable", 0)),
        unregistered=int(status.get("unregistered", 0)),
        median_score=float(registered.loc[registered["method"] == "mark", "score"].median()),
        median_agreement=float(registered.loc[registered["method"] == "plate", "score"].median()),
        largest_shift_px=float(shift.max()),
        largest_rotation_deg=float(registered["rotation_deg"].abs().max()),
        worms=worms,
        deaths=deaths,
        dead_at_start=int((reasons == DEAD_AT_START).sum()),
        static=int((reasons == STATIC).sum()),
        censored_share=_share(worms - deaths, worms),
        lost_share=_share(int(row.get("lost_from_view", 0)), worms),
        put_on=put_on,
        first_count=float(first.max()),
        mean_confidence=float(confidence(states).mean()),
        unknown_share=_share(int((~states["state"].isin(STATES)).sum()), len(states)),
        found=len(states),
        dropped=int((dropped["reason"] != "duplicate").sum()),
        second_look=int((states["second_look"] != "").sum()) if "second_look" in states else 0,
    )


def drops(counts: pd.DataFrame, fraction: float, at_least: int) -> list[tuple[int, int, int]]:
    """(timepoint, worms before, worms at it) of every drop between usable frames.

    Args:
        counts: the plate's table of counts.
        fraction: of the worms before, that must have vanished.
        at_least: worms before, for a drop to count.
    """
    rows = usable_counts(counts)
    timepoints, totals = rows["timepoint"].to_numpy(int), rows["total"].to_numpy(float)
    return [
        (int(timepoint), int(before), int(now))
        for timepoint, before, now in zip(timepoints[1:], totals[:-1], totals[1:], strict=True)
        if before >= at_least and now < (1 - fraction) * before
    ]


def judge(measures: Measures, counts: pd.DataFrame, settings: QualitySettings) -> Verdict:
    """The warnings of a plate; it failed when nothing can be concluded from it."""
    m = measures
    if m.usable == 0:
        return Verdict(FAILED, ("no usable frame",))
    if m.found == 0:
        return Verdict(FAILED, (f"no worm found in any of {m.usable} usable frames",))
    said: list[str] = []
    for number, name in (
        (m.missing, "missing"),
        (m.unreadable, "unreadable"),
        (m.unregistered, "unregistered"),
    ):
        if number:
            said.append(f"frames {name}: {number} of {m.frames}")
    said += _gap(counts)
    if m.median_score < settings.min_score:
        said.append(f"low registration score: median {m.median_score:.2f}")
    if m.median_agreement < settings.min_agreement:
        said.append(f"little of the plate found in place: median {m.median_agreement:.0%}")
    if m.largest_shift_px > settings.max_shift_px:
        said.append(f"a frame is shifted by {m.largest_shift_px:.0f} px")
    if m.largest_rotation_deg > settings.max_rotation_deg:
        said.append(f"a frame is turned by {m.largest_rotation_deg:.1f} degrees")
    said += _fogging(counts, settings)
    if m.unknown_share > settings.max_unknown_fraction:
        said.append(f"unknown states: {m.unknown_share:.0%}")
    if m.mean_confidence < settings.min_confidence:
        said.append(f"unsure states: mean probability {m.mean_confidence:.2f}")
    if m.put_on and abs(m.first_count - m.put_on) > settings.max_worms_off_fraction * m.put_on:
        said.append(f"{m.first_count:.0f} worms found at first, {m.put_on} put on")
    if m.dead_at_start:
        said.append(
            f"{m.dead_at_start} of {m.put_on} worms put on were dead at the first picture"
            + (f"; not counted as worms: {m.static} more static" if m.static else "")
        )
    if m.put_on and m.worms > m.put_on:
        said.append(f"{m.worms} worms stopped, {m.put_on} put on (debris among them?)")
    if m.lost_share > settings.max_lost_fraction:
        said.append(f"lost from view: {m.lost_share:.0%} of the worms")
    if m.dropped > settings.max_dropped_fraction * (m.found + m.dropped):
        said.append(f"dropped {m.dropped} of {m.found + m.dropped} objects found")
    return Verdict(WARNING if said else OK, tuple(said))


def _gap(counts: pd.DataFrame) -> list[str]:
    rows = counts.dropna(subset=["day"]).sort_values("timepoint", kind="stable")
    gap = widest_gap([24 * day for day in rows["day"].astype(float)])
    if gap is None:
        return []
    index, width_h, usual_h, _ = gap
    return [
        f"no frame for {width_h:.3g} h after t{int(rows['timepoint'].iloc[index]):03d}, "
        f"{usual_h:.3g} h are usual"
    ]


def _fogging(counts: pd.DataFrame, settings: QualitySettings) -> list[str]:
    found = drops(counts, settings.max_count_drop_fraction, settings.min_worms_for_drop)
    if not found:
        return []
    timepoint, before, now = max(found, key=lambda one: one[1] - one[2])
    more = f" and {len(found) - 1} times more" if len(found) > 1 else ""
    return [f"worms found drop from {before} to {now} at t{timepoint:03d}{more} (fogging?)"]


def row_of(plate: str, measures: Measures, verdict: Verdict) -> pd.DataFrame:
    """The plate's row of quality.tsv."""
    row: dict[str, object] = {
        "plate": plate,
        "status": verdict.status,
        "warnings": "; ".join(verdict.warnings),
    }
    row |= {field.name: getattr(measures, field.name) for field in fields(measures)}
    return pd.DataFrame([row])

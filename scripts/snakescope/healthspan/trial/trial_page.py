"""The page of a trial."""

from pathlib import Path
from typing import Any

from snakescope.healthspan.detection.border import said_of
from snakescope.healthspan.inspection.proposals import scalar
from snakescope.healthspan.settings import HealthspanSettings
from snakescope.healthspan.trial.advice import MODEL_PX, Advice
from snakescope.healthspan.trial.alignments import current_kind
from snakescope.healthspan.trial.borders import borders
from snakescope.healthspan.trial.objects import Found, Searched, counts_by_reason
from snakescope.healthspan.trial.plate_trial import Trial, sizes
from snakescope.healthspan.trial.trial_pictures import (
    DROPPED,
    KEPT,
    MOVING_WORM,
    OTHER,
    borders_url,
    crops_url,
    effect_of_alignment,
    frame_url,
    kind_name,
    residual_map,
)
from snakescope.imaging.style import FAINT_INK, INK, RULE
from snakescope.report.pages import html, write_text


def write_page(
    path: Path,
    trial: Trial,
    settings: HealthspanSettings,
    proposed: str,
    settings_file: str,
) -> None:
    """Write the page of a trial.

    Args:
        settings: as they are.
        proposed: the settings that are proposed, as YAML; settings_file: where they would go.
    """
    registration, detect = settings.registration, settings.detection.detect
    tile_px = settings.detection.tile.size_px
    now = current_kind(registration)
    kinds = [(now, f"now: {kind_name(now)}")]
    if trial.kind != now:
        kinds.append((trial.kind, f"proposed: {kind_name(trial.kind)}"))
    tolerance = trial.keys.get("registration.tolerance_px", registration.tolerance_px)
    residuals = residual_map(trial.alignments, kinds, float(tolerance)) if trial.alignments else ""
    columns = [f"t{t:03d}" for t in trial.searched]
    before, after = counts_by_reason(trial.found), counts_by_reason(trial.after)
    changed = trial.after and before != after
    counts = []
    for reason in dict.fromkeys([*before, *after]):
        cells = before.get(reason, [0] * len(columns))
        if changed:
            then = after.get(reason, [0] * len(columns))
            counts.append((reason, [f"{a} → {b}" for a, b in zip(cells, then, strict=True)]))
        else:
            counts.append((reason, [str(value) for value in cells]))
    low, high = (px * trial.model_px_um for px in MODEL_PX)
    trained = {"length (um)": f"{low:.0f} to {high:.0f} um"}
    frames = [
        (
            frame_url(one, trial.found[t], tile_px),
            f"Timepoint {t}, {trial.times_h[t]:g} h: {len(one.corners)} of {one.tiles} tiles"
            f" searched (squares), {sum(not o.reason for o in trial.found[t])} objects kept.",
        )
        for t, one in trial.searched.items()
    ]
    text = html(
        "trial.html",
        plate=trial.plate,
        ink=INK,
        faint_ink=FAINT_INK,
        rule=RULE,
        summary=_summary(trial),
        advice=[
            {
                "title": one.title,
                "text": one.text,
                "settings": [
                    (key.replace(".", ": "), scalar(value)) for key, value in one.keys.items()
                ],
                "pictures": _pictures(one, trial, now),
            }
            for one in trial.advice
        ],
        settings=proposed if trial.keys else "",
        settings_file=settings_file,
        residuals=residuals,
        keys=[
            ("kept, lies elsewhere in the other frames", MOVING_WORM),
            ("kept", KEPT),
            *((f"dropped: {reason}", colour) for reason, colour in DROPPED.items()),
            ("dropped for another reason", OTHER),
        ],
        frames=frames,
        wider=said_of(trial.border, detect),
        borders=[
            (borders_url(worms), said)
            for said, worms in borders(trial.searched, trial.found, detect, trial.border)
        ],
        columns=columns,
        counts=counts,
        sizes=[(*row, trained.get(row[0], "")) for row in sizes(trial.found)],
    )
    write_text(path, text)


def _summary(trial: Trial) -> str:
    dish = trial.description.dish
    said = [f"Timepoints {', '.join(map(str, trial.frames))} of the plate."]
    if trial.description.dish_seen:
        wide = 2 * dish.radius_px * trial.pixel_size_um / 1000
        said.append(f"Dish {2 * dish.radius_px:.0f} px or {wide:.1f} mm wide inside.")
    else:
        said.append("No dish is seen whole.")
    said.append("A mark was found." if trial.description.mark else "No mark was found.")
    said.append(f"Pixel size {trial.pixel_size_um:g} um. {trial.seconds:.0f} s.")
    return " ".join(said)


def _pictures(one: Advice, trial: Trial, now: str) -> list[tuple[str, str]]:
    """Return the pictures that show the effect of an advice."""
    if one.kind == "alignment" and trial.kind != now:
        both = {
            t: each for t, each in trial.alignments.items()
            if now in each.fits and trial.kind in each.fits
        }  # fmt: skip
        if not both:
            return []
        worst = max(both, key=lambda t: both[t].moved_edge_px(now, trial.kind))
        url = effect_of_alignment(
            trial.reference.picture, trial.frames[worst], both[worst], now, trial.kind
        )
        caption = (
            f"Timepoint {worst} (cyan) on the first frame (red) where it differs most; left: now,"
            " right: proposed. What lies in its place is grey."
        )
        return [(url, caption)]
    if one.kind in ("faint", "rim"):
        reasons = _reasons(trial, trial.found), _reasons(trial, trial.after)
        lost = [pair for key, pair in reasons[0].items() if not pair[1].reason
                and key in reasons[1] and reasons[1][key][1].reason]  # fmt: skip
        won = [pair for key, pair in reasons[1].items() if not pair[1].reason
               and key in reasons[0] and reasons[0][key][1].reason]  # fmt: skip
        own = "faint" if one.kind == "faint" else "edge of dish"
        lost = [
            pair for pair in lost
            if reasons[1][_key(pair)][1].reason == own
        ]  # fmt: skip
        found = []
        for title, pairs in (("dropped with this setting", lost), ("kept with this setting", won)):
            if pairs and (title.startswith("dropped") or one.kind == "rim"):
                found.append((crops_url(pairs), f"{len(pairs)} objects {title}."))
        if one.kind == "faint":
            kept = [pair for pair in reasons[1].values() if not pair[1].reason]
            kept.sort(key=lambda pair: pair[1].contrast)
            found.append((crops_url(kept), "The faintest objects that stay."))
        return found
    if one.kind == "unsure":
        now_found = _reasons(trial, trial.found)
        won = [
            pair for key, pair in _reasons(trial, trial.after).items()
            if not pair[1].reason and key not in now_found
        ]  # fmt: skip
        return [(crops_url(won), f"{len(won)} objects kept with this setting.")]
    if one.kind == "size":
        kept = [pair for pair in _reasons(trial, trial.found).values() if not pair[1].reason]
        return [(crops_url(kept), "Objects that are kept, as the detector sees them.")]
    return []


def _key(pair: tuple[Searched, Found]) -> tuple[int, int, int, int]:
    one, each = pair
    return one.timepoint, each.instance.top, each.instance.left, each.instance.area


def _reasons(trial: Trial, found: dict[int, list[Found]]) -> dict[Any, tuple[Searched, Found]]:
    """Return every object with its frame, by timepoint and place."""
    pairs = [(trial.searched[t], each) for t, objects in found.items() for each in objects]
    return {_key(pair): pair for pair in pairs}

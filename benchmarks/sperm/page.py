"""The page of the evaluation of the sperm tree."""

import re

import pandas as pd

from benchmarks.aims import Aim, aims_table, found_of, wide, with_interval
from benchmarks.sperm.page_text import TEXT
from snakescope.report.pages import markdown
from snakescope.sperm.networks.catalogue import ABOUT

DONORS, CLIPS, SHUFFLED = "simulated_donor_folds", "simulated_clip_folds", "shuffled_frames"
MAPS, SPEED, CEILINGS = "explanations", "throughput", "ceilings"
RIVALS = ("timesformer", "rostfine")
COMPACT = ("ours", *RIVALS, "slowfast", "r3d", "vit", "vgg16")
"""Networks of the compact protocol."""
FULL_HOURS_EACH = 615 * 0.6 * 200 * 5 / 3600
"""Hours of a network's five folds at one clip a second: 369 clips, 200 epochs."""


def best_video(table: pd.DataFrame) -> str:
    """The published network of clips with the least error, or an empty name."""
    rows = table[(table["set"] == DONORS) & (table["metric"] == "mse_e2")]
    rows = rows[[ABOUT[name].kind == "video" and name != "ours" if name in ABOUT else False
                 for name in rows["network"]]]  # fmt: skip
    return "" if rows.empty else str(rows.sort_values("value")["network"].iloc[0])


def aims(table: pd.DataFrame) -> list[Aim]:
    """All aims; those on abstention and shuffled frames are shares of what was measured."""
    best = best_video(table)
    found = [
        Aim(f"best published network of clips ({best or 'none yet'}) explains, at least", DONORS,
            best, "explained", 0.30),
        Aim("`ours` explains, at least", DONORS, "ours", "explained", 0.40),
    ]  # fmt: skip
    found += [
        Aim(f"`{best}` less `{image}` (error, 1e-2): interval below 0", DONORS,
            f"{best} - {image}", "mse_e2", 0.0, "high", most=True)
        for image in ("vgg16", "vit")
    ]  # fmt: skip
    found += [
        Aim(f"`{name}`: shuffled frames cost (1e-2), at least", SHUFFLED, name, "mse_e2_cost", 0.10)
        for name in sorted(set(table.loc[table["set"] == SHUFFLED, "network"]))
    ]
    for rival in RIVALS:
        found.append(Aim(f"`ours` below `{rival}`, share of its error, at least", DONORS,
                         f"ours - {rival}", "mse_lower_by", 0.08))  # fmt: skip
        found.append(Aim("the same: p, at most", DONORS, f"ours - {rival}", "p", 0.05, most=True))
    found += [
        Aim("`ours`: balanced accuracy of the mode, at least", DONORS, "ours",
            "balanced_accuracy", 0.36),
        Aim("`ours`: correlation of the mean grade, at least", DONORS, "ours", "correlation", 0.70),
        Aim("`ours`: 90 % interval covers at least", DONORS, "ours", "coverage_90", 0.86),
        Aim("the same, at most", DONORS, "ours", "coverage_90", 0.94, most=True),
    ]  # fmt: skip
    whole = found_of(table, DONORS, "ours", "mse_e2")
    if whole is not None:
        found.append(Aim("`ours`: error of the least doubtful 70 %, at most 0.85 of all", DONORS,
                         "ours", "mse_at_70_coverage", round(0.85 * float(whole["value"]), 3),
                         most=True))  # fmt: skip
    found += [
        Aim("dishes of 20: Kendall's tau, at least", "dishes", "ours", "kendall_tau", 0.5),
        Aim("dishes of 20: best among our first three, at least", "dishes", "ours",
            "best_in_three", 0.75),
        Aim("the same in a hundred other dishes", "more_dishes", "ours", "best_in_three", 0.75),
    ]  # fmt: skip
    for name in map_names(table):
        found += map_aims(table, name)
    found += [
        Aim("real field: rank correlation of speeds, at least", "visem", "ours",
            "speed_spearman", 0.9),
        Aim("real field: median error of movers, at most", "visem", "ours", "speed_error", 0.10,
            most=True),
        Aim("real field: fastest that stands (um/s), at most", "visem", "ours",
            "immotile_fastest_um_s", 2.0, most=True),
        Aim("real field: F1 of heads after linking, at least", "visem", "ours", "detection_f",
            0.85),
        Aim("the same by each frame alone", "visem", "ours", "detection_f_by_frame", 0.85),
        Aim("a video of a minute, two cores (minutes), at most", SPEED,
            "video of 60 s, 640 x 480, 2 cores", "minutes", 3.0, most=True),
        Aim("the same: minutes that cores worked for it, at most", SPEED,
            "video of 60 s, 640 x 480, 2 cores", "core_minutes", 6.0, most=True),
    ]  # fmt: skip
    return found


def map_names(table: pd.DataFrame) -> list[str]:
    """Networks with methods that were measured, rollout left out, which looks at no score."""
    names = table.loc[table["set"] == MAPS, "network"].unique()
    return sorted(name for name in names if "rollout" not in name)


def map_aims(table: pd.DataFrame, name: str) -> list[Aim]:
    """What is asked of the maps of a network."""
    rival = found_of(table, MAPS, name, "pointing_gaussian")
    least = 0.0 if rival is None else float(rival["value"])
    return [
        Aim(f"{name}: pointing, at least", MAPS, name, "pointing", 0.85),
        Aim(f"{name}: pointing, above the Gaussian's", MAPS, name, "pointing", least),
        Aim(f"{name}: share of a changed head, at least", MAPS, name, "counterfactual_head", 0.5),
        Aim(f"{name}: share of a changed tail, at least", MAPS, name, "counterfactual_tail", 0.4),
        Aim(f"{name}: correlation with random weights, at most", MAPS, name,
            "randomised_correlation", 0.2, most=True),
    ]  # fmt: skip


def long(table: pd.DataFrame) -> pd.DataFrame:
    """A row a figure, with its interval."""
    shown = table[["set", "network", "metric"]].copy()
    shown["value"] = [with_interval(row) for _, row in table.iterrows()]
    shown["n"] = table["n"].astype(int)
    return shown


def claim(table: pd.DataFrame) -> str:
    """What the maps say to the paper's claim that CNNs see heads and transformers tails."""
    found = {}
    for name in sorted(set(table.loc[table["set"] == MAPS, "network"])):
        both = [found_of(table, MAPS, name, part) for part in ("head", "tail")]
        if both[0] is not None and both[1] is not None:
            found[name] = [float(one["value"]) for one in both if one is not None]
    if not found:
        return "Nothing was measured yet."
    kinds = {
        "CNNs": [v for k, v in found.items() if "grad_cam" in k],
        "transformers": [v for k, v in found.items() if "relevance" in k],
    }
    heads = {kind: sum(h > t for h, t in values) for kind, values in kinds.items()}
    said = " and ".join(
        f"the maps of {heads[kind]} of {len(values)} {kind} are denser on the head than on the tail"
        for kind, values in kinds.items()
    )
    holds = (
        heads["CNNs"] == len(kinds["CNNs"])
        and heads["transformers"] == 0
        and all(kinds.values())
    )  # fmt: skip
    verdict = "holds" if holds else "does not hold"
    return (
        f"The paper's claim that CNNs look at heads and transformers at tails {verdict} on these"
        f" clips: {said}."
    )


def missing(table: pd.DataFrame) -> str:
    """Which networks, and which seeds of those that are compared, have no complete folds."""
    rows = table[(table["set"] == DONORS) & (table["metric"] == "mse_e2")]
    there = set(rows["network"])
    found = [f"`{name}`" for name in COMPACT if name not in there]
    found += [
        f"`{name}` with seed {seed}"
        for name in ("ours", *RIVALS)
        for seed in (2, 3)
        if name in there and f"{name}, seed {seed}" not in there
    ]
    return f"Not trained in all folds: {', '.join(found) or 'none'}."


def pictures(table: pd.DataFrame) -> str:
    """What pictures are worth to ours beside the drift, as text."""
    row = found_of(table, DONORS, "ours - ours, drift alone", "mse_e2")
    if row is None:
        return "what was not measured yet"
    gain = -row["value"], -row["high"], -row["low"]
    text = "{:.3f} [{:.3f}, {:.3f}]".format(*gain)
    return text + (" of the error" if gain[1] > 0 else " of the error, so that none can be told")


SCORES = {
    "mse_e2": "error (1e-2)", "explained": "explained", "js_e2": "JS (1e-2)", "emd": "EMD",
    "balanced_accuracy": "balanced accuracy", "correlation": "correlation",
    "coverage_90": "coverage of 90 %", "mse_at_70_coverage": "error of 70 %",
}  # fmt: skip
READERS = {
    "best_in_three": "best in three", "kendall_tau": "Kendall's tau",
    "correlation": "correlation", "mse_e2": "error (1e-2)",
    "share_at_70_coverage": "share at 70 %",
}  # fmt: skip
PAIRED = {"mse_e2": "difference (1e-2)", "mse_lower_by": "lower by", "p": "p", "seeds": "seeds"}
POINTING = {
    "pointing": "pointing", "pointing_gaussian": "of a Gaussian",
    "concentration": "concentration", "concentration_gaussian": "of a Gaussian ",
    "head": "on the head", "tail": "on the tail",
}  # fmt: skip
CHANGED = {
    "counterfactual_head": "changed head", "counterfactual_head_area": "its area",
    "counterfactual_tail": "changed tail", "counterfactual_tail_area": "its area ",
    "randomised_correlation": "random weights", "deletion": "deletion", "insertion": "insertion",
}  # fmt: skip


def fields(table: pd.DataFrame) -> str:
    """What clips of fields have for their speed, in words."""
    names = ("share_trusted", "error_clip_um_s", "error_given_um_s", "share_two_speeds",
             "error_clip_trusted_um_s")  # fmt: skip
    found = [found_of(table, "fields", "ours", name) for name in names]
    if any(one is None for one in found):
        return "They are not measured yet."
    trusted, clip, given, two, wrong = (float(one["value"]) for one in found if one is not None)
    return (
        f"By the background of the clip alone the VSL is off by {clip:.1f}, by the track, which is"
        f" what is given, by {given:.2f}. {trusted:.1%} of the backgrounds are trusted, and not all"
        f" of these are right (off by {wrong:.1f}); {two:.1%} of the clips have the flag"
        " *two speeds* and are not graded."
    )


def told(table: pd.DataFrame) -> str:
    """What the movement of a track changes in the grades, in words."""
    found = [
        found_of(table, "told", *name)
        for name in (("measured", "mse_e2"), ("track", "mse_e2"), ("both", "mean_grades_apart"))
    ]
    if any(one is None for one in found):
        return "They are not measured yet."
    measured, track, apart = (float(one["value"]) for one in found if one is not None)
    return (
        f"The error is {measured:.2f} and {track:.2f} (1e-2), and mean grades are"
        f" {apart:.2f} of a grade apart. That is a little worse, and far less than the error of a"
        " background that says nothing."
    )


def page(table: pd.DataFrame) -> str:
    """The page with all tables.

    Args:
        table: docs/tables/sperm-evaluation.tsv.
    """
    pair = table["network"].str.contains(" - ", regex=False)
    other = table[table["set"].isin(["dishes", "more_dishes", "visem", "fields", "told"])]
    speed = table[table["set"] == SPEED]
    counts = table[table["set"] == "networks"].pivot(
        index="network", columns="metric", values="value"
    )
    if len(counts):
        counts = counts.astype(int).reindex(list(ABOUT)).reset_index()
        counts["paper"] = [ABOUT[name].paper for name in counts["network"]]
    text = TEXT.format(
        hours=FULL_HOURS_EACH,
        aims=markdown(aims_table(table, aims(table))),
        scores=markdown(wide(table[~pair], DONORS, SCORES)),
        missing=missing(table),
        paired=markdown(wide(table[pair], DONORS, PAIRED)),
        shuffled=markdown(wide(table, SHUFFLED, {"mse_e2": "error", "mse_e2_cost": "cost"})),
        clips=markdown(wide(table, CLIPS, {**SCORES, "explained_gain": "more than by donor"})),
        claim=claim(table),
        pointing=markdown(wide(table, MAPS, POINTING)),
        changed=markdown(wide(table, MAPS, CHANGED)),
        other=markdown(long(other)),
        fields=fields(table),
        told=told(table),
        ceilings=markdown(wide(table, CEILINGS, READERS)),
        pictures=pictures(table),
        speed=markdown(long(speed)),
        networks=markdown(counts),
    )
    return re.sub(r"\n{3,}", "\n\n", text)

"""Linking of the detections of stopped worms by one integer programme per plate.

Matsuo et al., section 3.4, follow detections near the centroid of a stopped worm; here all worms
are linked jointly, and gaps are allowed:

    minimise    sum_j (a_j + c_j) s_j + sum_j d_j e_j + sum_ij (l_ij + c_j) z_ij
    subject to  s_j + sum_i z_ij <= 1                   (a detection is used once)
                s_j + sum_i z_ij = e_j + sum_k z_jk     (and left as it is entered)
                s, e, z in {0, 1}

``s`` is appearance, ``e`` disappearance, ``z`` a link. Unused detections are movers or false; a
used detection j costs c_j. The programme is a network flow, so its relaxation is integral.
Connected components of the graph of links are independent and solved separately.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pulp
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from snakescope.healthspan.tracking.settings import TrackSettings
from snakescope.step.errors import StepError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Candidates:
    """Detections that may belong to stopped worms, (N,) each.

    ``frame`` is the rank among the usable frames, ``position`` (N, 2) y, x in px;
    ``probability`` (N, 3) healthy, immobile, dead, NaN for unknown states.
    """

    frame: Ints
    position: Floats
    probability: Floats

    def __len__(self) -> int:
        return len(self.frame)


@dataclass(frozen=True)
class Links:
    """Possible links ``tail -> head`` between candidates, with their cost (nat), (M,) each."""

    tail: Ints
    head: Ints
    cost: Floats


def detection_costs(candidates: Candidates, settings: TrackSettings) -> Floats:
    """Return the cost of using each detection, (N,) nat: log odds of healthy against stopped.

    The cost of an unknown state is 0.
    """
    healthy = candidates.probability[:, 0]
    bounded = np.clip(healthy, settings.probability_floor, 1 - settings.probability_floor)
    return np.nan_to_num(np.log(bounded / (1 - bounded)), nan=0.0)


def possible_links(candidates: Candidates, settings: TrackSettings) -> Links:
    """Return all links within the gate, (M,) each.

    A link spans up to ``max_gap`` frames within ``gate_px``, or up to ``max_still_gap`` frames
    within ``still_px``, since an object that has not moved at all is the same corpse or debris. The
    cost of missed frames is bounded, just below that of a disappearance and an appearance.
    """
    empty = np.zeros(0, np.int64)
    if len(candidates) < 2:
        return Links(empty, empty, np.zeros(0))
    reach = max(settings.gate_px, settings.still_px)
    pairs = KDTree(candidates.position).query_pairs(reach, output_type="ndarray").astype(np.int64)
    earlier = candidates.frame[pairs[:, 0]] <= candidates.frame[pairs[:, 1]]
    tail = np.where(earlier, pairs[:, 0], pairs[:, 1])
    head = np.where(earlier, pairs[:, 1], pairs[:, 0])
    gap = candidates.frame[head] - candidates.frame[tail]
    shift = np.linalg.norm(candidates.position[head] - candidates.position[tail], axis=1)
    near = (gap <= settings.max_gap) & (shift <= settings.gate_px)
    still = (gap <= settings.max_still_gap) & (shift <= settings.still_px)
    # Long links past a detection of the same still object only slow the solver down.
    seen_soon = np.zeros(len(candidates), bool)
    seen_soon[tail[near & still & (gap >= 1)]] = True
    kept = (gap >= 1) & (near | (still & ~seen_soon[tail]))
    tail, head, gap, shift = tail[kept], head[kept], gap[kept], shift[kept]
    most = 0.9 * (settings.appearance_cost + settings.disappearance_cost)
    missed = np.minimum(settings.missed_cost * (gap - 1), most)
    probability = np.nan_to_num(candidates.probability, nan=0.0)
    reversal = settings.reversal_cost * probability[tail, 2] * probability[head, 1]
    order = np.lexsort((head, tail))
    cost = shift / settings.shift_scale_px - settings.place_evidence + missed + reversal
    return Links(tail[order], head[order], cost[order])


def disappearance_costs(candidates: Candidates, frames: int, settings: TrackSettings) -> Floats:
    """Return the cost of ending a track at each detection, (N,) nat.

    It is lower near the last frame, after which a worm may just have been missed.
    """
    left = frames - 1 - candidates.frame
    return np.minimum(settings.disappearance_cost, settings.missed_cost * left)


def independent_parts(candidates: Candidates, links: Links) -> list[tuple[Ints, Ints]]:
    """Return the connected components: indices of their candidates and of their links."""
    count = len(candidates)
    if count == 0:
        return []
    graph = coo_array((np.ones(len(links.tail)), (links.tail, links.head)), shape=(count, count))
    parts, label = connected_components(graph, directed=False)
    by_label = np.argsort(label, kind="stable")
    members = np.split(by_label, np.cumsum(np.bincount(label, minlength=parts))[:-1])
    link_label = label[links.tail]
    link_order = np.argsort(link_label, kind="stable")
    link_counts = np.bincount(link_label, minlength=parts)
    joined = np.split(link_order, np.cumsum(link_counts)[:-1])
    return list(zip(members, joined, strict=True))


def _solver(settings: TrackSettings) -> pulp.LpSolver:
    limit = settings.time_limit_s
    if settings.solver == "cbc":
        return pulp.PULP_CBC_CMD(msg=False, timeLimit=limit, threads=1)
    return pulp.HiGHS(msg=False, timeLimit=limit, threads=1)


def solve_part(
    use: Floats,
    appear: Floats,
    disappear: Floats,
    links: Sequence[tuple[int, int, float]],
    settings: TrackSettings,
) -> list[list[int]]:
    """Solve one component; return its tracks as lists of detections in order of time.

    Args:
        use, appear, disappear: costs of each detection (nat), (n,).
        links: (tail, head, cost) with tail and head in 0 .. n-1.

    Raises:
        StepError: the solver found no optimal solution within ``time_limit_s``.
    """
    count = len(use)
    if not links:
        alone = use + appear + disappear
        return [[i] for i in range(count) if alone[i] < 0]
    programme = pulp.LpProblem("stopped_worms", pulp.LpMinimize)
    s = [pulp.LpVariable(f"s{i}", cat=pulp.LpBinary) for i in range(count)]
    e = [pulp.LpVariable(f"e{i}", cat=pulp.LpBinary) for i in range(count)]
    z = [pulp.LpVariable(f"z{k}", cat=pulp.LpBinary) for k in range(len(links))]
    terms = [(s[i], float(appear[i] + use[i])) for i in range(count)]
    terms += [(e[i], float(disappear[i])) for i in range(count)]
    terms += [(z[k], cost + float(use[head])) for k, (_, head, cost) in enumerate(links)]
    programme.setObjective(pulp.LpAffineExpression(terms))
    entering: list[list[tuple[pulp.LpVariable, int]]] = [[(s[i], 1)] for i in range(count)]
    leaving: list[list[tuple[pulp.LpVariable, int]]] = [[(e[i], -1)] for i in range(count)]
    for k, (tail, head, _) in enumerate(links):
        leaving[tail].append((z[k], -1))
        entering[head].append((z[k], 1))
    for i in range(count):
        programme.addConstraint(pulp.LpAffineExpression(entering[i]) <= 1)
        programme.addConstraint(pulp.LpAffineExpression(entering[i] + leaving[i]) == 0)
    programme.solve(_solver(settings))
    # The status alone is "Optimal" also for the best solution at the time limit, which depends on
    # the speed of the machine.
    if programme.sol_status != pulp.LpSolutionOptimal:
        found = pulp.LpSolution[programme.sol_status]
        raise StepError(
            f"track: expected the best tracks for {count} linked detections within "
            f"{settings.time_limit_s:g} s, found that the solver says: {found}; "
            "raise healthspan.tracking.time_limit_s or lower healthspan.tracking.gate_px"
        )
    following = {tail: head for k, (tail, head, _) in enumerate(links) if (z[k].value() or 0) > 0.5}
    tracks = []
    for first in (i for i in range(count) if (s[i].value() or 0) > 0.5):
        track = [first]
        while track[-1] in following:
            track.append(following[track[-1]])
        tracks.append(track)
    return tracks


def link_candidates(
    candidates: Candidates, frames: int, settings: TrackSettings
) -> list[list[int]]:
    """Return the tracks of stopped worms, as lists of indices of ``candidates`` in order of time.

    Args:
        frames: number of usable frames of the plate.

    Raises:
        StepError: see :func:`solve_part`.
    """
    links = possible_links(candidates, settings)
    use = detection_costs(candidates, settings)
    appear = np.full(len(candidates), settings.appearance_cost)
    disappear = disappearance_costs(candidates, frames, settings)
    tracks: list[list[int]] = []
    place = np.zeros(len(candidates), np.int64)
    for members, joined in independent_parts(candidates, links):
        place[members] = np.arange(len(members))
        own = [
            (int(place[links.tail[k]]), int(place[links.head[k]]), float(links.cost[k]))
            for k in joined
        ]
        found = solve_part(use[members], appear[members], disappear[members], own, settings)
        tracks.extend([[int(members[i]) for i in track] for track in found])
    return sorted(tracks, key=lambda track: (candidates.frame[track[0]], track[0]))

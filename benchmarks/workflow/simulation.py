"""A run on a cluster, simulated event by event: when every job starts and ends.

The model: one process submits jobs one after the other, never more than ``jobs`` at a time; a job
takes its cores and its GPU as soon as they are free, first come first served within the jobs that
fit; it costs ``start_s`` before its step begins. That a job has ended is seen at the next look at
the queue only: looks come every ``poll_s``, 10 s later after each one without news up to
``greatest_poll_s``, as the executor plugin does. Steps that read and write share a file system of
``disk_mb_per_s``.
"""

import heapq
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

CPU, GPU = "cpu", "gpu"


@dataclass(frozen=True)
class Cluster:
    """What there is to run on; one GPU job uses one GPU, and its cores on the GPU's node."""

    cores: int
    gpus: int
    jobs: int = 200
    submit_s: float = 0.5
    start_s: float = 6.0
    poll_s: float = 40.0
    poll_step_s: float = 10.0
    greatest_poll_s: float = 180.0
    disk_mb_per_s: float = 500.0


@dataclass(frozen=True)
class Task:
    """A job to simulate: seconds of its step, cores, whether it takes a GPU, MB that it moves."""

    seconds: float
    cores: int = 1
    gpu: bool = False
    after: tuple[int, ...] = ()
    disk_mb: float = 0.0


@dataclass
class Result:
    """Times of a simulated run, all in seconds.

    ``busy_s`` are core or GPU seconds in which a step worked, ``held_s`` those that were reserved,
    ``submitting_s`` the time that submission took, ``disk_s`` the time that the file system alone
    would need for all that was moved.
    """

    wall_s: float = 0.0
    busy_s: dict[str, float] = field(default_factory=lambda: {CPU: 0.0, GPU: 0.0})
    held_s: dict[str, float] = field(default_factory=lambda: {CPU: 0.0, GPU: 0.0})
    submitting_s: float = 0.0
    disk_s: float = 0.0
    jobs: int = 0


def simulate(tasks: Mapping[int, Task], cluster: Cluster) -> Result:
    """Run ``tasks``, by their number, on ``cluster``.

    Raises:
        ValueError: a task waits for one that never runs, or is larger than the cluster.
    """
    waiting = {number: len(task.after) for number, task in tasks.items()}
    followers: dict[int, list[int]] = defaultdict(list)
    for number, task in tasks.items():
        for before in task.after:
            followers[before].append(number)
    ready = deque(number for number, count in waiting.items() if count == 0)
    free = {CPU: cluster.cores, GPU: cluster.gpus}
    queues: dict[str, deque[int]] = {CPU: deque(), GPU: deque()}
    running: list[tuple[float, int]] = []
    ended: list[int] = []
    result = Result(jobs=len(tasks))
    now, submitted_until, in_flight, done = 0.0, 0.0, 0, 0
    poll_s, next_poll = cluster.poll_s, cluster.poll_s
    arrivals: deque[tuple[float, int]] = deque()
    while done < len(tasks):
        while ready and in_flight < cluster.jobs:
            number = ready.popleft()
            submitted_until = max(now, submitted_until) + cluster.submit_s
            result.submitting_s += cluster.submit_s
            arrivals.append((submitted_until, number))
            in_flight += 1
        _start(tasks, queues, free, running, now, cluster, result)
        times = [next_poll] if in_flight else []
        times += [arrivals[0][0]] if arrivals else []
        times += [running[0][0]] if running else []
        if not times or not (arrivals or running or ended):
            raise ValueError("a task waits for one that never runs, or is too large")
        now = min(times)
        while arrivals and arrivals[0][0] <= now:
            number = arrivals.popleft()[1]
            queues[GPU if tasks[number].gpu else CPU].append(number)
        while running and running[0][0] <= now:
            number = heapq.heappop(running)[1]
            free[GPU if tasks[number].gpu else CPU] += _units(tasks[number])
            ended.append(number)
        if next_poll <= now:
            poll_s = cluster.poll_s if ended else poll_s + cluster.poll_step_s
            poll_s = min(poll_s, max(cluster.greatest_poll_s, cluster.poll_s))
            next_poll = now + poll_s
            for number in ended:
                done += 1
                in_flight -= 1
                for follower in followers[number]:
                    waiting[follower] -= 1
                    if waiting[follower] == 0:
                        ready.append(follower)
            ended.clear()
    result.wall_s = now
    result.disk_s = sum(task.disk_mb for task in tasks.values()) / cluster.disk_mb_per_s
    return result


def _units(task: Task) -> int:
    return 1 if task.gpu else task.cores


def _start(
    tasks: Mapping[int, Task],
    queues: Mapping[str, deque[int]],
    free: dict[str, int],
    running: list[tuple[float, int]],
    now: float,
    cluster: Cluster,
    result: Result,
) -> None:
    """Start what fits, in the order of arrival; a job that does not fit lets others pass."""
    for kind, queue in queues.items():
        kept: list[int] = []
        while queue and free[kind] > 0:
            number = queue.popleft()
            task = tasks[number]
            units = _units(task)
            if units > free[kind]:
                kept.append(number)
                continue
            free[kind] -= units
            # A share of the file system's speed, for as many jobs as are running now.
            moving = task.disk_mb * (len(running) + 1) / cluster.disk_mb_per_s
            seconds = cluster.start_s + max(task.seconds, moving)
            result.busy_s[kind] += task.seconds * units
            result.held_s[kind] += seconds * units
            heapq.heappush(running, (now + seconds, number))
        queue.extendleft(reversed(kept))


def lower_bounds(tasks: Sequence[Task], cluster: Cluster) -> dict[str, float]:
    """Return the shortest wall time that each part of the cluster allows (s)."""
    gpu = sum(task.seconds + cluster.start_s for task in tasks if task.gpu)
    cpu = sum((task.seconds + cluster.start_s) * task.cores for task in tasks if not task.gpu)
    return {
        "submission": len(tasks) * cluster.submit_s,
        "GPU": gpu / cluster.gpus if cluster.gpus else 0.0,
        "CPU": cpu / cluster.cores if cluster.cores else 0.0,
        "file system": sum(task.disk_mb for task in tasks) / cluster.disk_mb_per_s,
    }

"""How a site grows beyond one process: several web processes, and rooms spread over Redis hosts.

Web processes and hosts of Redis are measured one beside the other on one machine. What one of
them costs, and how that depends on the number of the others, tells what a large site needs.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lab.kit.statistics import median, slope

from .rig import Rig
from .summary import Row, figure, select
from .table_of_peers import Peer

__all__ = ["BUSY", "UPDATES", "Growth", "Need", "growth_of", "measure_machines", "needs"]

ROOMS = 200
ROOMS_EACH = 20
MERGE_RATE = 4
UPDATES = 200

_HOSTS = (1, 2)
_PROCESSES = (1, 2, 3, 4)
_BROWSERS_EACH = 50

#: More browsers of one process, which tell what one of them costs.
_BROWSERS_OF_ONE = (150, 300)

#: The share of a core that a process may use; the rest is for bursts and joins.
BUSY = 0.6

_Step = tuple[int, int, int]


@dataclass(frozen=True)
class Growth:
    """What was fitted to the measurements; shares of a core."""

    process: float
    """A web process with all rooms and without browsers, at ``UPDATES`` a second."""
    browser: float
    """One more browser of a web process."""
    more_processes: float
    """How much more a web process costs for each further one."""
    redis: float
    """Redis without a process that subscribes, for each update a second."""
    subscriber: float
    """Redis for each process that subscribes, and each update a second."""
    feeder: float
    """The stream."""


@dataclass(frozen=True)
class Need:
    """What a number of browsers with watch lists needs."""

    browsers: int
    updates: int
    """Updates per second of all rooms."""
    processes: int
    redis: float
    """Cores of Redis, of all hosts."""
    hosts: int


def measure_machines(peer: Peer, seconds: float) -> list[dict[str, Any]]:
    """Measure each number of processes and hosts, and one process with more browsers."""
    steps: list[_Step] = [
        (hosts, processes, _BROWSERS_EACH) for hosts in _HOSTS for processes in _PROCESSES
    ]
    steps += [(1, 1, browsers) for browsers in _BROWSERS_OF_ONE]
    return [_step(peer, step, seconds) for step in steps]


def _step(peer: Peer, step: _Step, seconds: float) -> dict[str, Any]:
    hosts, processes, each = step
    with Rig(peer, ROOMS, web_processes=processes, redis_hosts=hosts) as rig:
        rig.rate(UPDATES)
        rig.browsers.ask(
            do="open",
            count=each * processes,
            ports=rig.ports,
            rooms=ROOMS,
            rooms_each=ROOMS_EACH,
            merge_rate=MERGE_RATE,
            timeout=90,
        )
        time.sleep(2)
        row = rig.measure(seconds, MERGE_RATE)
    return {"hosts": hosts, "processes": processes, "browsers_each": each, **row}


def growth_of(rows: Sequence[Row]) -> Growth | None:
    """Fit the growth to the rows of all steps; ``None`` if a step is missing."""
    alone = [
        (float(each), figure(select(rows, hosts=1, processes=1, browsers_each=each), _of_one))
        for each in (_BROWSERS_EACH, *_BROWSERS_OF_ONE)
    ]
    by_processes = [
        (float(number), select(rows, hosts=1, processes=number, browsers_each=_BROWSERS_EACH))
        for number in _PROCESSES
    ]
    costs = [(number, figure(own, _of_one)) for number, own in by_processes]
    redis = [(number, figure(own, _redis_of_an_update)) for number, own in by_processes]
    points, cost_points, redis_points = map(_known, (alone, costs, redis))
    if len(points) < len(alone) or len(redis_points) < len(redis):
        return None
    browser, subscriber = slope(points), slope(redis_points)
    return Growth(
        process=_begin(points, browser),
        browser=browser,
        more_processes=slope(cost_points),
        redis=_begin(redis_points, subscriber),
        subscriber=subscriber,
        feeder=median(row["feeder_load"] for row in rows),
    )


def needs(growth: Growth, browsers: int, updates: int) -> Need:
    """Return what so many browsers need if all rooms together have so many updates a second.

    Each web process takes in all updates, and is loaded up to ``BUSY``.
    """
    taken_in = growth.process * updates / UPDATES
    processes = math.ceil(browsers * growth.browser / max(BUSY - taken_in, 0.01))
    redis = updates * (growth.redis + growth.subscriber * processes)
    return Need(browsers, updates, processes, redis, max(1, math.ceil(redis / BUSY)))


def _of_one(row: Row) -> float:
    load: float = row["server_load"] / row["processes"]
    return load


def _redis_of_an_update(row: Row) -> float:
    load: float = row["redis_load"] / row["updates_per_second"]
    return load


def _known(points: Sequence[tuple[float, float | None]]) -> list[tuple[float, float]]:
    return [(x, y) for x, y in points if y is not None]


def _begin(points: Sequence[tuple[float, float]], steep: float) -> float:
    """Return where the fitted line begins, but nothing below zero."""
    return max(0.0, sum(y - steep * x for x, y in points) / len(points))

"""The run of a soak: browsers, faults and samples."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from lab.kit.processes import Failed
from lab.kit.terminal import say

from .faults import Fault, schedule
from .samples import Sample, all_told, look
from .site import SYMBOLS, Site

__all__ = ["Plan", "Result", "soak"]

LOOK_SECONDS = 5

#: Some visitors before the start, so that the start values are those of a used site.
FIRST_VISITORS = 10
FIRST_SECONDS = 5

#: An idle hub ends after 30 s, and a room without viewers is left after the same time.
IDLE_SECONDS = 40

#: How long everything may take to recover after the last fault, in seconds.
PATIENCE_SECONDS = 90

_PAUSE = 0.25


@dataclass(frozen=True)
class Plan:
    """The parameters of a soak."""

    seed: int
    minutes: float
    browsers: int
    updates: float
    streams: int


@dataclass
class Result:
    """The results of a soak."""

    plan: Plan
    samples: list[Sample] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    """The injected faults with their actual times."""
    start: list[Sample] = field(default_factory=list)
    end: list[Sample] = field(default_factory=list)
    connections_most: int = 0
    """Most connections to the vendor at one time; a key allows only one."""
    crowd: dict[str, Any] = field(default_factory=dict)
    """The last count of the browsers."""
    here_after: float | None = None
    """Seconds until all browsers were connected and had prices; ``None``: never."""
    right_after: float | None = None
    """Seconds from the last prices until every browser showed them; ``None``: never."""
    back_after: float | None = None
    """Seconds from the last visit until sockets and tasks were at their start values."""


class _Soak:
    def __init__(self, site: Site, plan: Plan) -> None:
        self._site = site
        self._began = time.monotonic()
        self.result = Result(plan)

    def _now(self) -> float:
        return time.monotonic() - self._began

    def _look(self) -> list[Sample]:
        samples = look(self._site.processes, self._now())
        connections = self._site.vendor.ask(do="count")["connections"]
        self.result.connections_most = max(self.result.connections_most, connections)
        self.result.samples += samples
        return samples

    def run(self) -> None:
        """Run everything, from the first visitors to the last sample."""
        plan = self.result.plan
        self._open(FIRST_VISITORS)
        time.sleep(FIRST_SECONDS)
        self._site.crowd.ask(do="leave")
        time.sleep(IDLE_SECONDS)
        self._began = time.monotonic()
        if self._until(self._start_is_told) is None:
            raise Failed("some processes of the site do not run or do not answer")
        self._open(plan.browsers)
        self._suffer(60 * plan.minutes)
        self._settle()
        self._empty()

    def _start_is_told(self) -> bool:
        self.result.start = self._look()
        names = self._site.processes
        return len(self.result.start) == len(names) and all_told(self.result.start)

    def _open(self, count: int) -> None:
        seed, urls = self.result.plan.seed, self._site.urls
        self._site.crowd.ask(do="open", urls=urls, count=count, symbols=SYMBOLS, seed=seed)

    def _suffer(self, seconds: float) -> None:
        """Inject faults and take samples for this time."""
        random = Random(self.result.plan.seed)
        faults = schedule(random, seconds, self._site.to_kill)
        look_at = self._now()
        while (now := self._now()) < seconds:
            if faults and now >= faults[0].at:
                self._do(faults.pop(0))
            if self._now() >= look_at:
                look_at = self._now() + LOOK_SECONDS
                self._look()
            time.sleep(_PAUSE)

    def _do(self, fault: Fault) -> None:
        self.result.faults.append(Fault(self._now(), fault.kind, fault.details))
        say(f"{self._now():7.1f} s  {fault.kind} {fault.details or ''}")
        site, details = self._site, fault.details
        if fault.kind.endswith("killed"):
            site.start(site.kill(details["name"]))
        elif fault.kind == "redis restarts":
            site.kill("redis")
            time.sleep(details["down"])
            site.start("redis")
        elif fault.kind == "redis closes connections":
            site.cut_redis_clients()
        elif fault.kind == "vendor resets":
            site.vendor.ask(do="reset")
        elif fault.kind == "vendor sends malformed frames":
            site.vendor.ask(do="malform", **details)
        elif fault.kind == "browsers stall":
            site.crowd.ask(do="stall", **details)
        else:
            site.crowd.ask(do="babble", **details)

    def _settle(self) -> None:
        """Wait until all browsers are connected, then until they show the last prices."""
        crowd, result = self._site.crowd, self.result
        crowd.ask(do="stay")
        result.here_after = self._until(
            lambda: (
                crowd.ask(do="count")["here"] == result.plan.browsers
                and self._site.vendor.ask(do="count")["rooms"] >= len(SYMBOLS)
            )
        )
        closes = self._site.vendor.ask(do="rest")["closes"]
        result.right_after = self._until(
            lambda: crowd.ask(do="count", closes=closes)["right"] == result.plan.browsers
        )
        result.crowd = crowd.ask(do="count", closes=closes)

    def _empty(self) -> None:
        """Let all browsers leave, and wait until sockets and tasks are at their start values."""
        self._site.crowd.ask(do="leave")
        self.result.back_after = self._until(self._is_back)

    def _is_back(self) -> bool:
        # Not added to the samples: the memory of an empty site says nothing about its slope.
        self.result.end = look(self._site.processes, self._now())
        if not all_told(self.result.end):
            return False
        start, end = _held(self.result.start), _held(self.result.end)
        return end.keys() == start.keys() and all(
            sockets <= start[name][0] and tasks <= start[name][1]
            for name, (sockets, tasks) in end.items()
        )

    def _until(self, condition: Callable[[], bool]) -> float | None:
        began = time.monotonic()
        while time.monotonic() - began < PATIENCE_SECONDS:
            if condition():
                return time.monotonic() - began
            time.sleep(_PAUSE)
        return None


def _held(samples: Sequence[Sample]) -> dict[str, tuple[int, int]]:
    return {sample.name: (sample.sockets, sample.tasks or 0) for sample in samples}


def soak(plan: Plan) -> Result:
    """Run a site under faults for the planned time."""
    with Site(plan.seed, plan.updates, plan.streams) as site:
        it = _Soak(site, plan)
        it.run()
    return it.result

"""The soak itself: visitors, faults and looks, one after the other."""

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

#: Some visitors before the start, so that it is that of a site which has had some.
FIRST_VISITORS = 10
FIRST_SECONDS = 5

#: An idle hub leaves after 30 s, a room that nobody watches after as long.
IDLE_SECONDS = 40

#: How long all may take to be as they should be, after the last fault.
PATIENCE_SECONDS = 90

_PAUSE = 0.25


@dataclass(frozen=True)
class Plan:
    """What is asked of a soak."""

    seed: int
    minutes: float
    browsers: int
    updates: float
    streams: int


@dataclass
class Result:
    """What came of it."""

    plan: Plan
    samples: list[Sample] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    """Those that happened, at the time at which they did."""
    start: list[Sample] = field(default_factory=list)
    end: list[Sample] = field(default_factory=list)
    connections_most: int = 0
    """Connections to the vendor at a time: of one key only one may be."""
    crowd: dict[str, Any] = field(default_factory=dict)
    """The last count of the browsers."""
    here_after: float | None = None
    """Seconds until all browsers were there; ``None``: never."""
    right_after: float | None = None
    """Seconds from the last prices until every browser showed them."""
    back_after: float | None = None
    """Seconds from the last visitor until sockets and tasks were as at the start."""


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
        """Everything, from the first visitors to the last look."""
        plan = self.result.plan
        self._open(FIRST_VISITORS)
        time.sleep(FIRST_SECONDS)
        self._site.crowd.ask(do="leave")
        time.sleep(IDLE_SECONDS)
        self._began = time.monotonic()
        if self._until(self._start_is_told) is None:
            raise Failed("not every process of the site runs and tells of itself")
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
        """Let time pass with its faults and looks."""
        random = Random(self.result.plan.seed)
        faults = schedule(random, seconds, self._site.mortals)
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
        """Let all browsers be there, and then show the last price of each room."""
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
        """Let all browsers go, and wait for what they leave behind to go as well."""
        self._site.crowd.ask(do="leave")
        self.result.back_after = self._until(self._is_back)

    def _is_back(self) -> bool:
        # Not among the samples: memory of an empty site says nothing of its slope.
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
    """Run a site under faults for as long as planned."""
    with Site(plan.seed, plan.updates, plan.streams) as site:
        it = _Soak(site, plan)
        it.run()
    return it.result

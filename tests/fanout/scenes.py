"""Pages on the merge protocol and their cohorts, on a clock that the test moves."""

from __future__ import annotations

import json
from typing import Any

from django_fcs.fanout.cohorts import Cohorts
from django_fcs.rooms import Room
from tests.support.hubs import EURUSD, key, update


class Page:
    """A browser whose socket takes everything, or one frame more and then nothing."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.is_open = True
        self.is_stalled = False
        self.frames: list[str] = []
        self.times: list[float] = []

    def send(self, text: str) -> None:
        assert self.is_open
        self.frames.append(text)
        self.times.append(self._scene.now)
        self.is_open = not self.is_stalled

    def read(self) -> None:
        self.is_stalled, self.is_open = False, True
        self._scene.cohorts.ready(self)

    @property
    def heard(self) -> list[dict[str, Any]]:
        return [message for frame in self.frames for message in json.loads(frame)]

    @property
    def prices(self) -> list[tuple[str, int]]:
        return [(one["prices"]["mode"], one["seq"]) for one in self.heard if "seq" in one]

    @property
    def seqs(self) -> list[int]:
        return [seq for _, seq in self.prices]


class Scene:
    """Cohorts on a clock that the test moves, as a hub uses them."""

    def __init__(self) -> None:
        self.now = 100.0
        self.cohorts: Cohorts[Page] = Cohorts()

    def page(self, *rooms: Room, rate: float = 10) -> Page:
        page = Page(self)
        self.cohorts.enter(page, rate)
        for room in rooms:
            self.cohorts.join(page, key(room))
        return page

    def publish(self, room: Room = EURUSD, *, seq: int, t: int = 60, mode: str = "candle") -> None:
        self.cohorts.put(key(room), update(room, seq=seq, t=t, mode=mode))
        self.flush()

    def flush(self) -> None:
        """Send the frames that are due."""
        for run in self.cohorts.flush(self.now):
            for pages, frame in run.frames:
                for page in pages:
                    page.send(frame)

    def run(self, seconds: float) -> None:
        """Let time pass, as a process that wakes when something is due."""
        until = self.now + seconds
        while (due := self.cohorts.next_due()) <= until:
            self.now = max(self.now, due)
            self.flush()
        self.now = until

    def united(self, *rooms: Room, pages: int = 2, rate: float = 10) -> list[Page]:
        """Pages that have been sent the same and share their frames."""
        all_pages = [self.page(*rooms, rate=rate) for _ in range(pages)]
        for room in rooms:
            self.publish(room, seq=1)
        self.run(20 / rate)
        self.cohorts.settle()
        assert len(self.cohorts) == 1
        for page in all_pages:
            page.frames.clear()
            page.times.clear()
        return all_pages


def assert_within_rate(page: Page, rate: float) -> None:
    """In any stretch of time there is one frame more than the rate allows, at most."""
    for first, begun in enumerate(page.times):
        for last, ended in enumerate(page.times[first:], start=first):
            assert last - first <= rate * (ended - begun) + 0.1 + 1e-6

"""The wish of a command for candles of a range, which the stream fulfils within the plan."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

from django_fcs.exceptions import FCSError
from django_fcs.layer.bus import Bus
from django_fcs.layer.events import HUBS, Beat, CandleNote, GroupEvent, Wish
from django_fcs.protocol.intervals import DEFAULT, Intervals
from django_fcs.tools.tasks import together

__all__ = ["Fetching", "Progress"]

#: The wish is repeated after this time, in seconds: the stream may have restarted.
REPEAT_SECONDS = 20

_NO_STREAM = "no stream is running, and only the stream asks the vendor: start manage.py fcs_stream"


class Progress(NamedTuple):
    """How far a wish is fulfilled."""

    part: float = 0.0
    """From 0 to 1."""
    note: str = ""
    """Why it has to wait, or what else people should know."""
    is_done: bool = False


class Fetching:
    """A wish for the candles of a range, the newest first.

    Args:
        wish: It has ``start`` and ``before``.
        intervals: The times that the stream keeps to.
        monotonic: Seconds of a clock that is never set.
    """

    def __init__(
        self,
        wish: Wish,
        *,
        intervals: Intervals = DEFAULT,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        assert wish.start is not None and wish.before is not None, "a range has two ends"
        self._wish = wish
        self._start, self._before = wish.start, wish.before
        self._intervals = intervals
        self._monotonic = monotonic
        self._heard_at = monotonic()
        self._wished_at = float("-inf")
        self._epoch = 0
        self.progress = Progress()

    async def run(self) -> None:
        """Wish until all of the range is stored.

        Raises ``FCSError`` without a stream, or if the stream cannot ask the vendor.
        """
        async with Bus(HUBS) as bus:
            await together(self._listen(bus), self._repeat(bus))

    async def _listen(self, bus: Bus) -> None:
        async for burst in bus.bursts():
            for event in burst:
                self._note(event)
            if self.progress.is_done:
                return

    def _note(self, event: GroupEvent) -> None:
        if isinstance(event, Beat):
            self._heard_at = self._monotonic()
            if event.epoch != self._epoch:  # A new stream has not heard the wish.
                self._epoch, self._wished_at = event.epoch, float("-inf")
        elif isinstance(event, CandleNote) and event.room == self._wish.room:
            reached = self.progress.part
            if event.start is not None:
                span = max(self._before - self._start, 1)
                reached = max(reached, min((self._before - event.start) / span, 1.0))
            is_done = (self._start, self._before) in event.ended
            if is_done and event.note and event.wait is None:
                raise FCSError(event.note)
            self.progress = Progress(1.0 if is_done else reached, event.note, is_done)

    async def _repeat(self, bus: Bus) -> None:
        while True:
            now = self._monotonic()
            if now - self._heard_at > self._intervals.late:
                raise FCSError(_NO_STREAM)
            if now - self._wished_at >= REPEAT_SECONDS:
                self._wished_at = now
                await bus.wish(self._wish)
            await asyncio.sleep(self._intervals.look)

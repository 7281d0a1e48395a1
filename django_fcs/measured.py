"""How prices are measured on their way: how old they come, and what waits in a hub."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sized
from typing import Any, Protocol

from .arrivals import Arrival, Event
from .cohorts import Cohorts
from .messages import Price
from .metrics import observe
from .reports import StreamStatus

__all__ = ["Lags", "hub_figures", "measure_feed", "stream_figures"]

#: The feed's own time of a tick, if it is older, is none: the vendor may send a 0.
FEED_LAG_MAX_SECONDS = 86_400


class Waiting(Protocol):
    """A browser, as far as its mailbox is concerned."""

    @property
    def waiting(self) -> int:
        """Messages that it has not been sent."""


class Lags:
    """Samples of how long prices take from the vendor's frame to browsers.

    One a burst and one for up to 64 frames that go at the same time, whatever the number
    of browsers. A price that somebody is sent because he joined is no sample: it may be as
    old as it likes.
    """

    __slots__ = ("_clock", "at")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.at: float | None = None
        """When the first price of this burst came in, in unix seconds."""

    def burst_ended(self, *, is_seen: bool) -> None:
        """Take note that every browser without the merge protocol was sent its prices."""
        if self.at is not None:
            if is_seen:
                observe("browser_lag_seconds", self._clock() - self.at, "v4")
            self.at = None

    def frame_went(self, at: float) -> None:
        """Take note that a frame went out whose first price came in at ``at``."""
        observe("browser_lag_seconds", self._clock() - at, "merge")


def hub_figures(
    subscribers: Collection[Waiting],
    cohorts: Cohorts[Any],
    rooms: Sized,
    is_online: bool | None,
) -> dict[str, float]:
    """Return the gauges of a hub; ``is_online`` is None while it cannot know."""
    # Copies: a scrape comes from a thread of its own.
    waiting = [*cohorts.waiting(), *(one.waiting for one in tuple(subscribers))]
    figures: dict[str, float] = {
        "hub_cohorts": len(cohorts),
        "hub_mailbox_messages": sum(waiting),
        "hub_mailbox_messages_max": max(waiting, default=0),
        "hub_rooms": len(rooms),
        "hub_sockets": len(subscribers),
    }
    return figures if is_online is None else {**figures, "hub_online": is_online}


def stream_figures(status: StreamStatus) -> dict[str, float]:
    """Return the gauges of a stream."""
    figures: dict[str, float | None] = {
        "stream_last_tick_timestamp_seconds": status.last_at,
        "stream_leader": status.is_leader,
        "stream_online": status.online,
        "stream_rooms_joined": status.joined,
        "stream_rooms_wanted": status.wanted,
    }
    return {name: value for name, value in figures.items() if value is not None}


def measure_feed(event: Event) -> None:
    """Sample how old a tick was when it came in; the first of a room may be of yesterday."""
    if isinstance(event, Arrival) and event.news:
        _, news = event.news[-1]
        if isinstance(news, Price) and news.update is not None and news.mode != "initial":
            lag = event.at - news.update
            if lag < FEED_LAG_MAX_SECONDS:
                observe("feed_lag_seconds", lag)

"""What is measured of a hub: what waits in it, and how old prices are as they leave it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sized
from typing import Any, Protocol

from django_fcs.tools.metrics import observe

from .cohorts import Cohorts

__all__ = ["Lags", "hub_figures"]


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

"""The metrics of a hub: what waits in it, and how old prices are when they leave it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sized
from typing import Any, Protocol

from django_fcs.tools.metrics import observe

from .cohorts import Cohorts

__all__ = ["Lags", "hub_figures"]


class Waiting(Protocol):
    """What the metrics need of a browser."""

    @property
    def waiting(self) -> int:
        """The number of messages that it has not been sent."""

    @property
    def address(self) -> str:
        """Where it comes from; "" if that is not known."""


class Lags:
    """Samples of how long prices take from the vendor's frame to browsers.

    There is one sample per burst, and one per run of up to 64 frames that are sent at the
    same time, whatever the number of browsers. A price that is sent because a browser
    joined is not a sample, as it may be of any age.
    """

    __slots__ = ("_clock", "at")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.at: float | None = None
        """When the first price of this burst came in, in unix seconds."""

    def burst_ended(self, *, is_seen: bool) -> None:
        """Note that every browser without the merge protocol was sent its prices."""
        if self.at is not None:
            if is_seen:
                observe("browser_lag_seconds", self._clock() - self.at, "v4")
            self.at = None

    def frame_went(self, at: float) -> None:
        """Note that a frame was sent whose first price came in at ``at``."""
        observe("browser_lag_seconds", self._clock() - at, "merge")


def hub_figures(
    subscribers: Collection[Waiting],
    cohorts: Cohorts[Any],
    rooms: Sized,
    is_online: bool | None,
) -> dict[str, float]:
    """Return the gauges of a hub; ``is_online`` is None while that is unknown."""
    # Copies, because a scrape runs in a thread of its own.
    browsers = tuple(subscribers)
    waiting = [*cohorts.waiting(), *(one.waiting for one in browsers)]
    figures: dict[str, float] = {
        "hub_addresses": len({one.address for one in browsers} - {""}),
        "hub_cohorts": len(cohorts),
        "hub_mailbox_messages": sum(waiting),
        "hub_mailbox_messages_max": max(waiting, default=0),
        "hub_rooms": len(rooms),
        "hub_sockets": len(subscribers),
    }
    return figures if is_online is None else {**figures, "hub_online": is_online}

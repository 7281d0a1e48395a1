"""The metrics of a stream: its gauges, and how old ticks are when they come in."""

from __future__ import annotations

from collections.abc import Iterable

from django_fcs.prices.reports import Report, StreamStatus
from django_fcs.protocol import Price
from django_fcs.rooms import Room
from django_fcs.tools.logs import logger_of
from django_fcs.tools.metrics import count, counts, observe
from django_fcs.upstream import Arrival
from django_fcs.upstream.arrivals import Event

__all__ = ["measure_feed", "note_fault", "report_of", "stream_figures"]

logger = logger_of(__name__)

#: A tick whose time is farther from its arrival is not measured: the vendor may send a 0.
FEED_LAG_MAX_SECONDS = 86_400


def stream_figures(status: StreamStatus) -> dict[str, float]:
    """Return the gauges of a stream."""
    figures: dict[str, float | None] = {
        "stream_last_tick_timestamp_seconds": status.last_at,
        "stream_leader": status.is_leader,
        "stream_online": status.online,
        "stream_rest_closed": status.is_rest_closed,
        "stream_rest_credits_left": status.credits_left,
        "stream_rooms_joined": status.joined,
        "stream_rooms_rendered": status.rendered,
        "stream_rooms_wanted": status.wanted,
        "stream_rooms_with_history": status.histories,
    }
    return {name: value for name, value in figures.items() if value is not None}


def report_of(
    status: StreamStatus, epoch: int, wanted: Iterable[Room], rate: float, now: float
) -> Report:
    """Return what the store keeps for operators; ``rate`` is in updates a second."""
    return Report(
        at=now,
        epoch=epoch,
        rooms=tuple(sorted(map(str, wanted))),
        joined=status.joined,
        updates_per_second=rate,
        last_at=status.last_at,
        leader=status.is_leader,
        counts=counts(),
        rendered=status.rendered,
        histories=status.histories,
    )


def measure_feed(event: Event) -> None:
    """Sample how old a tick was when it came in.

    The first price of a room is left out, because it may be from yesterday.
    """
    if isinstance(event, Arrival) and event.items:
        _, item = event.items[-1]
        if isinstance(item, Price) and item.update is not None and item.mode != "initial":
            lag = event.at - item.update
            if abs(lag) < FEED_LAG_MAX_SECONDS:
                observe("feed_lag_seconds", lag)


def note_fault(room: Room, error: Exception) -> None:
    """Log an exception of this project's code in one room; the other rooms continue."""
    if count("stream_room_faults"):
        logger.error("a room failed room=%s", room, exc_info=error)

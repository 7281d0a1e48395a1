"""The metrics of this process; ``operations.exposition`` exports them to Prometheus.

Counters and durations are kept here. Gauges are read from their owners when metrics are
requested. No room, key or address is stored here, so a metric cannot reveal one.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

__all__ = [
    "COUNTERS",
    "DURATIONS",
    "GAUGES",
    "Distribution",
    "Duration",
    "Gauge",
    "count",
    "counts",
    "distributions",
    "gauges",
    "observe",
    "shown",
]

#: Counter → help text.
COUNTERS = {
    "authorize_ended": "Rooms that clients lost because FCS_AUTHORIZE no longer allowed them.",
    "authorize_failures": "Calls of FCS_AUTHORIZE that returned neither True nor False, or failed.",
    "authorize_timeouts": "Calls of FCS_AUTHORIZE that did not answer in time.",
    "candles_database_failures": "Calls of the database for candles that failed.",
    "candles_dropped": "Candles that were never saved because the database failed for too long.",
    "candles_impossible": "Candles that were not saved or read because no candle can be like that.",
    "candles_saved": "Candles written to the database.",
    "history_malformed": "Candles of the vendor's history dropped: malformed or impossible.",
    "history_refused": "Requests for history that failed, or that the vendor refused.",
    "history_requests": "Requests for history that were sent to the vendor.",
    "hub_fenced": "Prices and heartbeats of a former leader that were refused.",
    "hub_layer_reconnects": "Times a hub reconnected to the channel layer after a failure.",
    "hub_merged": "Prices merged into a later one because this process fell behind.",
    "hub_missed": "Candles whose last state was never sent because this process fell behind.",
    "hub_rejoins": "Times a hub rejoined the channel layer because it missed messages.",
    "hub_slow_closed": "Browsers closed with 4408 because they read nothing for too long.",
    "layer_malformed": "Messages of the channel layer dropped because they were malformed.",
    "socket_closed": "Sockets closed for too many messages, a huge frame, or silence.",
    "socket_errors": "Messages from browsers that were answered with an error.",
    "socket_refused": "Sockets closed at once: foreign origin, too many, or site not set up.",
    "store_malformed": "Entries of the cache ignored because they were malformed.",
    "stream_late": "Price frames dropped because a newer candle had begun.",
    "stream_layer_reconnects": "Times the stream reconnected to the channel layer after a failure.",
    "stream_lease_failures": "Lease requests that Redis did not answer.",
    "stream_leases_lost": "Times a leader disconnected from the vendor because its lease expired.",
    "stream_merged": "Price frames merged into a later one before anything was published.",
    "stream_missed": "Candles whose last state was never published.",
    "stream_other_sites": "Times a stream had to wait for the lease of another site.",
    "stream_room_faults": "Exceptions of this project's own code in single rooms.",
    "stream_rooms_over_limit": "Times rooms had to wait because FCS_MAX_ROOMS was reached.",
    "stream_rooms_unconfirmed": "Rooms left because the vendor did not confirm them.",
    "stream_updates": "Price frames of wanted rooms that were received.",
    "upstream_errors": "Messages of the type error that the vendor sent.",
    "upstream_join_retries": "Joins sent again because the vendor did not confirm them.",
    "upstream_lost": "Connections to the vendor that failed or ended; each is followed by a retry.",
    "upstream_malformed": "Malformed or impossible frames and values of the vendor, dropped.",
    "upstream_rejoins": "Rooms rejoined because they were silent while others had prices.",
    "upstream_stalled": "Connections closed because no price came although one was due.",
}


class Gauge(NamedTuple):
    """A value that goes up and down."""

    help: str
    of_many: Callable[[Iterable[float]], float] = sum
    """Combines the values of several owners in one process."""


GAUGES = {
    "hub_addresses": Gauge("Known network addresses of the sockets."),
    "hub_cohorts": Gauge("Groups of sockets that share the frames of the merge protocol."),
    "hub_mailbox_messages": Gauge("Messages that wait for browsers or for their turn."),
    "hub_mailbox_messages_max": Gauge("Messages in the fullest mailbox.", max),
    "hub_online": Gauge("1 if this process hears a stream that hears the vendor.", min),
    "hub_rooms": Gauge("Rooms that browsers of this process have joined."),
    "hub_sockets": Gauge("Sockets of browsers."),
    "stream_last_tick_timestamp_seconds": Gauge("When the last price arrived, unix time.", max),
    "stream_leader": Gauge("1 if this process leads, 0 if it is on standby.", max),
    "stream_online": Gauge("1 while the connection to the vendor is up.", max),
    "stream_rest_closed": Gauge("1 if the vendor may not be asked for history now.", max),
    "stream_rest_credits_left": Gauge("Credits for history that are left in this month.", min),
    "stream_rooms_joined": Gauge("Rooms that the vendor has confirmed."),
    "stream_rooms_rendered": Gauge("Rooms that the stream wants only because pages show them."),
    "stream_rooms_wanted": Gauge("Rooms that the stream wants."),
    "stream_rooms_with_history": Gauge("Rooms whose candles were asked for within the last hour."),
}


class Duration(NamedTuple):
    """A histogram of seconds, with the upper bounds of its buckets."""

    help: str
    bounds: tuple[float, ...]
    label: str = ""
    """The name of the label that separates its distributions, if it has several."""


DURATIONS = {
    "browser_lag_seconds": Duration(
        "From the arrival of the vendor's frame until the price is sent to browsers.",
        (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30),
        label="protocol",
    ),
    "feed_lag_seconds": Duration(
        "From the feed's own time of a tick, if it sends one, to the arrival of the frame.",
        (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 1800),
    ),
}


class Distribution:
    """How many durations lie in each bucket, and their sum."""

    __slots__ = ("buckets", "sum")

    def __init__(self, buckets: Iterable[int], sum: float = 0.0) -> None:
        self.buckets = list(buckets)
        """The number of durations in each bucket; the last bucket has no upper bound."""
        self.sum = sum


Reader = Callable[[], Mapping[str, float]]

_counts: Counter[str] = Counter()
_distributions: dict[tuple[str, str], Distribution] = {}
_readers: dict[object, Reader] = {}

# The owners of gauges do not run in a forked process.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_readers.clear)


def count(name: str, by: int = 1) -> bool:
    """Add to a counter; return True if the event should be logged.

    That is the 1st, 2nd, 4th, 8th time and so on: a flood must not fill the disk.
    """
    before = _counts[name]
    _counts[name] += by
    return before.bit_length() != _counts[name].bit_length()


def counts() -> dict[str, int]:
    """Return a copy of all counters of this process."""
    return dict(_counts)


def observe(name: str, seconds: float, label: str = "") -> None:
    """Add one duration; a negative one, from clocks that disagree, counts as 0."""
    bounds = DURATIONS[name].bounds
    taken = _distributions.get((name, label))
    if taken is None:
        taken = _distributions[name, label] = Distribution([0] * (len(bounds) + 1))
    seconds = max(0.0, seconds)
    taken.buckets[bisect_left(bounds, seconds)] += 1
    taken.sum += seconds


def distributions() -> dict[tuple[str, str], Distribution]:
    """Return a copy of all durations of this process, by name and label."""
    return {key: Distribution(taken.buckets, taken.sum) for key, taken in [*_distributions.items()]}


@contextmanager
def shown(read: Reader) -> Iterator[None]:
    """Expose the gauges of an owner while the ``with`` block runs.

    ``read`` may be called from any thread. It must iterate over a copy of any collection
    that its owner may change at the same time.
    """
    key = object()
    _readers[key] = read
    try:
        yield
    finally:
        _readers.pop(key, None)


def gauges() -> dict[str, float]:
    """Return the values of all gauges that have an owner in this process now."""
    values: dict[str, list[float]] = {}
    for read in [*_readers.values()]:
        for name, value in read().items():
            values.setdefault(name, []).append(value)
    return {name: GAUGES[name].of_many(of_all) for name, of_all in values.items()}

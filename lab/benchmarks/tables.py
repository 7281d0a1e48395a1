"""The tables of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lab.kit.markdown import figures, table

from .ingest import SUBSCRIBERS
from .machines import UPDATES, growth_of, needs
from .summary import Row, by_peer, figure, select, spread
from .targets import TARGETS, Target

__all__ = [
    "crowd",
    "deflate",
    "growth",
    "ingest",
    "large_sites",
    "machines",
    "memory",
    "redis",
    "stuck",
    "targets",
]


#: Browsers, and updates per second of all rooms, of the sites whose needs are calculated.
_SITES = ((10_000, 200), (100_000, 200), (100_000, 1000), (1_000_000, 1000))


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def _with_spread(rows: Sequence[Row], value: str) -> str:
    ends = spread(rows, value)
    text = figures(figure(rows, value))
    return text if ends is None else f"{text} ({figures(ends[0])}–{figures(ends[1])})"


def crowd(rows: Sequence[Row]) -> str:
    """Return the table of one crowd, with a line per peer."""
    head = ["peer", "prices/s", "share of due", "frames/s", "server µs per price (all runs)"]
    head += ["pipeline µs", "server cores", "p50 ms", "p99 ms", "max ms"]
    lines = [
        [
            peer,
            figures(figure(own, "delivered_per_second")),
            _share(figure(own, "share")),
            figures(figure(own, "frames_per_second")),
            _with_spread(own, "server_us"),
            *(figures(figure(own, name)) for name in ("pipeline_us", "server_load")),
            *(figures(figure(own, name)) for name in ("p50_ms", "p99_ms", "max_ms")),
        ]
        for peer, own in by_peer(rows).items()
    ]
    return table(head, lines)


def memory(rows: Sequence[Row]) -> str:
    """Return the table of memory per socket."""
    lines = [
        [
            peer,
            *(f"{points[1] / 1e6:.1f}" for points in own[-1]["points"]),
            figures((figure(own, "bytes_per_socket") or 0) / 1000),
        ]
        for peer, own in by_peer(rows).items()
    ]
    sockets = [f"{points[0]:.0f} sockets, MB" for points in rows[0]["points"]]
    return table(["peer", *sockets, "kB per socket (median)"], lines)


def stuck(rows: Sequence[Row]) -> str:
    """Return the table of a stuck browser's effect on the other browsers and the server."""
    head = ["peer", "p99 without, ms", "p99 with, ms", "prices/s without", "prices/s with"]
    head += ["memory used, KiB", "data due, MB", "data sent, MB", "closed after, s"]
    lines = []
    for peer, own in by_peer(rows).items():
        times = [figure(own, name) for name in ("alone_p99_ms", "beside_p99_ms")]
        rates = [figure(own, f"{name}_delivered_per_second") for name in ("alone", "beside")]
        sizes = [
            (figure(own, "growth_bytes") or 0) / 1024,
            *((figure(own, name) or 0) / 1e6 for name in ("due_bytes", "received_bytes")),
        ]
        closed = figure(own, "closed_after_seconds")
        ending = "open" if closed is None else figures(closed)
        lines.append([peer, *map(figures, (*times, *rates, *sizes)), ending])
    return table(head, lines)


def growth(rows: Sequence[Row], of: str) -> str:
    """Return the table with the medians of each step."""
    head = ["peer", "web processes", of, "prices/s", "server µs per price", "server cores"]
    head += ["Redis connections", "subscriptions", "channel-layer members"]
    names = ("delivered_per_second", "server_us", "server_load")
    counts = ("connections", "subscriptions", "members")
    lines = []
    for peer, processes, x in dict.fromkeys((r["peer"], r["processes"], r["x"]) for r in rows):
        own = select(rows, peer=peer, processes=processes, x=x)
        line = [peer, str(processes), f"{x:,}", *(figures(figure(own, name)) for name in names)]
        lines.append([*line, *(f"{figure(own, name) or 0:,.0f}" for name in counts)])
    return table(head, lines)


def ingest(rows: Sequence[Row]) -> str:
    """Return the table with the medians of each step."""
    head = ["feeder", "offered/s", "received/s", "published/s", "merged", "µs per update"]
    head += ["feeder cores", "Redis cores", "age p50 ms", "p99 ms", "max ms", "max ms (worst run)"]
    names = ("feeder_us", "feeder_load", "redis_load", "p50_ms", "p99_ms", "max_ms")
    steps = select(rows, kind="step")
    lines = []
    for peer, own in by_peer(steps).items():
        for offered in sorted({row["offered_per_second"] for row in own}):
            step = select(own, offered_per_second=offered)
            taken, published = (
                figure(step, "taken_per_second"),
                figure(step, "published_per_second"),
            )
            merged = 1 - published / taken if taken and published is not None else None
            worst = spread(step, "max_ms")
            lines.append(
                [
                    peer,
                    *map(figures, (offered, taken, published)),
                    _share(merged and max(0.0, merged)),
                    *(figures(figure(step, name)) for name in names),
                    figures(worst and worst[1]),
                ]
            )
    return table(head, lines)


def deflate(rows: Sequence[Row]) -> str:
    """Return the table of bytes and processor time, with and without compression."""
    head = ["peer", "bytes per price", "server µs per price", "share of due", "p50 ms"]
    lines = [
        [
            peer,
            *(figures(figure(own, name)) for name in ("bytes_per_price", "server_us")),
            _share(figure(own, "share")),
            figures(figure(own, "p50_ms")),
        ]
        for peer, own in by_peer(rows).items()
    ]
    return table(head, lines)


def machines(rows: Sequence[Row]) -> str:
    """Return the table with the medians of each number of hosts and processes."""
    head = ["Redis hosts", "web processes", "browsers each", "prices/s", "share of due"]
    head += ["cores of one web process", "Redis cores, all hosts", "stream cores", "p50 ms"]
    lines = []
    steps = dict.fromkeys((row["hosts"], row["processes"], row["browsers_each"]) for row in rows)
    for hosts, processes, each in steps:
        own = select(rows, hosts=hosts, processes=processes, browsers_each=each)
        alone = figure(own, lambda row: row["server_load"] / row["processes"])
        rates = [figure(own, "delivered_per_second"), figure(own, "share")]
        loads = [alone, figure(own, "redis_load"), figure(own, "feeder_load")]
        line = [str(hosts), str(processes), str(each), figures(rates[0]), _share(rates[1])]
        lines.append([*line, *map(_cores, loads), figures(figure(own, "p50_ms"))])
    return table(head, lines)


def large_sites(rows: Sequence[Row]) -> str:
    """Return the table of what large sites need, from the fit; empty if not all was measured."""
    growth = growth_of(rows)
    if growth is None:
        return ""
    head = ["browsers with watch lists", "updates/s of all rooms", "web processes"]
    head += ["stream cores", "Redis cores", "Redis hosts"]
    lines = [
        [
            *(f"{number:,}" for number in (need.browsers, need.updates, need.processes)),
            *(_cores(load) for load in (growth.feeder * need.updates / UPDATES, need.redis)),
            str(need.hosts),
        ]
        for need in (needs(growth, *site) for site in _SITES)
    ]
    return table(head, lines)


def _cores(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def redis(rows: Sequence[Row]) -> str:
    """Return the table of the load of Redis by the number of its subscribers."""
    head = ["Redis subscribers", "published/s", "Redis cores", "µs per update"]
    lines = []
    for subscribers in SUBSCRIBERS:
        own = select(rows, kind="spread", subscribers=subscribers)
        published, load = figure(own, "published_per_second"), figure(own, "redis_load")
        each = 1e6 * load / published if published and load is not None else None
        lines.append([str(subscribers), *map(figures, (published, load, each))])
    return table(head, lines)


def targets(
    results: Mapping[str, Any], wanted: Sequence[Target] = TARGETS, of: str = "server"
) -> str:
    """Return the table of targets: what was measured, and whether each one is met."""
    lines = []
    for target in wanted:
        value = target.measured(results)
        verdict = "not measured" if value is None else "not met"
        if value is not None and target.is_met(value):
            verdict = "met"
        sign, unit = "≥" if target.at_least else "≤", f" {target.unit}" if target.unit else ""
        limit, measured = _exact(target.limit), "–" if value is None else _exact(value)
        lines.append(
            [target.what, target.server, f"{sign} {limit}{unit}", f"{measured}{unit}", verdict]
        )
    return table(["what", of, "target", "measured", ""], lines)


def _exact(value: float) -> str:
    if not value:
        return "0"
    return f"{value:.3f}" if abs(value) < 0.1 else figures(value)

"""The plots of ``docs/performance.md``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lab.kit.markdown import figures
from lab.kit.plots import Bar, Line, bars, lines

from .summary import Row, by_peer, figure, select

__all__ = ["draw_all"]

Rows = Mapping[str, Sequence[Row]]


def draw_all(rows: Rows) -> dict[str, str]:
    """Return the images of all scenarios that were measured, by name."""
    return {**_costs(rows), **_others(rows), **_growth(rows), **_ingest(rows)}


def _kind(peer: str) -> str:
    kind = peer.partition("-")[0]
    return {"ours": "ours", "merge": "ours", "stream": "ours", "floor": "floor"}.get(
        kind, "tutorial" if kind in ("tutorial", "publisher") else "other"
    )


def _bars(
    title: str,
    subtitle: str,
    rows: Sequence[Row],
    value: str | Callable[[Row], float | None],
    unit: str,
) -> str:
    found = {peer: figure(own, value) for peer, own in by_peer(rows).items()}
    values = sorted((amount, peer) for peer, amount in found.items() if amount is not None)
    drawn = [Bar(peer, amount, f"{figures(amount)} {unit}", _kind(peer)) for amount, peer in values]
    return bars(title, subtitle, drawn)


_CROWDS = {
    "hot-room": "1 room, 500 browsers, 50 updates/s; lower is better",
    "light": "1 room, 100 browsers, 20 updates/s; lower is better",
    "watch-lists": "200 rooms, 300 browsers × 20 of them, 1 update/s per room; lower is better",
}


def _costs(rows: Rows) -> dict[str, str]:
    title = "Server CPU per delivered price"
    return {
        name: _bars(title, subtitle, rows[name], "server_us", "µs")
        for name, subtitle in _CROWDS.items()
        if name in rows
    }


def _others(rows: Rows) -> dict[str, str]:
    plots = {}
    if "light" in rows:
        title = "Latency from the source to the browser, p99"
        subtitle = "1 room, 100 browsers, 20 updates/s; only peers that keep up"
        keeping_up = [row for row in rows["light"] if (row["share"] or 0) > 0.9]
        plots["latency"] = _bars(title, subtitle, keeping_up, "p99_ms", "ms")
    if "home-page" in rows:
        title = "Server CPU per browser per second"
        subtitle = "1 room, 1,000 browsers, 50 updates/s; merged at 10 frames/s, Node sends all"
        plots["home-page"] = _bars(title, subtitle, rows["home-page"], _us_a_browser, "µs")
    if "memory" in rows:
        title, subtitle = "Memory of one socket", "slope between 500 and 2,000 sockets"
        plots["memory"] = _bars(title, subtitle, rows["memory"], _kilobytes, "kB")
    if "stuck" in rows:
        plots["stuck"] = _stuck(rows["stuck"])
    return plots


def _us_a_browser(row: Row) -> float:
    return float(row["server_load"]) * 1e6 / 1000


def _kilobytes(row: Row) -> float:
    return float(row["bytes_per_socket"]) / 1000


def _stuck(rows: Sequence[Row]) -> str:
    drawn = []
    for peer, own in by_peer(rows).items():
        for name, label in (("alone", "without"), ("beside", "with it")):
            value = figure(own, f"{name}_p99_ms")
            if value is None:
                drawn.append(Bar(f"{peer}, {label}", 0, "no prices", _kind(peer)))
            else:
                drawn.append(Bar(f"{peer}, {label}", value, f"{figures(value)} ms", _kind(peer)))
    return bars("p99 latency of the 500 others", "without and with a stuck browser", drawn)


def _curve(rows: Sequence[Row], label: str, kind: str, value: str, **wanted: Any) -> Line:
    chosen = select(rows, **wanted)
    xs = sorted({row["x"] for row in chosen})
    points = [(x, figure(select(chosen, x=x), value) or 0.0) for x in xs]
    return Line(label, points, kind)


def _growth(rows: Rows) -> dict[str, str]:
    plots = {}
    if browsers := rows.get("growth-browsers"):
        for name, value, title in (
            ("growth-browsers", "server_load", "Processor cores that the web processes use"),
            ("growth-redis", "subscriptions", "Subscriptions at Redis"),
        ):
            curves = _curves_of_peers(browsers, value)
            plots[name] = lines(title, "1 room, 5 updates/s", "browsers", curves)
    if rooms := rows.get("growth-rooms"):
        subtitle = "20 browsers in all rooms, 40 updates/s in total"
        curves = [
            _curve(rooms, _processes(count), kind, "subscriptions", processes=count)
            for count, kind in ((1, "ours"), (2, "other"))
        ]
        plots["growth-rooms"] = lines("Subscriptions at Redis", subtitle, "rooms", curves)
    return plots


def _curves_of_peers(rows: Sequence[Row], value: str) -> list[Line]:
    shown = (
        ("ours-uvicorn", 1, "ours"),
        ("ours-uvicorn", 2, "other"),
        ("tutorial-uvicorn", 1, "tutorial"),
    )
    return [
        _curve(rows, f"{kind_of}, {_processes(count)}", kind, value, peer=peer, processes=count)
        for peer, count, kind in shown
        for kind_of in (peer.partition("-")[0],)
        if select(rows, peer=peer, processes=count)
    ]


def _processes(count: int) -> str:
    return "1 process" if count == 1 else f"{count} processes"


def _ingest(rows: Rows) -> dict[str, str]:
    steps = [
        {**row, "x": row["offered_per_second"]}
        for row in select(rows.get("ingest", ()), kind="step")
        if row["p99_ms"] is not None
    ]
    if not steps:
        return {}
    curves = [
        _curve(steps, peer, kind, "p99_ms", peer=peer)
        for peer, kind in (("stream", "ours"), ("publisher", "tutorial"))
        if select(steps, peer=peer)
    ]
    subtitle = "500 rooms; milliseconds"
    return {"ingest": lines("Age of prices at Redis, p99", subtitle, "updates/s offered", curves)}

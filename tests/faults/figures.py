"""What a fault did to viewers, reckoned from what their pages wrote down."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django_fcs.rooms import Room
from tests.faults.market import Market
from tests.support.pages import Page, Shown, Widget

__all__ = ["Figures", "changes", "figures", "outlived", "recovered_at"]


@dataclass(frozen=True)
class Figures:
    """Of one fault; times are in seconds."""

    changes: list[tuple[str, str, float, float]]
    """What rooms were said to be: state, reason, and when after its beginning, first and last."""
    longest_gap: float
    """The longest time without a price of a room."""
    recovery: float
    """From its end until all rooms were live with a price from after it."""
    lost: int
    """Prices of the market that were never shown, of one page."""
    of: int
    outdated: float
    """The longest that a price was shown as live after the market had moved on."""
    falsely_live: int
    """Prices that were shown so for longer than allowed."""
    out_of_order: int


def figures(
    pages: list[Page], market: Market, *, began: float, ended: float, now: float, limit: float
) -> Figures:
    """Reckon up to now; ``limit`` is how long an outdated price may be shown as live."""
    widgets = [(room, widget) for page in pages for room, widget in page.widgets.items()]
    recovered = max(recovered_at(room, widget, market, ended) for room, widget in widgets)
    spans = [span for room, widget in widgets for span in outlived(room, widget, market, now)]
    losses = [_losses(page, market, began, recovered) for page in pages]
    lost, of = max(losses)
    return Figures(
        changes=changes((widget for _, widget in widgets), began),
        longest_gap=max(_longest_gap(widget, began, recovered) for _, widget in widgets),
        recovery=recovered - ended,
        lost=lost,
        of=of,
        outdated=max(spans, default=0.0),
        falsely_live=sum(span > limit for span in spans),
        out_of_order=sum(len(widget.backward) for _, widget in widgets),
    )


def recovered_at(room: Room, widget: Widget, market: Market, ended: float) -> float:
    """Return when a room was live with a price that came after the fault; ``inf``: not yet."""
    wanted = market.next_after(room, ended)
    priced = next((price.at for price in widget.prices if price.number >= wanted), math.inf)
    if math.isinf(priced):
        return math.inf
    for shown, until in _intervals(widget.states, math.inf):
        if shown.state == "live" and until > priced:
            return max(priced, shown.at)
    return math.inf


def outlived(room: Room, widget: Widget, market: Market, now: float) -> Iterator[float]:
    """Yield for how long prices were shown as live after newer ones had come."""
    lives = [
        (shown.at, until)
        for shown, until in _intervals(widget.states, now)
        if shown.state == "live"
    ]
    for price, following in zip(widget.prices, [*widget.prices[1:], None], strict=True):
        outdated_at = market.outdated_at(room, price.number)
        replaced_at = now if following is None else following.at
        if outdated_at is None or outdated_at >= replaced_at:
            continue
        for since, until in lives:
            if until > outdated_at and since < replaced_at:
                yield min(until, replaced_at) - outdated_at


def changes(widgets: Iterable[Widget], began: float) -> list[tuple[str, str, float, float]]:
    """List what rooms were said to be after the beginning, in the order of first times."""
    times: dict[tuple[str, str], list[float]] = {}
    for widget in widgets:
        seen: set[tuple[str, str]] = set()
        for shown in widget.states:
            what = shown.state, shown.reason
            if shown.at >= began and what not in seen:
                seen.add(what)
                times.setdefault(what, []).append(shown.at - began)
    found = [(*what, min(its), max(its)) for what, its in times.items()]
    return sorted(found, key=lambda change: change[2])


def _intervals(states: list[Shown], now: float) -> Iterator[tuple[Shown, float]]:
    """Yield what was said, each with when it was no more."""
    for shown, following in zip(states, [*states[1:], None], strict=True):
        yield shown, now if following is None else following.at


def _longest_gap(widget: Widget, began: float, recovered: float) -> float:
    before = [price.at for price in widget.prices if price.at < began][-1:]
    within = [price.at for price in widget.prices if began <= price.at <= recovered]
    times = [*(before or [began]), *within, recovered]
    return max(later - earlier for earlier, later in zip(times, times[1:], strict=False))


def _losses(page: Page, market: Market, began: float, recovered: float) -> tuple[int, int]:
    """Count the prices between beginning and recovery that a page never showed, and all."""
    lost = of = 0
    for room, widget in page.widgets.items():
        first = market.next_after(room, began)
        last = min(market.next_after(room, recovered) - 1, market.newest(room))
        shown = {price.number for price in widget.prices}
        due = set(range(first, last + 1))
        lost += len(due - shown)
        of += len(due)
    return lost, of

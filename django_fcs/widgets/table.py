"""The HTML of the watch list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from typing import Any

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString
from django.utils.translation import pgettext

from django_fcs.prices.states import State
from django_fcs.prices.symbols import market_of
from django_fcs.quotes import Quote
from django_fcs.site import timeframe_to_show

from . import formats
from .arguments import SIZES, as_href, as_item_size, as_timeframe, link_of
from .attributes import data_of, written
from .columns import USUAL, as_columns, as_sort, heading_of, key_of, ranks_of
from .context import current_time, option, quoted
from .members import data_of_member
from .rendering import render
from .rows import Group, Row, groups_of
from .spared import escaped, spared
from .texts import texts

__all__ = ["table"]

#: Characters of a change for which a column has room: ``+1,120.40``.
_CHANGE_MAX = 9
#: States whose rows tell the time of their price.
_OLD = (State.STALE.value, State.OFFLINE.value)


def table(
    rows: object,
    timeframe: str | int | None = None,
    *,
    columns: object = None,
    sort: str | None = None,
    filter: bool = False,
    href: str | None = None,
    item_size: str | None = None,
) -> SafeString:
    """Print a watch list: a table of symbols, in groups. Raises ``RoomError``."""
    timeframe = as_timeframe(timeframe)
    groups = groups_of(rows, timeframe)
    shown = option(lambda: as_columns(columns), USUAL)
    by, is_down = option(lambda: as_sort(sort), ("", False))
    size = option(lambda: as_item_size(item_size), SIZES[0])
    pattern = option(lambda: as_href(href), "")
    plan = _Plan(shown, ranks_of(shown), by, is_down, pattern, current_time())
    heads = [_head(name, plan) for name in ("symbol", *shown)]
    shown_groups = [_group(group, plan) for group in groups]
    context = {
        "title": pgettext("price", "Watch list"),
        "percent": pgettext("price", "Change in %"),
        "timeframe": timeframe_to_show(timeframe),
        "columns": " ".join(shown),
        "span": str(len(heads)),
        "heads": heads,
        "groups": shown_groups,
        "is_wide": "change" in shown
        and any(_is_wide(row) for group in shown_groups for row in group["rows"]),
        "filter": bool(filter),
        "href": pattern,
        "size": "" if size == SIZES[0] else size,
    }
    return render("table", context)


@dataclass(frozen=True)
class _Plan:
    """What all rows of a table have in common."""

    columns: tuple[str, ...]
    ranks: dict[str, str]
    by: str
    is_down: bool
    href: str
    now: datetime

    @cached_property
    def cells(self) -> tuple[tuple[str, SafeString], ...]:
        """The name of each column, and the attributes of its cells."""
        return tuple((name, _attributes(name, self.ranks)) for name in self.columns)


def _head(name: str, plan: _Plan) -> dict[str, str]:
    order = "descending" if plan.is_down else "ascending"
    return {
        "column": name,
        "text": heading_of(name),
        "rank": plan.ranks.get(name, ""),
        "order": order if name == plan.by else "",
    }


def _is_wide(row: dict[str, Any]) -> bool:
    """Return whether a change takes more than the usual width of its column."""
    return len(row["shapes"].get("change") or row["fields"]["change"]) > _CHANGE_MAX


def _attributes(name: str, ranks: dict[str, str]) -> SafeString:
    """Write the attributes of the cells of a column."""
    rank = {"data-rank": ranks.get(name, "")}
    if name in ("sparkline", "updated"):  # a cell that holds an element
        return written({"data-column": name, **rank})
    return written({"translate": "no", "data-field": name, **rank})


def _group(group: Group, plan: _Plan) -> dict[str, Any]:
    rows = [_row(row, plan) for row in group.rows]
    quotes = [row["fields"].quote for row in rows]
    is_closed = all(quote is not None and quote.state is State.CLOSED for quote in quotes)
    is_always_open = all(market_of(row.room.symbol) == "crypto" for row in group.rows)
    market = ""
    if is_closed:
        market = _closed(quotes, plan.now)
    elif is_always_open:
        market = pgettext("price", "always open")
    elif any(quotes):
        # Nobody knows when a page is read, so it does not say "open".
        clock = formats.clock(plan.now, now=plan.now)
        market = pgettext("price", "as of {n}").replace("{n}", clock)
    return {
        "heading": group.heading,
        "is_closed": is_closed,
        "is_always_open": is_always_open,
        "market": market,
        "rows": _sorted(rows, plan) if plan.by else rows,
    }


def _closed(quotes: Sequence[Quote | None], now: datetime) -> str:
    opens = min((quote.until for quote in quotes if quote and quote.until), default=None)
    if opens is None:
        return texts()["closed"]
    moment = datetime.fromtimestamp(opens, timezone.utc)
    return texts()["opens"].replace("{n}", formats.opening(moment, now=now))


def _row(row: Row, plan: _Plan) -> dict[str, Any]:
    """Return the context of a row: that of its room, with its cells."""
    context = quoted(row.room, "sparkline" in plan.columns)
    fields, status = context["fields"], context["status"]
    if context["state"] == State.CLOSED.value:
        status = texts()["closed"]
    elif context["state"] in _OLD:
        # Without seconds: its place is narrow.
        status = formats.opening(fields.quote.updated, now=plan.now)
    return {
        **context,
        "attributes": data_of_member(context),
        "cells": _html(plan, context),
        "link": link_of(plan.href, row.room.symbol) if plan.href else "",
        "status": spared(status),
        "thing": row.thing,
    }


def _html(plan: _Plan, context: dict[str, Any]) -> SafeString:
    """Write the cells of a row: a loop in the template would take longer than their texts."""
    shapes = context["shapes"]
    cells = (
        f'<td role="cell" {_with_shape(attributes, shapes.get(name))}>{_cell(name, context)}</td>'
        for name, attributes in plan.cells
    )
    return SafeString("".join(cells))


def _with_shape(attributes: str, shape: str | None) -> str:
    return f"{attributes} {data_of({'shape': shape})}" if shape else attributes


def _cell(name: str, context: dict[str, Any]) -> str:
    if name == "sparkline":
        return conditional_escape(context["sparkline"])
    # The text of a cell is replaced: a time, which has a moment, is an element of its own.
    if name == "updated":
        return str(context["spans"]["updated"])
    return escaped(context["fields"][name])


def _sorted(rows: list[dict[str, Any]], plan: _Plan) -> list[dict[str, Any]]:
    """Sort rows by a field; those without a value are last, in both directions."""
    if plan.by in ("symbol", "name"):
        keys = [row["fields"][plan.by].casefold() for row in rows]
    else:
        keys = [key_of(row["fields"].quote, plan.by) for row in rows]
    known = [one for one in zip(keys, rows, strict=True) if one[0] is not None]
    unknown = [row for key, row in zip(keys, rows, strict=True) if key is None]
    known.sort(key=lambda one: one[0], reverse=plan.is_down)
    return [row for _, row in known] + unknown

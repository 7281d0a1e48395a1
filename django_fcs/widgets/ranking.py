"""The movers: the largest gains and losses among some rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.safestring import SafeString

from django_fcs.prices.states import State
from django_fcs.rooms import Room

from .arguments import as_count, as_href, as_timeframe
from .context import option
from .members import change_of, data_of_member, member
from .rendering import render
from .rows import groups_of
from .texts import texts

__all__ = ["MOVERS_MAX", "movers"]

#: How many rows are ranked.
MOVERS_MAX = 200

_COUNT = 4
#: A smaller change is written as zero. ``fcs-movers.js`` has the same.
_LEAST = 0.005
#: Prices of these states are not ranked.
_LEFT_OUT = (State.STALE.value, State.WAITING.value)


def movers(
    rows: object,
    timeframe: str | int | None = None,
    *,
    count: int = _COUNT,
    href: str | None = None,
) -> SafeString:
    """Print the ``count`` largest gains and losses among the rows. Raises ``RoomError``.

    Rows whose price is stale or unknown are not ranked.
    """
    timeframe = as_timeframe(timeframe)
    groups = groups_of(rows, timeframe, most=MOVERS_MAX)
    shown = option(lambda: as_count(count), _COUNT)
    pattern = option(lambda: as_href(href), "")
    rooms = dict.fromkeys(row.room for group in groups for row in group.rows)
    return render("movers", _ranked(rooms, shown, pattern))


def _ranked(rooms: Iterable[Room], count: int, pattern: str) -> dict[str, Any]:
    """Return the context of both sides, and of the rows that are in neither."""
    members = [_member(room, pattern) for room in rooms]
    known = [one for one in members if one["is_ranked"]]
    by_size = sorted(known, key=lambda one: (-abs(one["value"]), one["symbol"]))
    up = [one for one in by_size if one["value"] >= _LEAST][:count]
    down = [one for one in by_size if one["value"] <= -_LEAST][:count]
    most = max((abs(one["value"]) for one in up + down), default=0.0)
    for one in up + down:
        one["bar"] = f"{100 * abs(one['value']) / most:.1f}%"
    shown = {one["symbol"] for one in up + down}
    places = min(count, len(members))
    words = texts()
    return {
        "count": str(count),
        "sides": [
            {"name": name, "heading": words[name], "rows": rows, "gaps": range(places - len(rows))}
            for name, rows in (("up", up), ("down", down))
        ],
        "rest": [one for one in members if one["symbol"] not in shown],
        "note": _note(len(members), len(members) - len(known)),
    }


def _member(room: Room, pattern: str) -> dict[str, Any]:
    context = member(room, pattern)
    value = change_of(context)
    change = "" if value is None else repr(value)
    return {
        **context,
        "value": value,
        "attributes": data_of_member(context, href=pattern, change=change),
        "is_ranked": value is not None and context["state"] not in _LEFT_OUT,
        "bar": "0",
    }


def _note(total: int, left_out: int) -> str:
    words = texts()
    note = words["of"].replace("{n}", str(total))
    return f"{note} · {words['left_out'].replace('{n}', str(left_out))}" if left_out else note

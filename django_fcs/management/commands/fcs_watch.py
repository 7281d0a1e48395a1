"""Prices in the terminal."""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import aclosing
from datetime import datetime, timezone
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from django_fcs.conf import conf
from django_fcs.exceptions import FCSError
from django_fcs.management.running import Screen, fail, run_until_signal, show_logs
from django_fcs.prices.intake import Intake
from django_fcs.prices.snapshots import Snapshot, digits_for
from django_fcs.protocol import ProfileUpdate
from django_fcs.rooms import Room
from django_fcs.tools.tasks import together
from django_fcs.upstream import Arrival, Status, UpstreamClient
from django_fcs.widgets import formats

# The most important columns come first: a narrow terminal cuts the rest.
_HEAD = ("", "last", "change", "", "bid", "ask", "spread", "open", "high", "low", "volume", "")


class Command(BaseCommand):
    """Show prices as they come, until Ctrl-C or SIGTERM."""

    help = (
        "Show live prices in the terminal. The command opens its own connection to the FCS API, "
        "in addition to that of a running stream."
    )
    # It needs only the key and the address from the site.
    requires_system_checks = []
    #: How often a terminal is drawn, in seconds: people do not read faster.
    draw_seconds = 0.2

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("symbols", nargs="+", metavar="SYMBOL", help="as in FX:EURUSD")
        parser.add_argument("--timeframe", help="1 5 15 30 60 240 1D 1W 1M; default FCS_TIMEFRAME")

    def handle(self, *args: Any, **options: Any) -> None:
        """Watch until a signal ends it."""
        screen = Screen(sys.stdout)
        show_logs(screen, level=logging.WARNING)
        try:
            rooms = [Room.parse(symbol, options["timeframe"]) for symbol in options["symbols"]]
            run_until_signal(lambda: _Watch(rooms, screen, self.draw_seconds).run())
        except FCSError as error:
            screen.leave()
            raise fail(error) from None
        screen.leave()


class _Watch:
    def __init__(self, rooms: list[Room], screen: Screen, draw_seconds: float) -> None:
        self._snapshots = {
            room: Snapshot(room, digits=digits_for(room.symbol, conf.FCS_DIGITS)) for room in rooms
        }
        self._intakes = {room: Intake(known) for room, known in self._snapshots.items()}
        self._screen = screen
        self._draw_seconds = draw_seconds
        self._at: dict[Room, float] = {}
        self._status = "connecting"

    async def run(self) -> None:
        """Read prices and, on a terminal, draw them."""
        if self._screen.is_terminal:
            await together(self._read(), self._draw())
        else:
            await self._read()

    async def _read(self) -> None:
        async with UpstreamClient(
            conf.FCS_API_KEY, rooms=self._snapshots, url=conf.FCS_URL
        ) as client:
            async with aclosing(client.events()) as events:
                async for event in events:
                    if isinstance(event, Status):
                        for intake in self._intakes.values():
                            intake.doubt()
                        self._status = "connected" if event.online else event.reason
                    else:
                        self._apply(event)

    def _apply(self, arrival: Arrival) -> None:
        for room, item in arrival.items:
            snapshot = self._snapshots[room]
            if isinstance(item, ProfileUpdate):
                snapshot.describe(item.profile)
                continue
            price = self._intakes[room].admit(item, arrival.at)
            if price is not None and snapshot.merge(price):
                self._at[room] = arrival.at
                if not self._screen.is_terminal:
                    sys.stdout.write("  ".join(_labelled(snapshot, arrival.at)) + "\n")
                    sys.stdout.flush()

    async def _draw(self) -> None:
        while True:
            rows = [_HEAD, *(_row(s, self._at.get(room)) for room, s in self._snapshots.items())]
            widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
            lines = [
                "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
                for row in rows
            ]
            self._screen.draw([*lines, self._status])
            await asyncio.sleep(self._draw_seconds)


def _row(snapshot: Snapshot, at: float | None) -> tuple[str, ...]:
    def number(value: float | None) -> str:
        return formats.number(value, snapshot.digits)

    symbol = snapshot.room.symbol
    moment = snapshot.update or at
    late = f", {snapshot.delay:,} s late" if snapshot.delay else ""
    return (
        str(snapshot.room),
        number(snapshot.c),
        formats.signed(snapshot.change, snapshot.digits),
        formats.percent(snapshot.change_percent),
        number(snapshot.b),
        number(snapshot.a),
        formats.spread(snapshot.spread, symbol, snapshot.digits),
        number(snapshot.o),
        number(snapshot.h),
        number(snapshot.l),
        formats.compact(snapshot.v),
        f"{datetime.fromtimestamp(moment, timezone.utc):%H:%M:%S} UTC{late}" if moment else "",
    )


def _labelled(snapshot: Snapshot, at: float) -> list[str]:
    """Label each figure of a line that has no header above it."""
    return [
        f"{label} {cell}" if label and label != "last" else cell
        for label, cell in zip(_HEAD, _row(snapshot, at), strict=True)
        if cell
    ]

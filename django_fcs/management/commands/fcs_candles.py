"""The candles that this site has stored."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError

from django_fcs.candles.saved import trouble_of
from django_fcs.conf import conf
from django_fcs.exceptions import ConfigurationError, FCSError
from django_fcs.layer.events import Wish
from django_fcs.management.running import (
    Screen,
    fail,
    quiet,
    run_until_signal,
    until_output_breaks,
)
from django_fcs.management.stored import (
    Places,
    StoredRoom,
    moment,
    room_named,
    table,
    time_text,
    write_csv,
)
from django_fcs.management.wishing import Fetching
from django_fcs.rooms import Room, excerpt
from django_fcs.tools.tasks import together

#: How many holes of a room are listed.
HOLES_SHOWN = 20

#: The width of a progress bar, in characters.
BAR_WIDTH = 30

_NOT_SAVED = (
    "the database does not keep candles of {room} (FCS_SAVE_CANDLES), "
    "so only the newest {number} are fetched"
)
_NEEDS_STREAM = (
    "fetch needs a stream in a process of its own: a site in one process fetches what its pages "
    "ask for"
)


class Command(BaseCommand):
    """Show, fetch, export and delete stored candles."""

    help = (
        "Show which candles are stored, and where holes are; fetch more of them from the vendor; "
        "write the candles of a room as CSV; delete old ones from the database."
    )
    requires_system_checks = []
    draw_seconds = 0.5
    """Between two looks at how far a fetch is."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.usage = (
            "%(prog)s [ROOM …]\n"
            "       %(prog)s fetch ROOM --from DATE [--to DATE]\n"
            "       %(prog)s export ROOM\n"
            "       %(prog)s delete ROOM --before DATE"
        )
        parser.add_argument(
            "words", nargs="*", metavar="ROOM", help="as in FX:EURUSD_60; by default, all"
        )
        parser.add_argument(
            "--from", metavar="DATE", help="fetch what opened then or later, as in 2026-01-31 (UTC)"
        )
        parser.add_argument(
            "--to",
            metavar="DATE",
            help="fetch what opened before, not at this time; by default, and at most, up to now",
        )
        parser.add_argument(
            "--before", metavar="DATE", help="delete what opened before, as in 2026-01-31 (UTC)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what the first word says; show rooms if it is none of the actions."""
        words = list(options["words"])
        action = words.pop(0) if words and words[0] in self.actions else ""
        if words and not action and ":" not in words[0]:
            known = ", ".join(self.actions)
            raise CommandError(
                f"{excerpt(words[0])} is neither a room, as in FX:EURUSD_60, nor one of {known}",
                returncode=2,
            )
        try:
            with quiet(), until_output_breaks():
                _check_options(action, options)
                rooms = [room_named(word) for word in words]
                (self.actions[action] if action else Command._show)(self, rooms, options)
                self.stdout.flush()
        except FCSError as error:
            raise fail(error) from None
        except DatabaseError as error:
            raise CommandError(f"the database failed: {trouble_of(error)}") from None

    def _show(self, rooms: list[Room], options: dict[str, Any]) -> None:
        places = Places()
        found = places.overview(rooms)
        if places.note:
            self.stderr.write(places.note)
        for line in table(found) if found else ["no candles are stored"]:
            self.stdout.write(line)
        for one in found if rooms else ():
            for line in _holes(one):
                self.stdout.write(line)

    def _export(self, rooms: list[Room], options: dict[str, Any]) -> None:
        room = _only("export", rooms)
        bars = Places().bars(room)
        first = next(bars, None)
        if first is None:
            raise CommandError(f"no candles of {room} are stored")
        write_csv(chain([first], bars), self.stdout)

    def _delete(self, rooms: list[Room], options: dict[str, Any]) -> None:
        room = _only("delete", rooms)
        if not options["before"]:
            raise ConfigurationError("delete needs a date, as in --before 2026-01-31")
        before = moment("--before", options["before"])
        number = Places().delete(room, before)
        self.stdout.write(
            f"deleted {number:,} candles of {room} before {time_text(before)} UTC from the database"
        )

    def _fetch(self, rooms: list[Room], options: dict[str, Any]) -> None:
        room = _only("fetch", rooms)
        start, end = _range(options, int(time.time()))
        places = Places()
        if note := places.note:
            raise ConfigurationError(f"{note}; {_NEEDS_STREAM}")
        if not conf.FCS_REST_KEY:
            raise ConfigurationError("set FCS_REST_KEY: history costs credits of a plan")
        if not places.keeps(room):
            self.stderr.write(_NOT_SAVED.format(room=room, number=conf.FCS_CANDLES))
        fetching = Fetching(Wish(room, start=start, before=end))
        screen = Screen(sys.stdout)
        try:
            run_until_signal(lambda: self._follow(fetching, screen))
        finally:
            screen.leave()
        _, note, is_done = fetching.progress
        self.stdout.write("fetched" if is_done else "stopped: the same command goes on from here")
        if note:
            self.stdout.write(note)

    async def _follow(self, fetching: Fetching, screen: Screen) -> None:
        """Run a fetch; show how far it is on a terminal, and each new note elsewhere."""
        await together(fetching.run(), _shown(fetching, screen, self.draw_seconds))

    actions: ClassVar[dict[str, Callable[[Command, list[Room], dict[str, Any]], None]]] = {
        "fetch": _fetch,
        "export": _export,
        "delete": _delete,
    }


#: Option → the only action that has it.
_OPTIONS = {"from": "fetch", "to": "fetch", "before": "delete"}


def _check_options(action: str, options: dict[str, Any]) -> None:
    for option, its_action in _OPTIONS.items():
        if options[option] and action != its_action:
            raise ConfigurationError(f"--{option} is only for: fcs_candles {its_action} ROOM")


def _range(options: dict[str, Any], now: int) -> tuple[int, int]:
    """Return the range to fetch in unix seconds. The vendor has no candles of the future."""
    if not options["from"]:
        raise ConfigurationError("fetch needs a date, as in --from 2026-01-31")
    start = moment("--from", options["from"])
    end = moment("--to", options["to"]) if options["to"] else now
    if start >= end and options["to"]:
        raise ConfigurationError("--from is not before --to")
    if start >= now:
        raise ConfigurationError("--from is in the future")
    return start, min(end, now)


async def _shown(fetching: Fetching, screen: Screen, pause: float) -> None:
    shown = ""
    while True:
        await asyncio.sleep(pause)
        part, note, _ = fetching.progress
        filled = int(part * BAR_WIDTH)
        bar = f"[{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {part:4.0%}  {note}"
        if screen.is_terminal:
            screen.draw([bar])
        elif bar != shown:
            shown = bar
            screen.draw([bar])
            screen.leave()


def _only(action: str, rooms: list[Room]) -> Room:
    if len(rooms) != 1:
        raise ConfigurationError(f"{action} needs one room, as in: {action} FX:EURUSD_60")
    return rooms[0]


def _holes(one: StoredRoom) -> Iterator[str]:
    holes = one.holes or ()
    for start, end in holes[-HOLES_SHOWN:]:
        yield f"{one.room} hole: {time_text(start)} to {time_text(end)} UTC"
    if len(holes) > HOLES_SHOWN:
        yield f"{one.room}: {len(holes) - HOLES_SHOWN} older holes"

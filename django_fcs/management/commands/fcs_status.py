"""The state of this site's stream, read from the cache."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_fcs.exceptions import FCSError, RoomError
from django_fcs.management.running import fail, quiet
from django_fcs.operations.credits import Credits, read_credits
from django_fcs.operations.status import (
    HEARTBEAT_SECONDS,
    Plan,
    cause,
    plan,
    read,
    shared_store,
    trouble,
)
from django_fcs.prices.paths import PathReport
from django_fcs.prices.reports import Report
from django_fcs.prices.states import State
from django_fcs.quotes import Quote, get_quotes
from django_fcs.rooms import Room
from django_fcs.streaming.lease import ANOTHER_SITE
from django_fcs.streaming.neighbours import ASK_SECONDS, is_shared

#: How many rooms are shown to people; programs get all of them.
ROOMS_SHOWN = 30

#: Rooms with problems come first.
_ORDER = (State.OFFLINE, State.STALE, State.WAITING, State.CLOSED, State.LIVE)

#: Counters that are shown to people, by their labels.
_COUNTERS = {
    "updates": "stream_updates",
    "merged": "stream_merged",
    "missed": "stream_missed",
    "late": "stream_late",
    "malformed": "upstream_malformed",
    "reconnects": "upstream_lost",
    "stalled feed": "upstream_stalled",
    "silent rooms": "upstream_rejoins",
    "layer reconnects": "stream_layer_reconnects",
}


class Command(BaseCommand):
    """Show the state, rates and rooms of the stream, without starting anything."""

    help = (
        "Show the state of this site's stream: rooms with state and age, rates, dropped prices. "
        "Exit codes: 0 prices flow, 1 they do not, 2 wrong use or configuration."
    )
    requires_system_checks = []
    #: How long to wait for the next heartbeat in the cache, in seconds.
    heartbeat_seconds = HEARTBEAT_SECONDS
    #: How long Redis may take to say which site streams, in seconds.
    ask_seconds = ASK_SECONDS

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--json", action="store_true", help="print JSON, with every room")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look once; fail if prices do not flow."""
        try:
            with quiet():
                look = plan() or self._look()
        except FCSError as error:
            raise fail(error) from None
        if isinstance(look, Plan):
            self._show_plan(look, as_json=options["json"])
            raise CommandError(look.reason, returncode=2)
        if options["json"]:
            self.stdout.write(json.dumps(look.as_json(), ensure_ascii=False))
        else:
            self.stdout.write("\n".join(look.lines()))
        if look.reason:
            raise CommandError(look.reason)

    def _look(self) -> _Look:
        store = shared_store()
        path, report = read(store, heartbeat=self.heartbeat_seconds)
        known = cause(store, path, trouble(store, path, time.time()))
        reason = "; ".join(filter(None, (self._mixed(), known)))
        rooms = _rooms(report.rooms, is_online=not reason) if report else []
        offset = store.offset.seconds
        now = time.time() - offset
        return _Look(reason, now, offset, path, report, rooms, read_credits(now))

    def _mixed(self) -> str:
        """Return in words that another site's stream leads; "" if this is not known."""
        try:
            return ANOTHER_SITE if is_shared(within=self.ask_seconds) else ""
        except Exception:  # Redis may not answer, which is not for this command to find out.
            return ""

    def _show_plan(self, plan: Plan, *, as_json: bool) -> None:
        if as_json:
            known = {"status": "unknown", **asdict(plan)}
            self.stdout.write(json.dumps(known, ensure_ascii=False))
            return
        health = plan.health or 'not served: add path("fcs/", include("django_fcs.urls"))'
        rooms = ", ".join(plan.rooms[:ROOMS_SHOWN]) or "none"
        self.stdout.write("in memory: the web process streams by itself")
        self.stdout.write(f"{'feed':<18}{plan.feed}")
        self.stdout.write(f"{'key':<18}{'set' if plan.has_key else 'not set: no prices'}")
        self.stdout.write(f"{'FCS_ROOMS':<18}{rooms}")
        self.stdout.write(f"{'its state':<18}{health}")


@dataclass(frozen=True)
class _Room:
    name: str
    state: State
    age: float | None
    delay: int | None = None

    @property
    def claim(self) -> str:
        """How current the price is, in words for people."""
        is_late = self.delay and self.state is State.LIVE
        return f"{self.delay:,} s late" if is_late else self.state.value

    def as_json(self) -> dict[str, Any]:
        return {
            "room": self.name,
            "state": self.state.value,
            "age_seconds": self.age,
            "delay_seconds": self.delay,
        }


@dataclass(frozen=True)
class _Look:
    """All that is known at one moment."""

    reason: str
    now: float
    """Unix seconds, on the stream's clock if its offset is known."""
    offset: float
    path: PathReport | None
    report: Report | None
    rooms: list[_Room]
    credits: Credits | None
    """``None`` without ``FCS_REST_KEY``."""

    def as_json(self) -> dict[str, Any]:
        report = self.report
        return {
            "status": "error" if self.reason else "ok",
            "reason": self.reason,
            "beat_age_seconds": self._age(self.path.at if self.path else None),
            "clock_offset_seconds": round(self.offset, 1),
            "report_age_seconds": self._age(report.at if report else None),
            "last_tick_age_seconds": self._age(report.last_at if report else None),
            "epoch": report.epoch if report else None,
            "leader": report.leader if report else None,
            "rooms_wanted": len(self.rooms),
            "rooms_joined": report.joined if report else 0,
            "rooms_rendered": report.rendered if report else 0,
            "rooms_with_history": report.histories if report else 0,
            "rest": self.credits.as_json() if self.credits else None,
            "updates_per_second": round(report.updates_per_second, 1) if report else 0.0,
            "counts": report.counts if report else {},
            "rooms": [room.as_json() for room in self.rooms],
        }

    def lines(self) -> Iterator[str]:
        yield f"not streaming: {self.reason}" if self.reason else "streaming"
        figures = dict(self._figures())
        wide = max(map(len, figures.values()), default=0)
        for label, figure in figures.items():
            yield f"{label:<18}{figure:>{wide}}"
        if self.credits and self.credits.reason:
            yield f"{'no new history':<18}{self.credits.reason}"
        if self.rooms:
            yield ""
            yield from _table(self.rooms[:ROOMS_SHOWN])
        if len(self.rooms) > ROOMS_SHOWN:
            yield f"… and {len(self.rooms) - ROOMS_SHOWN} more"

    def _figures(self) -> Iterator[tuple[str, str]]:
        yield "last heartbeat", self._ago(self.path.at if self.path else None)
        if self.offset:
            yield (
                "this clock",
                f"{abs(self.offset):,.1f} s {'ahead' if self.offset > 0 else 'behind'}",
            )
        if self.credits:
            yield "credits left", f"{self.credits.left:,}/{self.credits.per_month:,}"
        report = self.report
        if report is None:
            return
        yield "last price", self._ago(report.last_at)
        yield "rooms joined", f"{report.joined:,}/{len(report.rooms):,}"
        yield "only rendered", f"{report.rendered:,}"
        yield "with history", f"{report.histories:,}"
        yield "epoch", str(report.epoch)
        yield "leader", "yes" if report.leader else "no"
        yield "updates/s", f"{report.updates_per_second:,.1f}"
        for label, name in _COUNTERS.items():
            yield label, f"{report.counts.get(name, 0):,}"

    def _age(self, at: float | None) -> float | None:
        return None if at is None else round(abs(self.now - at), 1)

    def _ago(self, at: float | None) -> str:
        if at is None:
            return "never"
        side = "ahead" if round(at - self.now, 1) > 0 else "ago"
        return f"{abs(self.now - at):,.1f} s {side}"


def _rooms(names: tuple[str, ...], *, is_online: bool) -> list[_Room]:
    """Return the rooms of a report, those with problems first."""
    reported = list(_parsed(names))
    quotes = get_quotes(reported)
    silent = State.WAITING if is_online else State.OFFLINE
    rooms = [_room(str(room), quotes.get(room), silent) for room in reported]
    return sorted(rooms, key=lambda room: (_ORDER.index(room.state), room.name))


def _room(name: str, quote: Quote | None, silent: State) -> _Room:
    if quote is None:
        return _Room(name, silent, None)
    return _Room(name, quote.state, round(quote.age, 1), quote.delay)


def _parsed(names: tuple[str, ...]) -> Iterator[Room]:
    for name in names:
        try:
            yield Room.from_text(name)
        except RoomError:  # The cache may hold anything.
            continue


def _table(rooms: list[_Room]) -> Iterator[str]:
    rows = [("room", "state", "age")]
    rows += [(room.name, room.claim, _seconds(room.age)) for room in rooms]
    name, state, age = (max(map(len, column)) for column in zip(*rows, strict=True))
    for row in rows:
        yield f"{row[0]:<{name}}  {row[1]:<{state}}  {row[2]:>{age}}"


def _seconds(age: float | None) -> str:
    return "-" if age is None else f"{age:,.1f} s"

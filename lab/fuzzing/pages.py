"""The target for values: frames of the vendor through stream, cache and template tag."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from contextlib import ExitStack, suppress
from random import Random
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from django_fcs import quotes
from django_fcs.exceptions import ProtocolError, RoomError
from django_fcs.prices.entries import decode, encode
from django_fcs.prices.paths import PathReport
from django_fcs.prices.sessions import Markets
from django_fcs.prices.store import LastValue, MemoryStore
from django_fcs.prices.updates import Update
from django_fcs.protocol import Price, ProfileUpdate, parse
from django_fcs.rooms import Room
from django_fcs.streaming.term import Term
from django_fcs.tools.metrics import counts
from django_fcs.upstream import Arrival
from django_fcs.widgets import ticker
from lab.kit import grammar

__all__ = ["Pages"]

#: A site starts again after this many inputs, because the target remembers all that was sent.
INPUTS_OF_A_SITE = 200

_PRICES = {"open": "o", "high": "h", "low": "l", "close": "c", "ask": "a", "bid": "b"}


class Pages:
    """A stream, what it stores, and a page; no sockets and no tasks.

    An input fails if something raises, or if a page shows a price that was not sent.
    """

    def __enter__(self) -> Pages:
        self._inputs = 0
        self._start()
        with ExitStack() as undo:
            undo.enter_context(patch.object(quotes, "site_store", lambda: self._store))
            clock = SimpleNamespace(time=lambda: self._now)
            undo.enter_context(patch("django_fcs.quotes.time", clock))
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    @staticmethod
    def draw(random: Random) -> dict[str, Any]:
        """Draw one frame, the seconds before it, and what becomes of the cache."""
        kind = random.random()
        if kind < 0.8:
            text: str | bytes = grammar.odd_value(random, "NOW")
        else:
            text = grammar.as_text(grammar.frame(random))
        wait = random.choice((0, 0, 0.1, 1, 70, 4000, 90_000))
        return {
            "text": text,
            "wait": wait,
            "reconnects": random.random() < 0.02,
            "stored": grammar.stored(random) if random.random() < 0.05 else None,
        }

    def feed(self, thing: dict[str, Any]) -> None:
        """Process a frame; raises an error if a page shows a price that was not sent."""
        self._inputs += 1
        if self._inputs % INPUTS_OF_A_SITE == 0:
            self._start()
        self._now += thing["wait"]
        text = thing["text"].replace("NOW", str(int(self._now) // 60 * 60))
        self._note_sent(text)
        if thing["reconnects"]:
            self._term.rooms.doubt()
        for room in self._hear(text):
            self._look_at(room)
            if thing["stored"] is not None:
                self._spoil(room, thing["stored"])

    def _start(self) -> None:
        self._now = time.time()
        self._term = Term(7, markets=Markets())
        self._store = MemoryStore()
        self._sent: dict[tuple[Room, str], set[float]] = defaultdict(set)

    def _hear(self, text: str) -> list[Room]:
        try:
            messages = parse(text)
        except ProtocolError:
            return []
        items: list[tuple[Room, Price | ProfileUpdate]] = []
        for message in messages:
            if isinstance(message, (Price, ProfileUpdate)):
                with suppress(RoomError):
                    items.append((Room.parse(message.symbol, message.timeframe), message))
        self._term.apply(Arrival(self._now, text, tuple(items)))
        rooms = list(dict.fromkeys(room for room, _ in items))
        self._term.look(rooms, rooms, now=self._now, monotonic=self._now)
        list(self._term.rooms.take_notices())
        for update in self._term.rooms.take_updates():
            Update.from_text(update.room, update.text, epoch=update.epoch)
        self._save()
        assert not counts().get("stream_room_faults"), "a room failed"
        return rooms

    def _save(self) -> None:
        values = {}
        for room, text, expected in self._term.rooms.take_values():
            value = LastValue(text, expected)
            assert decode(encode(value), LastValue) == value
            values[room] = value
        self._store.save(values, PathReport(at=self._now, online=True, reason=""))

    def _look_at(self, room: Room) -> None:
        quote = quotes.get_quote(room.symbol, room.timeframe)
        if quote is not None:
            for name, field in _PRICES.items():
                value = getattr(quote, name)
                is_sent = value is None or value in self._sent[room, field]
                assert is_sent, f"{name} of {room}: {value} was not sent"
            quote.updated.isoformat()
        assert "data-field" in ticker(room.symbol, room.timeframe)

    def _spoil(self, room: Room, stored: str) -> None:
        """Show a page while the cache holds something else."""
        value = decode(stored, LastValue)
        if value is None:
            return
        kept = self._store._values.get(room)
        self._store._values[room] = value
        ticker(room.symbol, room.timeframe)
        del self._store._values[room]
        if kept is not None:
            self._store._values[room] = kept

    def _note_sent(self, text: str) -> None:
        try:
            found = json.loads(text, parse_int=_whole)
        except (ValueError, RecursionError):
            return
        for frame in found if isinstance(found, list) else [found]:
            with suppress(AttributeError, TypeError, RoomError):
                room = Room.parse(frame.get("symbol"), str(frame.get("timeframe")))
                for field, value in frame.get("prices").items():
                    with suppress(TypeError, ValueError, OverflowError):
                        self._sent[room, field].add(float(value))


def _whole(digits: str) -> float:
    # Python reads no int of more than 4,300 digits. Timeframes are short.
    return int(digits) if len(digits) < 10 else float(digits)

"""Conflation: of the prices that wait, only the newest is kept for each room and candle."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

from django_fcs.layer.events import GroupEvent
from django_fcs.prices.updates import Update
from django_fcs.rooms import Room
from django_fcs.tools.metrics import count

__all__ = ["Mailbox", "newest_of"]

K = TypeVar("K", bound=Hashable)


class Mailbox(Generic[K]):
    """Two slots per key: the newest text, and the last state of the candle before.

    Bound: 2 × keys texts, whatever the feed does. Policy: a newer text of the same
    candle replaces an older one (``merged``). A reader that is more than one candle
    boundary behind misses the candles between (``missed``).
    """

    def __init__(self) -> None:
        self.newest: dict[K, Update] = {}
        """The newest update of each key. If a key has none, you may add one here."""
        self._before: dict[K, Update] = {}
        self.merged = 0
        self.missed = 0

    def __len__(self) -> int:
        return len(self.newest) + len(self._before)

    def put(self, key: K, update: Update) -> None:
        """Keep an update for its reader."""
        waiting = self.newest.get(key)
        if waiting is None:
            self.newest[key] = update
        elif _is_same_candle(waiting, update):
            self.newest[key] = update.in_mode(_mode_of_both(waiting, update))
            self.merged += 1
        else:
            self._begin(key, waiting, update)

    def _begin(self, key: K, waiting: Update, update: Update) -> None:
        """Begin a candle: the update that waits was the last of the candle before."""
        missed = self._before.get(key)
        if missed is not None:
            self.missed += 1
            # The first price that a reader gets of a room is an initial, even if it missed some.
            waiting = waiting.in_mode("initial") if missed.mode == "initial" else waiting
        self._before[key] = waiting
        unseen = update.mode == "askbid" and update.holds_candle
        self.newest[key] = update.in_mode("candle") if unseen else update

    def texts(self) -> list[str]:
        """Return all texts that wait, in the order of ``pop``."""
        if not self._before:
            return [update.text for update in self.newest.values()]
        return [update.text for _, update in self._all()]

    def pop(self) -> Update | None:
        """Remove and return the next update; ``None`` if none waits."""
        key = next(iter(self.newest), None)
        if key is None:
            return None
        return self._before.pop(key, None) or self.newest.pop(key)

    def first(self) -> Update | None:
        """Return the newest update of the room that has waited longest; ``None`` if none waits."""
        return next(iter(self.newest.values()), None)

    def copy(self) -> Mailbox[K]:
        """Return a copy for another reader."""
        other = Mailbox[K]()
        other.newest, other._before = self.newest.copy(), self._before.copy()
        return other

    def take(self) -> list[tuple[K, Update]]:
        """Remove and return all updates, in order within each room."""
        taken = list(self._all())
        self.clear()
        return taken

    def _all(self) -> Iterator[tuple[K, Update]]:
        for key, newest in self.newest.items():
            if key in self._before:
                yield key, self._before[key]
            yield key, newest

    def clear(self) -> None:
        """Drop all updates."""
        self.newest.clear()
        self._before.clear()

    def forget(self, key: K) -> None:
        """Drop the updates of a room that the reader has left."""
        self.newest.pop(key, None)
        self._before.pop(key, None)


def newest_of(burst: list[GroupEvent]) -> list[GroupEvent]:
    """Return the burst without prices that a newer one of the same candle follows."""
    kept: Mailbox[Room] = Mailbox()
    others: list[GroupEvent] = []
    for event in burst:
        if not isinstance(event, Update):
            others.append(event)
            continue
        waiting = kept.newest.get(event.room)
        if waiting is None or event.seq > waiting.seq:
            kept.put(event.room, event)
    count("hub_merged", kept.merged)
    count("hub_missed", kept.missed)
    return [*others, *(update for _, update in kept.take())]


def _is_same_candle(waiting: Update, update: Update) -> bool:
    return update.t is None or waiting.t is None or update.t == waiting.t


def _mode_of_both(waiting: Update, update: Update) -> str:
    """Return the mode of an update that replaces one that waits.

    An askbid says that the candle did not change, which is wrong for a reader that never
    got the candle.
    """
    return waiting.mode if waiting.mode == "initial" or update.mode == "askbid" else update.mode

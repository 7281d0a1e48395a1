"""The rooms that pages show, whether or not a script of the page watches them."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import chain

from django_fcs.exceptions import RoomError
from django_fcs.prices.entries import drop_malformed
from django_fcs.prices.rendered import Slot
from django_fcs.prices.store import Store
from django_fcs.rooms import Room

__all__ = ["Pages"]

#: How long a room is wanted after a process has written that it renders it, in seconds.
HOLD_SECONDS = 150

#: How many rooms are held; further ones have to wait until others expire.
ROOMS_MAX = 1000


class Pages:
    """The rooms that web processes have rendered, as the store has them.

    Args:
        store: Where web processes write them.
        hold: How long each is wanted, in seconds.
        rooms_max: How many are held.
        monotonic: Seconds of a clock that is never set.
    """

    def __init__(
        self,
        store: Store,
        *,
        hold: float = HOLD_SECONDS,
        rooms_max: int = ROOMS_MAX,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._hold = hold
        self._rooms_max = rooms_max
        self._monotonic = monotonic
        self._written: dict[int, tuple[str, int]] = {}
        """Who wrote each slot last, and which time it was."""
        self._until: dict[Room, float] = {}
        """When each room expires; the longest rendered room comes first."""
        self._doubted: dict[Room, None] = {}

    async def follow(self, pause: float) -> None:
        """Read the slots every ``pause`` seconds; does not end."""
        while True:
            self.note(await self._store.arendered())
            await asyncio.sleep(pause)

    def note(self, slots: Mapping[int, Slot]) -> None:
        """Note the rooms of slots that were written since the last call.

        Rooms that most processes render come first, in case there are too many.
        """
        written = {number: (slot.owner, slot.number) for number, slot in slots.items()}
        new = [slots[number] for number in slots if written[number] != self._written.get(number)]
        self._written = written
        until = self._monotonic() + self._hold
        texts = Counter(chain.from_iterable(dict.fromkeys(slot.rooms) for slot in new))
        self._expire()
        for text, _ in texts.most_common(self._rooms_max):
            try:
                room = Room.from_text(text)
            except RoomError as error:
                drop_malformed(error)
                continue
            if room in self._until or len(self._until) < self._rooms_max:
                self._until[room] = until

    def learn(self, *, joined: Collection[Room], unconfirmed: Iterable[Room]) -> None:
        """Doubt rooms that the vendor does not confirm, until it does: they come last."""
        for room in unconfirmed:
            if room in self._until:
                self._doubted.setdefault(room)
        for room in [room for room in self._doubted if room in joined]:
            del self._doubted[room]

    def rooms(self) -> list[Room]:
        """Return the rooms, longest rendered first, those in doubt at the end."""
        self._expire()
        return [*(room for room in self._until if room not in self._doubted), *self._doubted]

    def _expire(self) -> None:
        now = self._monotonic()
        for room in [room for room, until in self._until.items() if until <= now]:
            del self._until[room]
            self._doubted.pop(room, None)

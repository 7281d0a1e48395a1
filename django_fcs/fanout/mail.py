"""Everything that a browser, or a cohort of browsers, has not been sent yet."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final, TypeVar

from .mailbox import Mailbox
from .routes import Key

__all__ = ["FRAME_BYTES", "Mail"]

K = TypeVar("K", bound=Hashable)

#: The size of a frame in characters, which only its last message may exceed. This bounds what a
#: slow browser costs.
FRAME_BYTES = 64_000


class Mail:
    """Profiles, prices and states that wait, in the order in which a page needs them.

    Bound: two prices, one profile and one state per room.
    """

    __slots__ = ("_notes", "_prices", "_profiles", "newest", "put")

    def __init__(self, prices: Mailbox[Key] | None = None) -> None:
        self._profiles: dict[Key, str] = {}
        self._prices: Mailbox[Key] = Mailbox() if prices is None else prices
        self.put: Final = self._prices.put
        """Keep a price; it replaces an older one."""
        self.newest: Final = self._prices.newest
        """The newest price of each room. If a room has none, you may add one here."""
        self._notes: dict[Hashable, str] = {}

    def __bool__(self) -> bool:
        return bool(self._prices or self._profiles or self._notes)

    def __len__(self) -> int:
        return len(self._profiles) + len(self._prices) + len(self._notes)

    def describe(self, key: Key, text: str) -> None:
        """Keep a room's profile."""
        self._profiles[key] = text

    def tell(self, key: Hashable, text: str) -> None:
        """Keep a state or heartbeat; it replaces an older one."""
        self._notes[key] = text

    def forget(self, key: Key) -> None:
        """Drop what waits of a room that the reader has left."""
        self._profiles.pop(key, None)
        self._prices.forget(key)
        self._notes.pop(key, None)

    def copy(self) -> Mail:
        """Return a copy for another reader."""
        other = Mail(self._prices.copy())
        other._profiles, other._notes = self._profiles.copy(), self._notes.copy()
        return other

    def pop(self) -> str | None:
        """Remove and return the next message; ``None`` if none waits."""
        if self._profiles:
            return _take_first(self._profiles)
        update = self._prices.pop()
        if update is not None:
            return update.text
        return _take_first(self._notes) if self._notes else None

    def first_at(self) -> float | None:
        """Return when the first price that waits came in; None if it is a room's first."""
        update = self._prices.first()
        return None if update is None or update.mode == "initial" else update.at

    def frame(self) -> str:
        """Remove and return what waits as one array, up to ``FRAME_BYTES``; "" if nothing."""
        texts = [*self._profiles.values(), *self._prices.texts(), *self._notes.values()]
        if not texts:
            return ""
        frame = f"[{','.join(texts)}]"
        if len(frame) > FRAME_BYTES:
            return self._part()
        self._profiles.clear()
        self._prices.clear()
        self._notes.clear()
        return frame

    def _part(self) -> str:
        texts: list[str] = []
        size = 0
        while size < FRAME_BYTES and (text := self.pop()) is not None:
            texts.append(text)
            size += len(text)
        return f"[{','.join(texts)}]"


def _take_first(texts: dict[K, str]) -> str:
    return texts.pop(next(iter(texts)))

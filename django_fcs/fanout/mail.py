"""All that a browser, or a cohort of browsers, has not been sent yet."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from .mailbox import Mailbox

__all__ = ["FRAME_BYTES", "Mail"]

#: No frame has more characters, save by its last message: what a slow browser costs is bounded.
FRAME_BYTES = 64_000


class Mail:
    """Profiles, prices and states that wait, in the order in which a page needs them.

    Bound: of each room two prices, one profile and one state.
    """

    __slots__ = ("_notes", "_prices", "_profiles", "newest", "put")

    def __init__(self, prices: Mailbox[Hashable] | None = None) -> None:
        self._profiles: dict[Hashable, str] = {}
        self._prices: Mailbox[Hashable] = Mailbox() if prices is None else prices
        self.put: Final = self._prices.put
        """Keep a price, or a newer one in its place."""
        self.newest: Final = self._prices.newest
        """The newest price of each room; where none waits, one may be added here."""
        self._notes: dict[Hashable, str] = {}

    def __bool__(self) -> bool:
        return bool(self._prices or self._profiles or self._notes)

    def __len__(self) -> int:
        return len(self._profiles) + len(self._prices) + len(self._notes)

    def describe(self, key: Hashable, text: str) -> None:
        """Keep a room's profile."""
        self._profiles[key] = text

    def tell(self, key: Hashable, text: str) -> None:
        """Keep a state or beat, or a newer one in its place."""
        self._notes[key] = text

    def forget(self, key: Hashable) -> None:
        """Drop what waits of a room that was left."""
        self._profiles.pop(key, None)
        self._prices.forget(key)
        self._notes.pop(key, None)

    def copy(self) -> Mail:
        """Return the same for another reader."""
        other = Mail(self._prices.copy())
        other._profiles, other._notes = self._profiles.copy(), self._notes.copy()
        return other

    def pop(self) -> str | None:
        """Hand over the next message, and forget it; ``None`` where none waits."""
        if self._profiles:
            return _take_first(self._profiles)
        update = self._prices.pop()
        if update is not None:
            return update.text
        return _take_first(self._notes) if self._notes else None

    def first_at(self) -> float | None:
        """Return when the first price that waits came in; None for the first of a room."""
        update = self._prices.first()
        return None if update is None or update.mode == "initial" else update.at

    def frame(self) -> str:
        """Hand over what waits as one array, as far as it may be long; nothing as ""."""
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


def _take_first(texts: dict[Hashable, str]) -> str:
    return texts.pop(next(iter(texts)))

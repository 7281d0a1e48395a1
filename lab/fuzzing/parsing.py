"""The target ``protocol.parse``: any text or bytes."""

from __future__ import annotations

from random import Random
from types import TracebackType

from django_fcs.exceptions import ProtocolError
from django_fcs.protocol import Unknown, frames as protocol, parse, serialise
from django_fcs.protocol.ticks import read_tick
from lab.kit import grammar

__all__ = ["Parsing"]

#: A reason goes to logs and browsers.
REASON_MAX = 1000


class Parsing:
    """Reads frames; nothing of one outlives it."""

    def __enter__(self) -> Parsing:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass

    @staticmethod
    def draw(random: Random) -> str | bytes:
        """Make one input."""
        return grammar.frame(random)

    def feed(self, text: str | bytes) -> None:
        """Read a frame; raises what it does wrong."""
        try:
            messages = parse(text)
        except ProtocolError as error:
            reason = str(error)
            assert "\n" not in reason and len(reason) <= REASON_MAX, f"reason: {reason!r}"
            return
        for message in messages:
            if not isinstance(message, Unknown):
                again = parse(serialise(message))
                assert again == [message], f"written and read again: {again} != {message}"
        tick = read_tick(text)
        if tick is not None:
            slowly = protocol._parse_any(text)
            assert slowly == [tick], f"the long way reads {slowly}, the short one {tick}"

"""The target for ``protocol.parse``: any text or bytes."""

from __future__ import annotations

from random import Random

from django_fcs.exceptions import ProtocolError
from django_fcs.protocol import Unknown, Unusable, frames as protocol, parse, serialise
from django_fcs.protocol.ticks import read_tick
from lab.kit import grammar

__all__ = ["Parsing"]

#: The longest reason, because reasons are logged and sent to browsers.
REASON_MAX = 1000


class Parsing:
    """Parses frames; it keeps no state between them."""

    def __enter__(self) -> Parsing:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @staticmethod
    def draw(random: Random) -> str | bytes:
        """Draw one input."""
        return grammar.frame(random)

    def feed(self, text: str | bytes) -> None:
        """Parse a frame; raises an error if the result is wrong."""
        try:
            messages = parse(text)
        except ProtocolError as error:
            reason = str(error)
            assert "\n" not in reason and len(reason) <= REASON_MAX, f"reason: {reason!r}"
            return
        for message in messages:
            if not isinstance(message, (Unknown, Unusable)):
                again = parse(serialise(message))
                assert again == [message], f"serialised and parsed: {again} != {message}"
        tick = read_tick(text)
        if tick is not None:
            slowly = protocol._parse_any(text)
            assert slowly == [tick], f"parse returns {slowly}, read_tick {tick}"

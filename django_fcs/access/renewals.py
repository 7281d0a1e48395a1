"""New tokens for a page that stays open for longer than a token is valid."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Collection

from django_fcs.conf import conf
from django_fcs.protocol import Token
from django_fcs.tokens import make_token, standing_of

from .refusals import matches_pattern

__all__ = ["Renewals"]

#: A token is renewed after this part of its life, and up to ``SPREAD`` of its life later: all
#: visitors of a cached page have tokens of the same moment.
DUE = 2 / 3
SPREAD = 0.05

#: How many tokens are sent at once, and how long the next ones wait.
AT_ONCE = 100
PAUSE_SECONDS = 0.1

#: After so long, the clock is read again: it may have been set, or the machine suspended.
LOOK_SECONDS = 600


class Renewals:
    """When the tokens of one socket are due, with one timer for the nearest.

    A symbol whose rooms have all been left is forgotten when it is due, or when there are
    more symbols than a socket may have rooms.

    Args:
        joined: Returns the symbols whose rooms the browser has joined, and may still see.
        send: Sends new tokens to the browser, up to ``AT_ONCE``.
        clock: The clock by which tokens are signed, in unix seconds.
        chance: Returns a number from 0 to 1, which spreads the renewals.
    """

    __slots__ = ("_chance", "_clock", "_due", "_joined", "_looks_at", "_send", "_timer")

    def __init__(
        self,
        *,
        joined: Callable[[], Collection[str]],
        send: Callable[[list[Token]], None],
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._joined = joined
        self._send = send
        self._clock = clock
        self._chance = chance
        self._due: dict[str, float] = {}
        self._looks_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Renewals:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def expect(self, symbol: str, token: str | None) -> None:
        """Renew the token with which a room was joined, if it needs one and will expire."""
        if not token or conf.FCS_TOKEN_MAX_AGE_SECONDS is None or matches_pattern(symbol):
            return
        signed_at = standing_of(token, symbol).signed_at
        if signed_at is None:
            return
        if len(self._due) >= conf.FCS_MAX_ROOMS_PER_CLIENT:
            self._forget_left()
        # A page may have several tokens of a symbol: the oldest expires first.
        due = self._due_after(signed_at)
        self._due[symbol] = min(due, self._due.get(symbol, due))
        if self._timer is None or due < self._looks_at:
            self._look_at(due)

    def _due_after(self, signed_at: float) -> float:
        life = conf.FCS_TOKEN_MAX_AGE_SECONDS or 0
        return signed_at + life * (DUE + SPREAD * self._chance())

    def _look_at(self, moment: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._looks_at = moment
        delay = min(max(moment - self._clock(), PAUSE_SECONDS), LOOK_SECONDS)
        self._timer = asyncio.get_running_loop().call_later(delay, self._look)

    def _look(self) -> None:
        self._timer = None
        self._forget_left()
        if conf.FCS_TOKEN_MAX_AGE_SECONDS is None:
            self._due.clear()
        now = self._clock()
        due = [symbol for symbol, moment in self._due.items() if moment <= now][:AT_ONCE]
        if due:
            self._send([Token(symbol=symbol, token=make_token(symbol)) for symbol in due])
            self._due |= {symbol: self._due_after(now) for symbol in due}
        if self._due:
            self._look_at(min(self._due.values()))

    def _forget_left(self) -> None:
        joined = self._joined()
        self._due = {symbol: due for symbol, due in self._due.items() if symbol in joined}

"""One browser of the soak, which visits the site again and again and watches some rooms."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from contextlib import suppress
from random import Random

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from django_fcs.tools.bell import Bell
from lab.kit import grammar
from tests.support.pages import SPREAD_SECONDS

__all__ = ["Browser"]

#: The mean duration of a visit and of the time between two visits, in seconds. They are so
#: short that Python's garbage collector is in a steady state after five minutes.
VISIT_SECONDS = 20
AWAY_SECONDS = 5

_MERGE = [Subprotocol("fcs.merge.v1")]


class _Prices(msgspec.Struct):
    c: float | None = None


class _Said(msgspec.Struct):
    type: str
    symbol: str = ""
    seq: int = 0
    prices: _Prices | None = None


_decode_one = msgspec.json.Decoder(_Said).decode
_decode_many = msgspec.json.Decoder(list[_Said]).decode


class Browser:
    """A page with a socket, and the prices that it shows.

    Args:
        url: The socket of the site.
        symbols: The symbols that it watches.
        random: Source of its random decisions: when it connects and leaves, and how.
        codes: Counts its closed sockets by close code.
    """

    def __init__(self, url: str, symbols: list[str], random: Random, codes: Counter[int]) -> None:
        self._url = url
        self._symbols = symbols
        self._random = random
        self._codes = codes
        self._merge = random.random() < 0.7
        self._rate = random.choice((1, 4, 10))
        self._leaves_at = 0.0
        self._stalls_until = 0.0
        self._seqs: dict[str, int] = {}
        self._socket: ClientConnection | None = None
        self._called = Bell()
        self.stays = False
        self.closes: dict[str, float] = {}
        self.visits = self.prices = 0
        self.backward = 0
        """Prices that were older than the price before them on the same page."""
        self.behind = 0
        """Rooms in which a page began with an older price than the visitor's last page showed."""

    @property
    def is_here(self) -> bool:
        """Whether it is connected and has a price of each of its rooms."""
        return self._socket is not None and len(self.closes) == len(self._symbols)

    def shows(self, closes: dict[str, float]) -> bool:
        """Tell whether it shows these prices in all rooms that it watches."""
        return self.is_here and all(self.closes[it] == closes.get(it) for it in self._symbols)

    async def live(self) -> None:
        """Connect and leave for ever."""
        await self._rest(self._random.random() * AWAY_SECONDS)
        while True:
            try:
                await self._visit()
                await self._rest(self._random.expovariate(1 / AWAY_SECONDS))
            except (OSError, WebSocketException, asyncio.TimeoutError, EOFError) as error:
                if isinstance(error, ConnectionClosed):
                    self._codes[error.rcvd.code if error.rcvd else 1006] += 1
                await asyncio.sleep(self._random.random() * SPREAD_SECONDS)

    async def _rest(self, seconds: float) -> None:
        if not self.stays:
            await self._called.heard(seconds)

    async def _visit(self) -> None:
        protocols = _MERGE if self._merge else None
        connecting = connect(
            self._url,
            subprotocols=protocols,
            compression=None,
            ping_interval=None,
            open_timeout=20,
            close_timeout=2,
            max_size=None,
        )
        async with connecting as socket:
            now = asyncio.get_running_loop().time()
            self._leaves_at = now + self._random.expovariate(1 / VISIT_SECONDS)
            self.closes.clear()
            self.visits += 1
            try:
                await self._join(socket)
                self._socket = socket
                await self._read(socket)
            except asyncio.CancelledError:
                socket.transport.abort()  # All browsers should leave at once.
                raise
            finally:
                self._socket = None
            if self._random.random() < 0.3:
                socket.transport.abort()  # A closed laptop sends no close frame.

    async def _join(self, socket: ClientConnection) -> None:
        if self._merge:
            await socket.send(f'{{"type":"rate","frames_per_second":{self._rate}}}')
        for symbol in self._symbols:
            await socket.send(f'{{"type":"join_symbol","symbol":"{symbol}","timeframe":"1D"}}')

    async def _read(self, socket: ClientConnection) -> None:
        loop = asyncio.get_running_loop()
        while loop.time() < (math.inf if self.stays and self._leaves_at else self._leaves_at):
            text = await socket.recv(decode=False)
            for said in _decode_many(text) if text[:1] == b"[" else [_decode_one(text)]:
                if said.type == "ping":
                    await socket.send('{"type":"pong"}')
                elif said.type == "price" and said.prices and said.prices.c is not None:
                    self._note(said.symbol, said.seq, said.prices.c)
            if (pause := self._stalls_until - loop.time()) > 0:
                await asyncio.sleep(pause)

    def _note(self, symbol: str, seq: int, close: float) -> None:
        self.prices += 1
        if seq < self._seqs.get(symbol, 0):
            self.backward += symbol in self.closes
            self.behind += symbol not in self.closes
        self._seqs[symbol] = seq
        self.closes[symbol] = close

    def stay(self) -> None:
        """Connect if it is away, and stay connected."""
        self.stays = True
        self._called.ring()

    def stall(self, seconds: float) -> None:
        """Read nothing for this time."""
        self._stalls_until = asyncio.get_running_loop().time() + seconds

    async def babble(self, frames: int) -> None:
        """Send random frames and leave, because they may have changed its rooms."""
        with suppress(ConnectionClosed):
            for _ in range(frames):
                if self._socket is None:
                    return
                frame = grammar.frame(self._random)
                text = frame if isinstance(frame, str) else frame.decode(errors="replace")
                await self._socket.send(text.encode(errors="replace"), text=True)
        self._leaves_at = 0.0

"""The vendor's socket: welcome, pings, wanted rooms, endless reconnects.

It does not use Django's channel layer. Iterating over the client yields prices::

    async with UpstreamClient(key, rooms=["FX:EURUSD"]) as client:
        async for price in client:
            print(price.symbol, price.c)
"""

from __future__ import annotations

import asyncio
import functools
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import aclosing, asynccontextmanager, suppress

from websockets.exceptions import ConnectionClosed, WebSocketException

from django_fcs.exceptions import FailureKind, KeyRefused, ProtocolError, RoomError, UpstreamError
from django_fcs.protocol import (
    Joined,
    Message,
    Ping,
    Pong,
    Price,
    ProfileUpdate,
    Refusal,
    Unusable,
    Welcome,
    parse,
    serialise,
)
from django_fcs.protocol.address import Address
from django_fcs.rooms import Room
from django_fcs.tools.bell import Bell
from django_fcs.tools.logs import logger_of
from django_fcs.tools.metrics import count
from django_fcs.tools.redaction import SILENT
from django_fcs.tools.tasks import limited, running

from .approach import Approach
from .arrivals import PATIENT, Arrival, Event, Item, Status, Timing
from .connection import SIZE_MAX, Connection, LastHeard, connecting
from .failures import failure_of
from .faults import Faults
from .retries import Retries
from .subscriptions import Subscriptions

__all__ = ["Arrival", "Status", "Timing", "UpstreamClient"]

logger = logger_of(__name__)

_AUTHENTICATION_FAILED = "authentication_failed"

#: Frames to process before other tasks may run: a millisecond or two.
BATCH_MAX = 200


class UpstreamClient:
    """One connection to an FCS v4 server, kept open while the client is iterated.

    Args:
        key: The vendor's socket key. It appears in no log, repr or exception.
        rooms: Rooms to join, as ``Room`` or text (``"FX:EURUSD_1D"``).
        url: Address of the server, ``ws://`` or ``wss://``; TLS is verified.
        give_up_on_refusal: Raise ``KeyRefused`` if the key is refused before the first
            welcome. Otherwise, and after a welcome, the client tries again.
        timing, clock, monotonic, rng: For tests.

    Raises:
        ConfigurationError: ``url`` is not a socket address, or the key is empty.
    """

    def __init__(
        self,
        key: str,
        *,
        rooms: Iterable[Room | str] = (),
        url: str = "wss://ws-v4.fcsapi.com/ws",
        give_up_on_refusal: bool = True,
        timing: Timing = PATIENT,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        self._address = Address(url, key)
        self._place = self._address.place
        self._faults = Faults(self._address)
        self._give_up_on_refusal = give_up_on_refusal
        self._timing = timing
        self._clock = clock
        self._monotonic = monotonic
        self._retries = Retries(timing, rng or random.Random(), monotonic)
        self._subscriptions = Subscriptions(timing)
        self._approach = Approach(self._address.host)
        self._changed = Bell()
        self._last_heard = LastHeard(monotonic)
        self._socket: Connection | None = None
        self._welcomed = False
        self._welcomed_once = False
        self._given_up = ""
        self._batches: AsyncGenerator[list[Event], None] | None = None
        self._events: AsyncGenerator[Event, None] | None = None
        self._prices: AsyncGenerator[Price, None] | None = None
        self.want(rooms)

    def __repr__(self) -> str:
        return f"<UpstreamClient {self._place} wanted={len(self.wanted)} joined={len(self.joined)}>"

    async def __aenter__(self) -> UpstreamClient:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        # The outer generators first: they may be suspended inside the inner ones.
        for iteration in (self._prices, self._events, self._batches):
            if iteration is not None:
                await iteration.aclose()

    @property
    def wanted(self) -> frozenset[Room]:
        """The rooms that this client should join."""
        return self._subscriptions.wanted

    @property
    def joined(self) -> frozenset[Room]:
        """The rooms the vendor has confirmed on this connection."""
        return frozenset(self._subscriptions.joined)

    @property
    def unconfirmed(self) -> frozenset[Room]:
        """The rooms left for now because the vendor did not confirm them."""
        return self._subscriptions.unconfirmed

    @property
    def silence(self) -> float:
        """Seconds since the last data, answers to pings included; at first since the start."""
        return self._last_heard.silence

    def want(self, rooms: Iterable[Room | str]) -> None:
        """Replace the set of wanted rooms; the client then joins and leaves rooms."""
        self._subscriptions.want(
            Room.from_text(room) if isinstance(room, str) else room for room in rooms
        )
        self._changed.ring()

    def rejoin(self, rooms: Iterable[Room]) -> None:
        """Leave these joined rooms and join them again; the wanted set does not change."""
        for room in rooms:
            self._subscriptions.rejoin(room)
        self._changed.ring()

    def reconnect(self, reason: str) -> None:
        """Close the connection, for ``reason``, and open another."""
        self._given_up = reason
        self._changed.ring()

    def cut(self) -> None:
        """Abort the connection without a close frame; further iteration reconnects."""
        if self._socket is not None:
            self._socket.abort()

    def __aiter__(self) -> AsyncIterator[Price]:
        self._prices = self._iterate_prices()
        return self._prices

    async def _iterate_prices(self) -> AsyncGenerator[Price, None]:
        async with aclosing(self.events()) as events:
            async for event in events:
                if isinstance(event, Arrival):
                    for _, item in event.items:
                        if isinstance(item, Price):
                            yield item

    def events(self) -> AsyncGenerator[Event, None]:
        """Iterate over all events for ever; only one iteration at a time.

        Raises ``KeyRefused`` as the class does; any other failure is a ``Status`` and a retry.
        """
        self._events = self._iterate_events()
        return self._events

    async def _iterate_events(self) -> AsyncGenerator[Event, None]:
        async with aclosing(self.batches()) as batches:
            async for batch in batches:
                for event in batch:
                    yield event

    def batches(self) -> AsyncGenerator[list[Event], None]:
        """Iterate over the same events in batches of about ``BATCH_MAX`` at most."""
        self._batches = self._iterate_batches()
        return self._batches

    async def _iterate_batches(self) -> AsyncGenerator[list[Event], None]:
        self._retries.restart()
        # Another iteration may have ended in the pause that the server asked for.
        await asyncio.sleep(self._retries.asked)
        while True:
            began = self._monotonic()
            try:
                async with aclosing(self._connection()) as batches:
                    async for batch in batches:
                        yield batch
            except UpstreamError as error:
                refused = isinstance(error, KeyRefused)
                if refused and self._give_up_on_refusal and not self._welcomed_once:
                    raise
                self._approach.note(error)
                pause = self._retries.after(error, lasted=self._monotonic() - began)
                lost = Status(online=False, error=error.bare())
            count("upstream_lost")
            logger.warning("upstream lost reason=%s retry_in=%.1f", lost.reason, pause)
            yield [lost]
            await asyncio.sleep(pause)

    async def _connection(self) -> AsyncGenerator[list[Event], None]:
        """Connect once and yield what arrives; always ends with an ``UpstreamError``."""
        self._welcomed, self._given_up = False, ""
        self._subscriptions.reset()
        async with self._open() as socket, running(self._tend(socket)):
            while True:
                texts = await self._receive(socket)
                while texts:
                    events, answers = self._parse(texts[:BATCH_MAX])
                    if events:
                        yield events
                    for answer in answers:
                        await self._answer(socket, answer)
                    del texts[:BATCH_MAX]
                    if texts:
                        # A flood must not block other tasks.
                        await asyncio.sleep(0)

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Connection]:
        try:
            async with connecting(
                self._address.with_key,
                last_heard=self._last_heard,
                # Decompressing 20,000 small frames a second would stall this process.
                compression=None,
                open_timeout=self._timing.welcome,
                close_timeout=self._timing.goodbye,
                ping_interval=self._timing.ping,
                ping_timeout=self._timing.pong,
                max_size=SIZE_MAX,
                logger=SILENT,
                **self._approach.arguments(),
            ) as socket:
                self._socket = socket
                try:
                    yield socket
                finally:
                    try:
                        await self._say_goodbye(socket)
                    finally:
                        self.cut()
                        self._socket = None
        except (OSError, WebSocketException, asyncio.TimeoutError) as error:
            raise failure_of(
                error,
                self._address,
                self._timing,
                now=self._clock(),
                welcomed=self._welcomed,
                given_up=self._given_up,
            ) from None

    async def _say_goodbye(self, socket: Connection) -> None:
        """Leave all rooms and close; do not wait for a vendor that does not read."""
        with suppress(ConnectionClosed, asyncio.TimeoutError):
            if farewell := self._subscriptions.farewell():
                await limited(socket.send(serialise(farewell)), self._timing.goodbye)
        # Otherwise websockets would close with 1011 whenever iteration ends normally.
        await socket.close()

    async def _receive(self, socket: Connection) -> list[bytes]:
        """Wait for frames; before the welcome, raise ``UpstreamError`` after a timeout."""
        if self._welcomed:
            return await socket.texts()
        try:
            return await limited(socket.texts(), self._timing.welcome)
        except asyncio.TimeoutError:
            detail = f"sent no welcome in {self._timing.welcome:g} s"
            raise UpstreamError(FailureKind.TIMEOUT, self._place, detail=detail) from None

    def _parse(self, texts: list[bytes]) -> tuple[list[Event], list[Message]]:
        """Parse frames; return the events, and the messages to answer or act on."""
        at = self._clock()
        events: list[Event] = []
        answers: list[Message] = []
        for data in texts:
            text = data.decode(errors="replace")
            items: tuple[Item, ...] = ()
            for message in _parsed(text):
                if isinstance(message, (Price, ProfileUpdate)):
                    items += self._items(message)
                elif isinstance(message, Welcome):
                    # A second one must not restart the watchdog, as each status does.
                    events += [] if self._welcomed else [self._be_welcomed()]
                elif isinstance(message, Unusable):
                    self._faults.note_malformed(len(text), message.reason)
                else:
                    answers.append(message)
                    if isinstance(message, Refusal) and message.short == _AUTHENTICATION_FAILED:
                        return events, answers
            events.append(Arrival(at, text if items else self._address.without_key(text), items))
        return events, answers

    def _items(self, message: Price | ProfileUpdate) -> tuple[()] | tuple[Item]:
        try:
            room = _room(message.symbol, message.timeframe)
        except RoomError:
            count("upstream_malformed")
            return ()
        return ((room, message),) if self._subscriptions.heard(room) else ()

    def _be_welcomed(self) -> Status:
        self._welcomed = self._welcomed_once = True
        self._changed.ring()
        logger.info("upstream welcomed place=%s rooms=%d", self._place, len(self.wanted))
        return Status(online=True)

    async def _answer(self, socket: Connection, message: Message) -> None:
        if isinstance(message, Ping):
            # If the connection has ended, the frames before its end must still be processed.
            with suppress(ConnectionClosed):
                await socket.send(serialise(Pong(timestamp=int(self._clock() * 1000))))
        elif isinstance(message, Joined):
            self._subscriptions.confirm(message)
        elif isinstance(message, Refusal):
            if message.short == _AUTHENTICATION_FAILED:
                detail = f": {self._faults.reason_of(message)} (set it to your FCS socket key)"
                raise KeyRefused(self._place, detail=detail)
            self._faults.note_error(message)

    async def _tend(self, socket: Connection) -> None:
        """Send joins, leaves and pings; a failure to send ends the connection."""
        beat_at = self._monotonic() + self._timing.heartbeat
        with suppress(ConnectionClosed):
            while True:
                if self._given_up:
                    return await socket.close()
                now = self._monotonic()
                if now >= beat_at:
                    beat_at = now + self._timing.heartbeat
                    await socket.send(serialise(Ping(timestamp=int(self._clock() * 1000))))
                wake_at = min(beat_at, await self._reconcile(socket))
                await self._changed.heard(max(0.0, wake_at - self._monotonic()))

    async def _reconcile(self, socket: Connection) -> float:
        """Send the joins and leaves that are due; return when to check again."""
        if not self._welcomed:
            return float("inf")
        retries = self._subscriptions.retries
        while (message := self._subscriptions.due(self._monotonic())) is not None:
            await socket.send(serialise(message))
        if self._subscriptions.retries > retries:
            count("upstream_join_retries", self._subscriptions.retries - retries)
        next_at = self._subscriptions.next_at()
        return float("inf") if next_at is None else next_at


def _parsed(text: str) -> list[Message]:
    try:
        return parse(text)
    except ProtocolError as error:
        return [Unusable(reason=str(error))]


@functools.lru_cache(maxsize=4096)
def _room(symbol: str, timeframe: str) -> Room:
    return Room.parse(symbol, timeframe)

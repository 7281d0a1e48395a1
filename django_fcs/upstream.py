"""The vendor's socket: welcome, heartbeat, wanted rooms, reconnects without end.

Nothing here knows Django's channel layer; who iterates gets what arrives::

    async with UpstreamClient(key, rooms=["FX:EURUSD"]) as client:
        async for price in client:
            print(price.symbol, price.c)
"""

from __future__ import annotations

import asyncio
import functools
import logging
import random
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import parse_qsl, quote_plus, urlencode, urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from .backoff import doubling, full_jitter
from .exceptions import ConfigurationError, KeyRefused, ProtocolError, RoomError, UpstreamError
from .messages import Joined, Message, Ping, Pong, Price, ProfileUpdate, Refusal, Welcome
from .metrics import count
from .protocol import parse, serialise
from .redaction import SILENT
from .rooms import Room
from .subscriptions import Subscriptions
from .tasks import running

__all__ = ["Arrival", "Status", "Timing", "UpstreamClient"]

logger = logging.getLogger(__name__)

#: Close codes that third parties report for a bad key; the vendor lists none.
_REFUSING_CLOSE_CODES = (4001, 4003)
_REFUSING_STATUSES = (401, 403)
_AUTHENTICATION_FAILED = "authentication_failed"


@dataclass(frozen=True)
class Timing:
    """Every pause of the client, in seconds."""

    welcome: float = 10
    heartbeat: float = 25
    confirm: float = 10
    joins_per_second: float = 50
    goodbye: float = 2
    retry_first: float = 1
    retry_cap: float = 60
    refused_first: float = 60
    refused_cap: float = 900
    settled: float = 30
    """A connection that lasted this long makes the next retry a first one."""


@dataclass(frozen=True)
class Arrival:
    """One frame as it came in, and what it says of wanted rooms."""

    at: float
    """When it came in, unix seconds."""
    text: str
    news: tuple[tuple[Room, Price | ProfileUpdate], ...]


@dataclass(frozen=True)
class Status:
    """A change of the connection: welcomed, or lost and why."""

    online: bool
    reason: str = ""
    """For those who run the site: addresses and the vendor's words included."""
    public: str = ""
    """For its visitors."""


Event = Arrival | Status


class UpstreamClient:
    """One connection to an FCS v4 server, kept up for as long as it is iterated.

    Args:
        key: The vendor's socket key. It appears in no log, repr or exception.
        rooms: Rooms to join, as ``Room`` or text (``"FX:EURUSD_1D"``).
        url: Where the server is, ``ws://`` or ``wss://``; TLS is verified.
        give_up_on_refusal: Raise ``KeyRefused`` where the key is refused before
            this client was ever welcomed; else, and later, it is tried again.
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
        # For tests
        timing: Timing = Timing(),
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        self._spellings_of_key = re.compile(f"{re.escape(key)}|{re.escape(quote_plus(key))}")
        self._address = _address(url, key)
        self._place = urlsplit(url).netloc.rpartition("@")[2]
        self._give_up_on_refusal = give_up_on_refusal
        self._timing = timing
        self._clock = clock
        self._monotonic = monotonic
        self._rng = rng or random.Random()
        self._subscriptions = Subscriptions(
            per_second=timing.joins_per_second, confirm_after=timing.confirm
        )
        self._changed = asyncio.Event()
        self._welcomed = False
        self._welcomed_once = False
        self._running: AsyncGenerator[Event, None] | None = None
        self._prices: AsyncGenerator[Price, None] | None = None
        self.want(rooms)

    def __repr__(self) -> str:
        return f"<UpstreamClient {self._place} wanted={len(self.wanted)} joined={len(self.joined)}>"

    async def __aenter__(self) -> UpstreamClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # The outer one first: it may be left in the middle of the inner one.
        for iteration in (self._prices, self._running):
            if iteration is not None:
                await iteration.aclose()

    @property
    def wanted(self) -> frozenset[Room]:
        """The rooms asked for."""
        return self._subscriptions.wanted

    @property
    def joined(self) -> frozenset[Room]:
        """The rooms the vendor has confirmed on this connection."""
        return frozenset(self._subscriptions.joined)

    def want(self, rooms: Iterable[Room | str]) -> None:
        """Replace the set of wanted rooms; joins and leaves follow by themselves."""
        self._subscriptions.want(
            Room.from_text(room) if isinstance(room, str) else room for room in rooms
        )
        self._changed.set()

    def __aiter__(self) -> AsyncIterator[Price]:
        self._prices = self._iterate_prices()
        return self._prices

    async def _iterate_prices(self) -> AsyncGenerator[Price, None]:
        async with aclosing(self.events()) as events:
            async for event in events:
                if isinstance(event, Arrival):
                    for _, news in event.news:
                        if isinstance(news, Price):
                            yield news

    def events(self) -> AsyncGenerator[Event, None]:
        """Iterate over everything that happens, for ever; one iteration at a time.

        Raises ``KeyRefused`` as the class says; every other failure is a
        ``Status`` and a retry.
        """
        self._running = self._events()
        return self._running

    async def _events(self) -> AsyncGenerator[Event, None]:
        retries, refusals = self._pauses()
        while True:
            began = self._monotonic()
            try:
                async with aclosing(self._connection()) as events:
                    async for event in events:
                        yield event
            except UpstreamError as error:
                refused = isinstance(error, KeyRefused)
                if refused and self._give_up_on_refusal and not self._welcomed_once:
                    raise
                if self._monotonic() - began > self._timing.settled:
                    retries, refusals = self._pauses()
                pause = next(refusals if refused else retries)
                reason, public = str(error), error.public
            count("upstream_lost")
            logger.warning("upstream lost reason=%s retry_in=%.1f", reason, pause)
            yield Status(online=False, reason=reason, public=public)
            await asyncio.sleep(pause)

    def _pauses(self) -> tuple[Iterator[float], Iterator[float]]:
        timing = self._timing
        return (
            full_jitter(self._rng, first=timing.retry_first, cap=timing.retry_cap),
            doubling(first=timing.refused_first, cap=timing.refused_cap),
        )

    async def _connection(self) -> AsyncGenerator[Event, None]:
        """Connect once and hand on what comes; always ends in an ``UpstreamError``."""
        self._welcomed = False
        self._subscriptions.reset()
        async with self._open() as socket, running(self._tend(socket)):
            while True:
                text = await self._receive(socket)
                for event in await self._take(socket, text):
                    yield event

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[ClientConnection]:
        try:
            async with connect(
                self._address,
                open_timeout=self._timing.welcome,
                close_timeout=self._timing.goodbye,
                logger=SILENT,
            ) as socket:
                try:
                    yield socket
                finally:
                    # Left to itself, websockets says 1011 to the vendor at every clean end.
                    await socket.close()
        except (OSError, WebSocketException, asyncio.TimeoutError) as error:
            raise self._failure(error) from None

    async def _receive(self, socket: ClientConnection) -> str:
        """Wait for a frame; until the welcome, not for ever."""
        if self._welcomed:
            received = await socket.recv()
        else:
            try:
                received = await asyncio.wait_for(socket.recv(), self._timing.welcome)
            except asyncio.TimeoutError:
                seconds = self._timing.welcome
                raise UpstreamError(f"{self._place} sent no welcome in {seconds:g} s") from None
        return received if isinstance(received, str) else received.decode(errors="replace")

    async def _take(self, socket: ClientConnection, text: str) -> list[Event]:
        at = self._clock()
        try:
            messages = parse(text)
        except ProtocolError as error:
            if count("upstream_malformed"):
                logger.warning("malformed frame ignored size=%d reason=%s", len(text), error)
            messages = []
        events: list[Event] = []
        news = []
        for message in messages:
            if isinstance(message, (Price, ProfileUpdate)):
                news += self._news(message)
            elif isinstance(message, Welcome):
                events.append(self._be_welcomed())
            else:
                await self._answer(socket, message)
        if not news:
            text = self._without_key(text)
        return [*events, Arrival(at, text, tuple(news))]

    def _news(self, message: Price | ProfileUpdate) -> list[tuple[Room, Price | ProfileUpdate]]:
        try:
            room = _room(message.symbol, message.timeframe)
        except RoomError:
            count("upstream_malformed")
            return []
        return [(room, message)] if self._subscriptions.heard(room) else []

    def _be_welcomed(self) -> Status:
        self._welcomed = self._welcomed_once = True
        self._changed.set()
        logger.info("upstream welcomed place=%s rooms=%d", self._place, len(self.wanted))
        return Status(online=True)

    async def _answer(self, socket: ClientConnection, message: Message) -> None:
        if isinstance(message, Ping):
            await socket.send(serialise(Pong(timestamp=int(self._clock() * 1000))))
        elif isinstance(message, Joined):
            self._subscriptions.confirm(message)
        elif isinstance(message, Refusal):
            reason = self._without_key(message.message or message.short)
            if message.short == _AUTHENTICATION_FAILED:
                raise KeyRefused(
                    f"{self._place} refused FCS_API_KEY: {reason} (set it to your FCS socket key)"
                )
            logger.warning("upstream error short=%s message=%s", message.short, reason)

    async def _tend(self, socket: ClientConnection) -> None:
        """Send joins, leaves and heartbeats; a failure to send ends the connection."""
        beat_at = self._monotonic() + self._timing.heartbeat
        with suppress(ConnectionClosed):
            while True:
                self._changed.clear()
                now = self._monotonic()
                if now >= beat_at:
                    beat_at = now + self._timing.heartbeat
                    await socket.send(serialise(Ping(timestamp=int(self._clock() * 1000))))
                wake_at = min(beat_at, await self._reconcile(socket))
                with suppress(asyncio.TimeoutError):
                    pause = max(0.0, wake_at - self._monotonic())
                    await asyncio.wait_for(self._changed.wait(), pause)

    async def _reconcile(self, socket: ClientConnection) -> float:
        """Send what is due to the vendor; return when to look again."""
        if not self._welcomed:
            return float("inf")
        retries = self._subscriptions.retries
        while (message := self._subscriptions.due(self._monotonic())) is not None:
            await socket.send(serialise(message))
        if self._subscriptions.retries > retries:
            count("upstream_join_retries", self._subscriptions.retries - retries)
        next_at = self._subscriptions.next_at()
        return float("inf") if next_at is None else next_at

    def _failure(self, error: Exception) -> UpstreamError:
        """Tell a refused key, which retries do not mend, from everything else.

        Refused: HTTP 401 or 403 at the upgrade, or a close with 4001 or 4003 before
        the welcome. All else (DNS, TCP, TLS, other statuses and close codes, time
        running out) is worth another try. ``authentication_failed`` comes as a
        message and is told in ``_answer``.
        """
        if isinstance(error, InvalidStatus):
            status = error.response.status_code
            if status in _REFUSING_STATUSES:
                return KeyRefused(f"{self._place} refused FCS_API_KEY with HTTP {status}")
            return UpstreamError(f"{self._place} answered with HTTP {status}")
        if isinstance(error, ConnectionClosed):
            code = error.rcvd.code if error.rcvd else 1006
            if code in _REFUSING_CLOSE_CODES and not self._welcomed:
                return KeyRefused(f"{self._place} refused FCS_API_KEY with close code {code}")
            return UpstreamError(f"{self._place} closed the connection with code {code}")
        if isinstance(error, asyncio.TimeoutError):
            return UpstreamError(f"{self._place} did not answer in {self._timing.welcome:g} s")
        strerror = getattr(error, "strerror", None)
        reason = self._without_key(strerror or str(error)) or type(error).__name__
        return UpstreamError(f"cannot reach FCS_URL at {self._place}: {reason}")

    def _without_key(self, text: str) -> str:
        return self._spellings_of_key.sub("[key]", text)


@functools.lru_cache(maxsize=4096)
def _room(symbol: str, timeframe: str) -> Room:
    return Room.parse(symbol, timeframe)


def _address(url: str, key: str) -> str:
    """Add the key to the address, whatever query that has already."""
    if not key:
        raise ConfigurationError("FCS_API_KEY is empty: set it to your FCS socket key")
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("ws", "wss") or not parts.hostname or parts.port == 0:
            raise ValueError
        parts.hostname.encode("idna")  # UnicodeError is a ValueError
    except ValueError:
        raise ConfigurationError(
            f"FCS_URL {url.partition('?')[0]!r} is not a socket address such as wss://ws-v4.fcsapi.com/ws"
        ) from None
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), ("access_key", key)])
    return urlunsplit(parts._replace(query=query, fragment=""))

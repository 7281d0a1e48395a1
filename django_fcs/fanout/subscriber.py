"""One browser: what is sent to it at once, what waits, and when it is too slow."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextvars import copy_context
from typing import Any

from django_fcs.prices.updates import Update
from django_fcs.protocol import Joined, Ping, serialise
from django_fcs.rooms import Room
from django_fcs.tools.complaints import Complaints
from django_fcs.tools.logs import logger_of
from django_fcs.tools.metrics import count
from django_fcs.tools.tasks import end

from .eager import start
from .flow import STEADY, Flow
from .mail import Mail
from .ready import ReadyQueue
from .routes import Key
from .servers import Send, coroutines_of, is_of_a_server

__all__ = ["CLOSE_TOO_SLOW", "Subscriber", "send_to_all"]

logger = logger_of(__name__)
_complaints = Complaints()

#: How many replies may wait. A browser that keeps asking without reading is closed.
REPLIES_MAX = 64

#: A silent socket is pinged after this long: proxies cut sockets that are silent for a minute.
PING_SECONDS = 25

CLOSE_TOO_SLOW = 4408

#: Not 1011, because Daphne sends only 1000 and codes above 3000.
CLOSE_BROKEN = 4011


class Subscriber:
    """The sending side of one browser's socket: a gate, and what waits behind it.

    While the gate is open, messages are sent at once and cost no task. It shuts while the server is
    busy with a send, and while the browser has not answered a ping for ``window_size`` characters.
    Behind it wait up to ``REPLIES_MAX`` replies, one confirmation per room, and a ``Mail``; with
    the merge protocol its cohort has the mail. When the gate could open, the browser is put into
    ``ready``, whose owner calls ``flush``. Leaving the context ends a send that is under way.

    Args:
        send, address: The ``send`` of the server, and the network address of the browser.
        ready: The queue it is put into when its owner should call ``flush``.
        merge: Whether it speaks the merge protocol, where a frame is an array.
        must_answer: Whether it must answer pings even if it never answered one.
        flow: How much it is sent before it must answer.
    """

    __slots__ = (
        "_asked", "_clock", "_closing", "_confirms", "_context", "_fresh", "_heard",
        "_is_gone", "_mail", "_must_answer", "_ping_size", "_quiet_since", "_ready", "_replies",
        "_send", "_sending", "_shut_since", "_unproved", "_window_size", "address", "is_open",
        "joined", "merge",
    )  # fmt: skip

    def __init__(
        self,
        send: Send,
        ready: ReadyQueue[Subscriber],
        *,
        merge: bool,
        address: str = "",
        must_answer: bool = False,
        flow: Flow = STEADY,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.joined: dict[Key, None] = {}
        """Rooms joined, as the browser spelled them; the hub adds and removes them."""
        self.address = address
        self.merge = merge
        self.is_open = True
        """Whether a message sent now goes out at once."""
        if is_of_a_server(send):
            self._send, self._context = send, None
        else:
            # A copy, because the socket's own context is in use while its consumer runs.
            self._send, self._context = coroutines_of(send), copy_context()
        self._ready = ready
        self._must_answer = must_answer
        self._ping_size, self._window_size = flow.ping_size, flow.window_size
        self._clock = clock
        self._sending: asyncio.Task[None] | None = None
        self._replies: deque[str] | None = None
        self._confirms: dict[tuple[Room, str], None] | None = None
        self._mail: Mail | None = None
        self._fresh: set[Key] | None = None
        self._closing: dict[str, Any] | None = None
        self._is_gone = False
        self._unproved = 0
        self._asked: int | None = None
        self._shut_since: float | None = None
        self._heard = -1
        self._quiet_since = 0.0

    @property
    def waiting(self) -> int:
        """The number of messages that it has not been sent; may be read from any thread."""
        return sum(len(kept) for kept in (self._replies, self._confirms, self._mail) if kept)

    async def __aenter__(self) -> Subscriber:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._is_gone, self.is_open = True, False
        if self._sending is not None:
            await end(self._sending)

    def send(self, text: str) -> None:
        """Send a frame, after the replies that wait."""
        if self.is_open:
            self._say(text)
        elif self._can_wait():
            self._wait(text)

    def reply(self, text: str) -> None:
        """Answer the browser with one message."""
        self.send(f"[{text}]" if self.merge else text)

    def confirm(self, room: Room, spelling: str) -> None:
        """Confirm to the browser that it has joined a room."""
        if self.is_open:
            self.reply(serialise(Joined.of(room.symbol, spelling)))
        elif self._can_wait():
            # Not counted as a reply: to join hundreds of rooms at once is normal.
            self._confirms = self._confirms or {}
            self._confirms[room, spelling] = None

    def expect(self, key: Key) -> None:
        """Make the next price of a room, which was just joined, an initial."""
        self._fresh = self._fresh or set()
        self._fresh.add(key)
        if self._mail:
            self._mail.forget(key)

    def put(self, key: Key, update: Update) -> None:
        """Send a price, or keep it in place of an older one."""
        if self._fresh and key in self._fresh:
            self._fresh.discard(key)
            update = update.in_mode("initial")
        if self.is_open:
            text = update.text
            self._transmit({"type": "websocket.send", "text": text}, len(text))
        elif self._can_wait():
            self._keep().put(key, update)

    def describe(self, key: Key, text: str) -> None:
        """Send a room's profile."""
        if self.is_open:
            self._say(text)
        elif self._can_wait():
            self._keep().describe(key, text)

    def tell(self, key: Hashable, text: str) -> None:
        """Do nothing with a state: FCS v4 has no message for it."""

    def forget(self, key: Key) -> None:
        """Drop what waits of a room that the browser has left."""
        if self._confirms:
            self._confirms.pop(key, None)
        if self._fresh:
            self._fresh.discard(key)
        if self._mail:
            self._mail.forget(key)

    def answered(self) -> None:
        """Note that the browser has read everything sent before the last ping."""
        if self._asked is None:
            return  # A pong without a ping proves nothing.
        self._unproved -= self._asked
        self._asked = self._shut_since = None
        self._must_answer = True
        if not self.is_open:
            self._ready.add(self)

    def close(self, code: int, reason: str) -> None:
        """Close the socket and drop what waits."""
        if self._closing is None and not self._is_gone:
            self._closing = {"type": "websocket.close", "code": code, "reason": reason}
            self._replies = self._confirms = self._mail = None
            self.is_open = False
            self._ready.add(self)

    def flush(self) -> None:
        """Send what waits until the gate has to stay shut; open it if nothing is left."""
        if self._closing is not None and self._is_free():
            self._is_gone = True
            self._transmit(self._closing, 0)
        if self._is_free() and self._unproved >= self._ping_size and self._asked is None:
            self.ping()
        while self._closing is None and self._is_free() and not self._is_full():
            text = self._next()
            if text is None:
                self.is_open = True
                return
            self._say(text)

    def ping(self) -> None:
        """Send a ping, unless a send is under way."""
        if not self._is_free():
            return
        if self._asked is None:
            self._asked = self._unproved
        ping = serialise(Ping(timestamp=int(self._clock() * 1000)))
        text = f"[{ping}]" if self.merge else ping
        self._say(text)

    def look(self, now: float, slow_after: float) -> None:
        """Ping a silent browser; close it after ``slow_after`` seconds shut without progress.

        Call it about every second, with monotonic seconds.
        """
        if not self.is_open:
            self._shut_since = now if self._shut_since is None else self._shut_since
            if now - self._shut_since >= slow_after:
                self._give_up()
            return
        self._shut_since = None
        if self._unproved != self._heard:
            self._heard, self._quiet_since = self._unproved, now
        elif now - self._quiet_since >= PING_SECONDS:
            self.ping()

    def _say(self, text: str) -> None:
        self._transmit({"type": "websocket.send", "text": text}, len(text))

    def _transmit(self, message: dict[str, Any], size: int) -> None:
        """Pass a message to the server."""
        self._unproved += size
        try:
            sending = start(self._send(message), self._context)
        except asyncio.CancelledError:
            # Of the server, not of the caller, which has not waited. The gate stays shut.
            self.is_open = False
            return
        except Exception as error:
            self._fail(error)
            return
        if sending is not None:
            self._wait_for(sending)
        if self._unproved >= self._ping_size:
            self._prove()

    def _wait_for(self, sending: asyncio.Task[None]) -> None:
        self._sending = sending
        self.is_open = False
        sending.add_done_callback(self._has_sent)

    def _prove(self) -> None:
        if self._asked is None:
            self.ping()
        if self._is_full():
            self.is_open = False

    def _has_sent(self, task: asyncio.Task[None]) -> None:
        self._sending = self._shut_since = None
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, Exception):
            self._fail(error)
        self._ready.add(self)

    def _fail(self, error: Exception) -> None:
        self.is_open = False
        if isinstance(error, (OSError, RuntimeError)):
            logger.debug("socket closed reason=%r", error)
            self._is_gone = True  # The server knows this before the consumer does.
        else:
            logger.error("cannot send to a browser", exc_info=error)
            self.close(CLOSE_BROKEN, "the server could not send")

    def _give_up(self) -> None:
        if self._closing is None and not self._is_gone:
            count("hub_slow_closed")
            if _complaints.is_new(self.address, "slow"):
                logger.info("closed a slow browser address=%s", self.address)
        self.close(CLOSE_TOO_SLOW, "too slow: nothing was read for too long")

    def _wait(self, text: str) -> None:
        self._replies = self._replies or deque()
        if len(self._replies) >= REPLIES_MAX:
            self._give_up()
        else:
            self._replies.append(text)

    def _keep(self) -> Mail:
        self._mail = self._mail or Mail()
        return self._mail

    def _next(self) -> str | None:
        if self._confirms:
            # Before the replies, so that a pong comes after the confirmations of earlier joins.
            key = next(iter(self._confirms))
            del self._confirms[key]
            room, spelling = key
            confirmation = serialise(Joined.of(room.symbol, spelling))
            return f"[{confirmation}]" if self.merge else confirmation
        if self._replies:
            return self._replies.popleft()
        text = self._mail.pop() if self._mail else None
        if text is None:
            self._mail = None
        return text

    def _can_wait(self) -> bool:
        return self._closing is None and not self._is_gone

    def _is_free(self) -> bool:
        return self._sending is None and not self._is_gone

    def _is_full(self) -> bool:
        return self._must_answer and self._unproved >= self._window_size


class _Round:
    """A part of a loop over browsers, up to the first whose server makes it wait."""

    __slots__ = ("at", "is_over")

    at: Subscriber

    def __init__(self) -> None:
        self.is_over = False

    async def go(
        self,
        subscribers: Iterator[Subscriber],
        message: dict[str, Any],
        otherwise: Callable[[Subscriber], None],
    ) -> None:
        size = len(message["text"])
        for one in subscribers:
            if not one.is_open or one._fresh or one._context is not None:
                otherwise(one)
                continue
            self.at = one
            one._unproved += size
            try:
                await one._send(message)
            except Exception as error:
                if self.is_over:
                    raise
                one._fail(error)
                continue
            if self.is_over:
                return
            if one._unproved >= one._ping_size:
                one._prove()


def send_to_all(
    subscribers: Iterable[Subscriber], text: str, otherwise: Callable[[Subscriber], None]
) -> None:
    """Send many browsers the same text, each at the cost of one ``await``.

    ``otherwise`` is called for each browser that cannot be sent it at once and unchanged.
    """
    going = iter(subscribers)
    message = {"type": "websocket.send", "text": text}
    while True:
        this_round = _Round()
        sending = start(this_round.go(going, message, otherwise))
        if sending is None:
            return
        # That task ends with this browser; the next round sends to the others.
        this_round.is_over = True
        this_round.at._wait_for(sending)

"""The socket that browsers open: FCS v4, and this project's merge protocol."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

from .access.origin import objection
from .access.socket_rooms import SocketRooms
from .conf import conf
from .exceptions import ConfigurationError, ProtocolError
from .fanout.hub import Hub
from .fanout.servers import Send
from .permissions import client_of
from .protocol import (
    CandlesWish,
    Join,
    Leave,
    Message,
    Ping,
    Pong,
    Rate,
    Refusal,
    RemoveAll,
    Welcome,
    parse_wishes,
    serialise,
)
from .site import site_store
from .tools.complaints import Complaints
from .tools.logs import logger_of
from .tools.metrics import count
from .tools.tasks import running
from .tools.tokenbucket import TokenBucket
from .values.addresses import is_internal

__all__ = ["MERGE_PROTOCOL", "FCSConsumer"]

logger = logger_of(__name__)

MERGE_PROTOCOL = "fcs.merge.v1"

#: The longest message of a browser is a join with its token. A longer frame is answered with
#: an error; a frame of more than ``FRAME_HUGE`` characters closes the socket.
FRAME_MAX = 4096
FRAME_HUGE = 65_536

#: A frame that is refused as a whole counts as one message, plus one for each ``BAD_SIZE``
#: characters: reading it may have cost as much as reading that many messages.
BAD_SIZE = 64

#: A request for candles counts as one message, plus one for each of so many candles.
CANDLES_A_MESSAGE = 100

#: After this many frames of a socket, other tasks get their turn.
FRAMES_A_TURN = 50

#: How many characters of a header are logged: a client can send as many as a header may have.
HEADER_SHOWN = 200

#: The slowest rate that a page may request, in frames a second.
RATE_MIN = 0.1

CLOSE_SERVER_ENDS = 4001
CLOSE_SILENT = 4408
CLOSE_TOO_MANY = 4429
CLOSE_MISCONFIGURED = 4500
CLOSE_FOREIGN_ORIGIN = 4503
CLOSE_FRAME_HUGE = 4513


_TOO_LONG = f"a frame is JSON text of at most {FRAME_MAX} characters"

_PROXY = (
    "if client=%s is a proxy, all its visitors count as one address: let the server read "
    "X-Forwarded-For (Daphne: --proxy-headers, uvicorn: --forwarded-allow-ips; docs/servers.md)"
)

# Shared by all event loops of this process.
_complaints = Complaints()

Receive = Callable[[], Awaitable[dict[str, Any]]]


@dataclass(frozen=True)
class Pace:
    """How fast a browser may send, and how seldom."""

    joins: float = 50
    """Joins a second after the burst of ``FCS_MAX_ROOMS_PER_CLIENT``."""
    messages: float = 200
    """Messages a second after the burst."""
    burst: int = 1000
    """Messages at once, besides those that join and leave all rooms."""
    silence: float = 60
    """A socket that has joined no room must send something in each period of so many seconds.

    The server's pings ask for it after 25 s of silence.
    """


class FCSConsumer(AsyncConsumer):  # type: ignore[misc]
    """The connection of one browser; see ``docs/socket.md``.

    It opens no channel of its own: only the hub of its process uses the channel layer.
    """

    channel_layer_alias = None

    def __init__(self, *, pace: Pace = Pace()) -> None:
        self._pace = pace

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve one socket from its handshake to its end.

        The loop of Channels also waits for a channel, which costs a task for each event.
        """
        self.scope = scope
        self._send = send
        self._merge = MERGE_PROTOCOL in (scope.get("subprotocols") or ())
        self._client = client_of(scope)
        self._frames = 0
        self._is_heard = True
        self._refusal = self._reason_to_refuse()
        async with AsyncExitStack() as self._stack:
            with suppress(StopConsumer):
                while True:
                    await self.dispatch(await receive())

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Pass an event of the server to its handler.

        The ``dispatch`` of Channels first cleans up database connections in a thread.
        There are none here, and every ping would wait behind the site's slowest query.
        """
        handler = _HANDLERS.get(message["type"])
        if handler is not None:
            await handler(self, message)
        elif _complaints.is_new("", "event"):
            logger.warning("event of the server ignored type=%r", message["type"])

    async def websocket_connect(self, message: dict[str, Any]) -> None:
        """Accept the socket, then welcome the browser or refuse it with the reason.

        A refusal before ``accept`` is a bare 403, which browsers retry for ever.
        """
        subprotocol = MERGE_PROTOCOL if self._merge else None
        await self._send({"type": "websocket.accept", "subprotocol": subprotocol})
        # Not earlier: during ``accept`` other sockets may have been accepted.
        self._refusal = self._refusal or self._one_too_many()
        if self._refusal is not None:
            await self._refuse(*self._refusal)
            return
        rooms, pace = conf.FCS_MAX_ROOMS_PER_CLIENT, self._pace
        self._messages = TokenBucket(burst=pace.burst + 2 * rooms, rate=pace.messages)
        # Not earlier: a heartbeat cannot be sent before the socket is accepted.
        self._subscriber = await self._stack.enter_async_context(
            self._hub.entered(
                self._send,
                merge=self._merge,
                rate=conf.FCS_MAX_FRAMES_PER_SECOND,
                address=self._client,
            )
        )
        self._rooms = await self._stack.enter_async_context(
            SocketRooms(self._hub, self._subscriber, self.scope, joins_a_second=pace.joins)
        )
        if self._rooms.must_wait:
            await self._stack.enter_async_context(running(self._tell_problems()))
        self._look_for_silence()
        self._stack.callback(lambda: self._next_look.cancel())
        self._stack.push(self._say_goodbye)
        self._say(Welcome(timestamp=_now_ms()))

    async def _tell_problems(self) -> None:
        try:
            async with aclosing(self._rooms.problems()) as problems:
                async for problem in problems:
                    self._complain(*problem)
        except Exception:
            # Else its joins would wait for ever. The server logs the error when the socket ends.
            self._shut(CLOSE_SERVER_ENDS, "error", "an error in the server: reconnect")
            raise

    def _say_goodbye(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Send the reason if the server cancels us before it closes the socket, as Daphne does."""
        if kind is not None and issubclass(kind, asyncio.CancelledError):
            self._subscriber.close(CLOSE_SERVER_ENDS, "the server is stopping: reconnect")
            self._subscriber.flush()

    async def _refuse(self, code: int, text: str) -> None:
        refusal = serialise(Refusal(short="refused", message=text))
        frame = f"[{refusal}]" if self._merge else refusal
        with suppress(OSError, RuntimeError):  # The browser may have gone already.
            await self._send({"type": "websocket.send", "text": frame})
            await self._send({"type": "websocket.close", "code": code, "reason": text})

    async def websocket_receive(self, message: dict[str, Any]) -> None:
        """Answer one frame; a frame that cannot be understood gets an error."""
        if self._refusal is not None:
            return  # This socket is being closed.
        self._is_heard = True
        self._frames += 1
        if self._frames % FRAMES_A_TURN == 0:
            await asyncio.sleep(0)
        text = message.get("text") or ""
        if len(text or message.get("bytes") or "") > FRAME_HUGE:
            self._shut(CLOSE_FRAME_HUGE, "huge_frame", _TOO_LONG)
            return
        try:
            if not text or len(text) > FRAME_MAX:
                raise ProtocolError(_TOO_LONG)
            for wish in parse_wishes(text):
                if not self._may_go_on(cost=_cost_of(wish)):
                    return
                self._answer(wish)
        except ProtocolError as error:
            if self._may_go_on(cost=1 + len(text) // BAD_SIZE):
                self._complain("bad_message", str(error))

    def _may_go_on(self, *, cost: int = 1) -> bool:
        """Count a message; close the socket and return ``False`` if there were too many."""
        if self._refusal is None and not self._messages.take(cost):
            self._shut(CLOSE_TOO_MANY, "too_many_messages", "too many messages: try again later")
        return self._refusal is None

    def _shut(self, code: int, kind: str, text: str) -> None:
        count("socket_closed")
        self._log(kind, logging.WARNING)
        self._refusal = code, text
        self._subscriber.close(code, text)

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        """End the socket; the hub then forgets this browser."""
        raise StopConsumer

    def _reason_to_refuse(self) -> tuple[int, str] | None:
        """Return why this socket may not be used: a close code and a reason, or ``None``."""
        try:
            conf.validate()
            self._hub = Hub.of_this_loop(site_store())
        except ConfigurationError as error:
            count("socket_refused")
            if _complaints.is_new("", str(error)):
                logger.error("socket refused reason=%s", error)
            return CLOSE_MISCONFIGURED, error.public
        wrong = objection(self.scope)
        if wrong is not None:
            count("socket_refused")
            header, value = wrong.header.lower(), wrong.value[:HEADER_SHOWN]
            if _complaints.is_new(self._client, f"{header} {value!r}"):
                logger.warning("socket refused %s=%r client=%s", header, value, self._client)
            return CLOSE_FOREIGN_ORIGIN, wrong.reason
        return None

    def _one_too_many(self) -> tuple[int, str] | None:
        limit = conf.FCS_MAX_SOCKETS_PER_IP
        # Behind a Unix socket there is no address, so all browsers would count as one.
        if limit and self._client and self._hub.sockets_from(self._client) >= limit:
            count("socket_refused")
            self._log("too_many_sockets", logging.WARNING)
            if is_internal(self._client) and _complaints.is_new("", "proxy"):
                logger.warning(_PROXY, self._client)
            return CLOSE_TOO_MANY, "too many sockets from this address"
        return None

    def _look_for_silence(self) -> None:
        """Close the socket if it has joined no room and sent nothing since the last look."""
        if not self._is_heard and not self._subscriber.joined:
            self._shut(CLOSE_SILENT, "silent", "no room joined, nothing sent: try again later")
            return
        self._is_heard = False
        loop = asyncio.get_running_loop()
        self._next_look = loop.call_later(self._pace.silence, self._look_for_silence)

    def _answer(self, message: Message) -> None:
        if isinstance(message, Join):
            problem = self._rooms.join(message)
            if problem is not None:
                self._complain(*problem)
        elif isinstance(message, Leave):
            self._rooms.leave(message)
        elif isinstance(message, RemoveAll):
            self._rooms.leave_all()
        elif isinstance(message, Ping):
            self._say(Pong(timestamp=_now_ms()))
        elif isinstance(message, Pong):
            self._subscriber.answered()
        elif isinstance(message, Rate) and self._merge:
            self._set_rate(message)
        elif isinstance(message, CandlesWish) and self._merge:
            problem = self._rooms.ask_for_candles(message)
            if problem is not None:
                self._complain(*problem)
        else:
            self._complain("bad_message", "this message is not for a server")

    def _set_rate(self, wish: Rate) -> None:
        granted = max(min(wish.frames_per_second, conf.FCS_MAX_FRAMES_PER_SECOND), RATE_MIN)
        self._hub.set_rate(self._subscriber, granted)
        self._say(Rate(frames_per_second=granted))

    def _complain(self, short: str, text: str) -> None:
        count("socket_errors")
        self._log(short, logging.INFO)
        self._say(Refusal(short=short, message=text))

    def _log(self, kind: str, level: int) -> None:
        """Log a refusal once per client, without the message, which may contain anything."""
        if _complaints.is_new(self._client, kind):
            logger.log(level, "browser refused kind=%s client=%s", kind, self._client)

    def _say(self, message: Message) -> None:
        self._subscriber.reply(serialise(message))


_HANDLERS = {
    "websocket.connect": FCSConsumer.websocket_connect,
    "websocket.receive": FCSConsumer.websocket_receive,
    "websocket.disconnect": FCSConsumer.websocket_disconnect,
    "http.disconnect": FCSConsumer.websocket_disconnect,
}


def _cost_of(wish: Message) -> int:
    """Return as how many messages a wish counts: an answer with many candles is long."""
    return 1 + wish.limit // CANDLES_A_MESSAGE if isinstance(wish, CandlesWish) else 1


def _now_ms() -> int:
    return int(time.time() * 1000)

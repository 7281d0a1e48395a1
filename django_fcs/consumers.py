"""The socket that browsers open: FCS v4, and this project's merge protocol."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

from . import embedded
from .conf import conf
from .exceptions import BadSymbol, BadTimeframe, ConfigurationError, ProtocolError
from .fanout.hub import Hub
from .fanout.servers import Send
from .permissions import client_of, may_join, origin_is_allowed
from .protocol import (
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
from .rooms import Room
from .site import site_store
from .tools.complaints import Complaints
from .tools.logs import logger_of
from .tools.metrics import count
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

#: After this many frames of a socket, other tasks get their turn.
FRAMES_A_TURN = 50

#: How many bytes of an origin are logged: a client can send as many as a header may have.
ORIGIN_SHOWN = 200

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
        self._refusal = self._reason_to_refuse(dict(scope.get("headers") or ()))
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
        self._joins = TokenBucket(burst=rooms, rate=pace.joins)
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
        self._look_for_silence()
        self._stack.callback(lambda: self._next_look.cancel())
        self._stack.push(self._say_goodbye)
        self._say(Welcome(timestamp=_now_ms()))

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
                if not self._may_go_on():
                    return
                await self._answer(wish)
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

    def _reason_to_refuse(self, headers: Mapping[bytes, bytes]) -> tuple[int, str] | None:
        """Return why this socket may not be used: a close code and a reason, or ``None``."""
        try:
            conf.validate()
            self._hub = Hub.of_this_loop(site_store())
        except ConfigurationError as error:
            count("socket_refused")
            if _complaints.is_new("", str(error)):
                logger.error("socket refused reason=%s", error)
            return CLOSE_MISCONFIGURED, error.public
        if not origin_is_allowed(headers):
            count("socket_refused")
            origin = headers.get(b"origin", b"")[:ORIGIN_SHOWN]
            if _complaints.is_new(self._client, f"origin {origin!r}"):
                logger.warning("socket refused origin=%r client=%s", origin, self._client)
            return CLOSE_FOREIGN_ORIGIN, "this origin may not open the socket"
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

    async def _answer(self, message: Message) -> None:
        if isinstance(message, Join):
            await self._join(message)
        elif isinstance(message, Leave):
            self._leave(message)
        elif isinstance(message, RemoveAll):
            for room, spelling in list(self._subscriber.joined):
                self._hub.leave(self._subscriber, room, spelling)
        elif isinstance(message, Ping):
            self._say(Pong(timestamp=_now_ms()))
        elif isinstance(message, Pong):
            self._subscriber.answered()
        elif isinstance(message, Rate) and self._merge:
            self._set_rate(message)
        else:
            self._complain("bad_message", "this message is not for a server")

    async def _join(self, wish: Join) -> None:
        spelling = conf.FCS_TIMEFRAME if wish.timeframe is None else wish.timeframe
        try:
            room = Room.parse(wish.symbol, spelling)
        except BadSymbol as error:
            return self._complain("bad_symbol", str(error))
        except BadTimeframe as error:
            return self._complain("bad_timeframe", str(error))
        problem = await self._objection(wish, room, spelling)
        if problem is not None:
            return self._complain(*problem)
        embedded.start()
        self._subscriber.confirm(room, spelling)
        self._hub.join(self._subscriber, room, spelling)

    async def _objection(self, wish: Join, room: Room, spelling: str) -> tuple[str, str] | None:
        """Return why a join is refused: ``short`` and a text, or ``None``."""
        if not self._joins.take():
            return "rate_limited", f"more than {self._pace.joins:g} joins a second: try again later"
        limit = conf.FCS_MAX_ROOMS_PER_CLIENT
        joined = self._subscriber.joined
        if (room, spelling) not in joined and len(joined) >= limit:
            return "too_many_rooms", f"{room.symbol}: no more than {limit} rooms per socket"
        if not await may_join(self.scope, room, wish.token):
            return "room_not_allowed", f"{room.symbol} needs a token from this site"
        return None

    def _leave(self, wish: Leave) -> None:
        spelling = conf.FCS_TIMEFRAME if wish.timeframe is None else wish.timeframe
        for room, joined in list(self._subscriber.joined):
            if (room.symbol, joined) == (wish.symbol, spelling):
                self._hub.leave(self._subscriber, room, joined)

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


def _now_ms() -> int:
    return int(time.time() * 1000)

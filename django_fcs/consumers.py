"""The socket that browsers open: FCS v4, and this project's merge protocol."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from typing import Any

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

from . import embedded
from .conf import conf
from .exceptions import BadSymbol, BadTimeframe, ConfigurationError, ProtocolError
from .hub import Hub
from .messages import (
    Join,
    Leave,
    Message,
    Ping,
    Pong,
    Rate,
    Refusal,
    RemoveAll,
    Welcome,
)
from .permissions import may_join, origin_is_allowed
from .protocol import parse, serialise
from .rooms import Room
from .tokenbucket import TokenBucket

__all__ = ["MERGE_PROTOCOL", "FCSConsumer"]

logger = logging.getLogger(__name__)

MERGE_PROTOCOL = "fcs.merge.v1"

#: No message of a browser is longer than a join with its token.
FRAME_MAX = 4096

#: Joins a second beyond the burst of ``FCS_MAX_ROOMS_PER_CLIENT``.
JOINS_PER_SECOND = 50

#: The slowest rate a page may wish for, in frames a second.
RATE_MIN = 0.1

CLOSE_TOO_MANY_SOCKETS = 4429
CLOSE_MISCONFIGURED = 4500
CLOSE_FOREIGN_ORIGIN = 4503


Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Coroutine[Any, Any, None]]


class FCSConsumer(AsyncConsumer):  # type: ignore[misc]
    """One browser's conversation; see ``docs/socket.md``.

    It opens no channel of its own: the hub of its process is the only member of
    the channel layer.
    """

    channel_layer_alias = None

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve one socket from its handshake to its end.

        Channels' own loop waits for a channel as well, at a task an event.
        """
        self.scope = scope
        self._send = send
        self._merge = MERGE_PROTOCOL in scope.get("subprotocols", ())
        self._address = (scope.get("client") or ("",))[0]
        self._bucket = TokenBucket(burst=conf.FCS_MAX_ROOMS_PER_CLIENT, rate=JOINS_PER_SECOND)
        self._refusal = self._reason_to_refuse(dict(scope.get("headers", ())))
        async with AsyncExitStack() as self._stack:
            with suppress(StopConsumer):
                while True:
                    await self.dispatch(await receive())

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Hand an event of the server to its handler.

        Channels' own first cleans up database connections in a thread; there are
        none here, and every ping would wait behind the site's slowest query.
        """
        await _HANDLERS[message["type"]](self, message)

    async def websocket_connect(self, message: dict[str, Any]) -> None:
        """Accept the socket, and say why where that is all that is done.

        A refusal before ``accept`` is a bare 403, which browsers retry for ever.
        """
        subprotocol = MERGE_PROTOCOL if self._merge else None
        await self._send({"type": "websocket.accept", "subprotocol": subprotocol})
        if self._refusal is not None:
            await self._refuse(*self._refusal)
            return
        # Not before: a beat that came now could not be sent to a socket still closed.
        self._subscriber = await self._stack.enter_async_context(
            self._hub.entered(
                self._send,
                merge=self._merge,
                rate=max(conf.FCS_MAX_FRAMES_PER_SECOND, RATE_MIN),
                address=self._address,
            )
        )
        self._say(Welcome(timestamp=_now_ms()))

    async def _refuse(self, code: int, text: str) -> None:
        refusal = serialise(Refusal(short="refused", message=text))
        frame = f"[{refusal}]" if self._merge else refusal
        with suppress(OSError, RuntimeError):  # The browser may have gone already.
            await self._send({"type": "websocket.send", "text": frame})
            await self._send({"type": "websocket.close", "code": code, "reason": text})

    async def websocket_receive(self, message: dict[str, Any]) -> None:
        """Answer one frame; what cannot be understood gets an error, no more."""
        if self._refusal is not None:
            return  # Its close is on the way.
        text = message.get("text") or ""
        try:
            if not text or len(text) > FRAME_MAX:
                raise ProtocolError(f"a frame is JSON text of at most {FRAME_MAX} characters")
            for wish in parse(text):
                await self._answer(wish)
        except ProtocolError as error:
            self._complain("bad_message", str(error))

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        """End; the hub forgets this browser by itself."""
        raise StopConsumer

    def _reason_to_refuse(self, headers: dict[bytes, bytes]) -> tuple[int, str] | None:
        """Say why this socket must not be used, if so: a close code and a reason."""
        try:
            self._hub = Hub.of_this_loop(embedded.site_store())
        except ConfigurationError as error:
            logger.error("socket refused reason=%s", error)
            return CLOSE_MISCONFIGURED, "this site is not set up for prices"
        if not origin_is_allowed(headers):
            logger.warning("socket refused origin=%r", headers.get(b"origin"))
            return CLOSE_FOREIGN_ORIGIN, "this origin may not open the socket"
        limit = conf.FCS_MAX_SOCKETS_PER_IP
        if limit and self._hub.sockets_from(self._address) >= limit:
            return CLOSE_TOO_MANY_SOCKETS, "too many sockets from this address"
        return None

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
        """Say why a join must not be, if so: ``short`` and a text."""
        if not self._bucket.take():
            return "rate_limited", f"more than {JOINS_PER_SECOND} joins a second: try again later"
        limit = conf.FCS_MAX_ROOMS_PER_CLIENT
        joined = self._subscriber.joined
        if (room, spelling) not in joined and len(joined) >= limit:
            return "too_many_rooms", f"{room.symbol}: no more than {limit} rooms a socket"
        if not await may_join(self.scope, room, wish.token):
            return "room_not_allowed", f"{room.symbol} needs a token of this site"
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
        self._say(Refusal(short=short, message=text))

    def _say(self, message: Message) -> None:
        self._subscriber.reply(serialise(message))


_HANDLERS = {
    "websocket.connect": FCSConsumer.websocket_connect,
    "websocket.receive": FCSConsumer.websocket_receive,
    "websocket.disconnect": FCSConsumer.websocket_disconnect,
}


def _now_ms() -> int:
    return int(time.time() * 1000)

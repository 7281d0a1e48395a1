"""A server for browser tests: pages over HTTP, a WebSocket that does as the test says."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from django_fcs.tools.servers import stop_accepting

STATIC = Path(__file__).parents[2] / "django_fcs" / "static" / "django_fcs"
#: Whether pages get minified files, by whatever name they ask. Sources tell more in a failure.
IS_MINIFIED = os.environ.get("FCS_MINIFIED") == "1"
MERGE = Subprotocol("fcs.merge.v1")
CONTENT_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}


@dataclass
class Behaviour:
    """What the server does by itself; change it at any time."""

    welcome: bool = True
    confirm: str | None = "full"  # "full", "bare" (as the vendor does) or None: no answer
    pong: bool = True
    refuse: HTTPStatus | None = None  # answer of the next handshakes
    close_after_welcome: int | None = None


class Peer:
    """One browser's socket, seen from the server."""

    def __init__(self, socket: ServerConnection) -> None:
        self._socket = socket
        self.received: list[dict[str, Any]] = []

    @property
    def path(self) -> str:
        assert self._socket.request is not None
        return self._socket.request.path

    @property
    def is_merge(self) -> bool:
        return self._socket.subprotocol == MERGE

    @property
    def is_open(self) -> bool:
        return self._socket.close_code is None

    @property
    def joins(self) -> list[str]:
        """The rooms asked for, in order, as ``FX:EURUSD_1D``."""
        return [f"{m['symbol']}_{m['timeframe']}" for m in self.of_type("join_symbol")]

    def of_type(self, name: str) -> list[dict[str, Any]]:
        return [message for message in self.received if message.get("type") == name]

    async def send(self, *messages: dict[str, Any]) -> None:
        """Send one array on the merge protocol, one frame each otherwise."""
        if self.is_merge:
            await self._socket.send(json.dumps(messages))
            return
        for message in messages:
            await self._socket.send(json.dumps(message))

    async def send_text(self, text: str) -> None:
        await self._socket.send(text)

    async def close(self, code: int, reason: str = "") -> None:
        await self._socket.close(code, reason)

    def abort(self) -> None:
        """Break the line without a word: 1006 in the browser."""
        self._socket.transport.abort()

    def frames(self) -> AsyncIterator[str | bytes]:
        return aiter(self._socket)


@dataclass
class ScriptedServer:
    """``async with ScriptedServer() as server:`` and point a page at ``server.url``."""

    behaviour: Behaviour = field(default_factory=Behaviour)
    pages: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    peers: list[Peer] = field(default_factory=list)
    is_minified: bool = IS_MINIFIED
    handshakes: int = 0
    _connections: list[ServerConnection] = field(default_factory=list)
    _stack: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)
    _server: Server | None = None

    async def __aenter__(self) -> ScriptedServer:
        self._server = await self._stack.enter_async_context(
            serve(
                self._serve,
                "127.0.0.1",
                0,
                select_subprotocol=lambda _, offered: MERGE if MERGE in offered else None,
                process_request=self._respond,
                create_connection=self._connection,  # type: ignore[arg-type]  # any factory does
            )
        )
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        assert self._server is not None
        await stop_accepting(self._server.sockets)
        for connection in self._connections:  # a browser opens some that it never uses
            connection.transport.abort()
        await self._stack.aclose()

    @property
    def host(self) -> str:
        assert self._server is not None
        port = next(iter(self._server.sockets)).getsockname()[1]
        return f"127.0.0.1:{port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}/"

    @property
    def peer(self) -> Peer:
        """The newest socket."""
        return self.peers[-1]

    def _connection(self, *args: Any, **options: Any) -> ServerConnection:
        connection = ServerConnection(*args, **options)
        self._connections.append(connection)
        return connection

    def _respond(self, socket: ServerConnection, request: Request) -> Response | None:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            self.handshakes += 1
            refuse = self.behaviour.refuse
            return socket.respond(refuse, "refused\n") if refuse else None
        path = request.path.partition("?")[0]
        folder, _, name = path.rpartition("/")
        if path in self.pages:
            return self._response(self.pages[path].encode(), Path(path).suffix or ".html")
        if folder == "/static/django_fcs" and name:
            files = static_files(name, minified=self.is_minified)
            if all(file.is_file() for file in files):
                body = b"".join(file.read_bytes() for file in files)
                return self._response(body, files[0].suffix)
        return socket.respond(HTTPStatus.NOT_FOUND, "no such page\n")

    def _response(self, body: bytes, suffix: str) -> Response:
        headers = Headers(self.headers)
        headers["Content-Type"] = f"{CONTENT_TYPES.get(suffix, 'text/plain')}; charset=utf-8"
        headers["Content-Length"] = str(len(body))
        headers["Connection"] = "close"
        return Response(HTTPStatus.OK, "OK", headers, body)

    async def _serve(self, socket: ServerConnection) -> None:
        peer = Peer(socket)
        self.peers.append(peer)
        with contextlib.suppress(ConnectionClosed):
            if self.behaviour.welcome:
                await peer.send({"type": "welcome", "timestamp": int(time.time() * 1000)})
            if self.behaviour.close_after_welcome is not None:
                await peer.close(self.behaviour.close_after_welcome)
            async for text in peer.frames():
                message = json.loads(text)
                peer.received.append(message)
                await self._answer(peer, message)

    async def _answer(self, peer: Peer, message: dict[str, Any]) -> None:
        if message["type"] == "join_symbol" and self.behaviour.confirm:
            symbol, timeframe = message["symbol"], message["timeframe"]
            await peer.send(joined(symbol, timeframe, bare=self.behaviour.confirm == "bare"))
        if message["type"] == "ping" and self.behaviour.pong:
            await peer.send({"type": "pong", "timestamp": message["timestamp"]})


def static_files(name: str, *, minified: bool = IS_MINIFIED) -> list[Path]:
    """Return the files of the package behind a name, such as the two scripts behind fcs.min.js."""
    name = name.replace(".min.", ".")
    if minified and (smaller := STATIC / name.replace(".", ".min.", 1)).exists():
        # Also if a test asks for the source: names within the files differ between the two.
        return [smaller]
    names = ["fcs-client.js", "fcs-elements.js"] if name == "fcs.js" else [name]
    return [STATIC / name for name in names]


def joined(symbol: str, timeframe: str, *, bare: bool = False) -> dict[str, Any]:
    """Return a ``joined_room`` as our server words it, or as the vendor does."""
    room = f"{symbol}_{timeframe}_0s"
    return {
        "type": "message",
        "success": True,
        "message": f"Successfully joined room: {room}",
        "room": room,
        "symbol": symbol.partition(":")[2] if bare else symbol,
        "timeframe": timeframe,
        "short": "joined_room",
    }


def price(symbol: str, timeframe: str = "1D", **prices: Any) -> dict[str, Any]:
    """Return a ``price`` message; ``mode`` is ``candle`` where none is given."""
    prices.setdefault("mode", "candle")
    return {"type": "price", "symbol": symbol, "timeframe": timeframe, "prices": prices}

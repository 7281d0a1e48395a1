"""Serve a page and replay its frames, on a core of its own where there are two.

Its arguments are the port, the folder with the page and the recording. It answers ``count`` on
its standard input with what it has sent.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from lab.kit.places import ROOT
from lab.kit.worker import answer_commands

from .recording import Recording, read

__all__ = ["PAGE", "RECORDING", "Replay"]

PAGE, RECORDING = "page.html", "frames.txt"
VENDOR = Path(__file__).with_name("vendor.js")
STATIC = ROOT / "django_fcs/static/django_fcs"

_MERGE = Subprotocol("fcs.merge.v1")
_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}


class Replay:
    """The page, its files, and the frames for each socket that has joined all rooms."""

    def __init__(self, page: Path, recording: Recording) -> None:
        self._page = page
        self._recording = recording
        self._frames = self._prices = 0
        self._behind = 0.0

    def respond(self, socket: ServerConnection, request: Request) -> Response | None:
        """Answer requests for files; leave sockets alone."""
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return None
        folder, _, name = request.path.partition("?")[0].rpartition("/")
        file = self._page if not name else VENDOR if name == VENDOR.name else STATIC / name
        if not file.is_file() or (folder and folder != "/static/django_fcs"):
            return socket.respond(HTTPStatus.NOT_FOUND, "no such file\n")
        body = file.read_bytes()
        headers = Headers()
        headers["Content-Type"] = f"{_TYPES[file.suffix]}; charset=utf-8"
        headers["Content-Length"] = str(len(body))
        headers["Connection"] = "close"
        return Response(HTTPStatus.OK, "OK", headers, body)

    async def serve(self, socket: ServerConnection) -> None:
        """Answer the joins of a page; after the last, replay the frames."""
        waiting = set(self._recording.joined)
        replaying: asyncio.Task[None] | None = None
        try:
            await socket.send(json.dumps({"type": "welcome", "timestamp": _now_ms()}))
            async for text in socket:
                message = json.loads(text)
                if message["type"] == "join_symbol":
                    await socket.send(self._recording.joined[message["symbol"]])
                    waiting.discard(message["symbol"])
                    if not waiting and replaying is None:
                        replaying = asyncio.create_task(self._replay(socket))
                elif message["type"] == "candles":
                    await socket.send(self._recording.candles[message["symbol"]])
                elif message["type"] == "ping":
                    await socket.send(json.dumps({"type": "pong", "timestamp": _now_ms()}))
        except ConnectionClosed:
            pass
        finally:
            if replaying:
                replaying.cancel()

    async def _replay(self, socket: ServerConnection) -> None:
        began = time.monotonic()
        with suppress(ConnectionClosed):
            for offset, text in self._recording.frames:
                self._behind = time.monotonic() - began - offset
                if self._behind < 0:
                    await asyncio.sleep(-self._behind)
                await socket.send(text)
                self._frames += 1
                self._prices += text.count('"type":"price"')

    async def obey(self, command: dict[str, Any]) -> dict[str, Any]:
        """Return what was sent so far, and how far the replay is behind its times, in seconds."""
        return {
            "at": time.monotonic(),
            "frames": self._frames,
            "prices": self._prices,
            "behind": max(0.0, self._behind),
        }


def _now_ms() -> int:
    return int(time.time() * 1000)


def _take_a_core() -> None:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, cores[-1:])


async def main() -> None:
    """Serve until the standard input ends."""
    _take_a_core()
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    replay = Replay(folder / PAGE, read(folder / RECORDING))
    async with serve(
        replay.serve,
        "127.0.0.1",
        port,
        compression=None,
        process_request=replay.respond,
        select_subprotocol=lambda _, offered: _MERGE if _MERGE in offered else None,
    ):
        await answer_commands(replay.obey)


if __name__ == "__main__":
    asyncio.run(main())

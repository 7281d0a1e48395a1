"""A vendor that sends the client elsewhere, and where that is no place at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from django_fcs.tools.redaction import SILENT
from tests.support.upstreams import watching
from tests.support.waiting import eventually

pytestmark = pytest.mark.versions


@asynccontextmanager
async def redirecting(location: str) -> AsyncIterator[str]:
    def answer(socket: ServerConnection, request: Request) -> Response:
        response = socket.respond(HTTPStatus.FOUND, "")
        response.headers["Location"] = location
        return response

    async def serve_nobody(socket: ServerConnection) -> None:
        raise AssertionError("nobody gets this far")

    server = serve(serve_nobody, "127.0.0.1", 0, process_request=answer, logger=SILENT)
    async with server as listening:
        yield f"ws://127.0.0.1:{next(iter(listening.sockets)).getsockname()[1]}/ws"


@pytest.mark.parametrize("location", ["//[::1", "ws://127.0.0.1:99999/", "ws://a..b/", "http://x"])
async def test_a_redirect_to_what_is_no_address_is_a_failure_like_any_other(location: str) -> None:
    async with redirecting(location) as url, watching(url, "FX:EURUSD", key="s3cret") as watch:
        await eventually(lambda: len(watch.reasons) >= 2)

        assert watch.error is None
        assert "cannot reach FCS_URL" in watch.reasons[0]
        assert "s3cret" not in watch.reasons[0]

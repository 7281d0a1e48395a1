"""What an answer of a proxy of the environment means for the client of the vendor's socket."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, cast

import pytest
from websockets.asyncio import client

from django_fcs.exceptions import FailureKind, KeyRefused, UpstreamError
from tests.support.upstreams import EURUSD, QUICK, watching
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("clean_loop")

#: A client that does not try again while the test runs.
ONCE = replace(QUICK, retry_first=600, retry_cap=600)


async def failure_behind(answer: str, monkeypatch: pytest.MonkeyPatch) -> UpstreamError:
    """Return how a client fails behind a proxy that gives this answer."""

    serving: list[asyncio.Task[Any]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(cast("asyncio.Task[Any]", asyncio.current_task()))
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("no_proxy", "")
        async with watching("ws://vendor.invalid:8080", EURUSD, timing=ONCE) as watch:
            await eventually(lambda: watch.reasons)
        await asyncio.wait_for(asyncio.gather(*serving), 20)
    error = watch.statuses[0].error
    assert error is not None
    return error


async def test_a_proxy_that_forbids_is_asked_at_growing_pauses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    error = await failure_behind("403 Forbidden", monkeypatch)

    assert (error.kind, error.code) == (FailureKind.FORBIDDEN, 403)
    assert "the proxy before vendor.invalid:8080 answered with HTTP 403 (key or" in str(error)


async def test_a_proxy_that_wants_a_password_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    error = await failure_behind("407 Proxy Authentication Required", monkeypatch)

    assert str(error) == (
        "the proxy before vendor.invalid:8080 answered with HTTP 407: set a user and a password "
        "for it in the environment"
    )


@pytest.mark.parametrize(("status", "asked", "kept"), [(429, 60, 60), (503, 86_400, 3600)])
async def test_the_pause_that_a_proxy_asks_for_is_kept_for_an_hour_at_most(
    status: int, asked: int, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = await failure_behind(f"{status} Later\r\nRetry-After: {asked}", monkeypatch)

    assert (error.kind, error.code, error.retry_after) == (FailureKind.HTTP_STATUS, status, kept)


async def test_a_proxy_does_not_refuse_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    error = await failure_behind("401 Unauthorized", monkeypatch)

    assert (error.kind, error.code) == (FailureKind.HTTP_STATUS, 401)
    assert not isinstance(error, KeyRefused)


@pytest.mark.parametrize(
    "proxy",
    [
        *("me:pa55word@proxy:3128", "http:/me:pa55word@proxy", "htps://me:pa55word@proxy"),
        *("http://me:pa55word@proxy:pa55", "http://me:pa55/word@proxy:3128", "me:pa55 word@proxy"),
        *("http://pa55word@proxy", "http://me:pa55word@proxy/x"),
    ],
)
async def test_no_text_has_the_password_of_a_proxy_that_is_no_address(
    proxy: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    reason = await reason_behind(proxy, monkeypatch, caplog)

    assert "proxy" in reason


async def test_no_text_has_a_password_that_is_not_utf_8(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Only some versions of websockets refuse it."""
    assert await reason_behind("http://me:pa55%ffword@proxy", monkeypatch, caplog)


async def reason_behind(
    proxy: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> str:
    caplog.set_level("DEBUG")
    monkeypatch.setenv("http_proxy", proxy)
    monkeypatch.setenv("no_proxy", "")
    async with watching("ws://vendor.invalid:8080", EURUSD, timing=ONCE) as watch:
        await eventually(lambda: watch.reasons)

    error = watch.statuses[0].error
    assert error is not None and error.kind is FailureKind.UNREACHABLE
    assert "pa55" not in f"{error!r} {error} {watch.reasons} {caplog.text}"
    return str(error)


async def test_a_socks_proxy_without_its_library_is_said_to_need_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", "socks5://me:pa55word@127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setattr(client, "connect_socks_proxy", _without_python_socks)
    async with watching("ws://vendor.invalid:8080", EURUSD, timing=ONCE) as watch:
        await eventually(lambda: watch.reasons)

    assert "requires python-socks" in watch.reasons[0]


async def _without_python_socks(*args: Any, **kwargs: Any) -> Any:
    raise ImportError("connecting through a SOCKS proxy requires python-socks")

"""The client of the vendor's socket, where the vendor's host has several addresses."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from inspect import signature
from typing import Any, cast

import pytest
from websockets.asyncio.client import connect

from django_fcs.exceptions import FailureKind, UpstreamError
from django_fcs.simulator import Simulator
from django_fcs.tools.tasks import together
from django_fcs.upstream.approach import Approach
from tests.support.network import Address, black_hole
from tests.support.upstreams import EURUSD, QUICK, watching
from tests.support.waiting import eventually

pytestmark = [pytest.mark.usefixtures("clean_loop"), pytest.mark.versions]


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: Address) -> None:
    async def getaddrinfo(*args: Any, **kwargs: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)


def place_of(simulator: Simulator) -> Address:
    host, _, port = simulator.url.removeprefix("ws://").partition(":")
    return host, int(port)


async def test_a_first_address_that_never_answers_does_not_keep_it_from_the_second(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with black_hole() as hole:
        resolve_to(monkeypatch, hole, hole, place_of(simulator))
        async with watching("ws://vendor.invalid", EURUSD) as watch:
            await eventually(lambda: simulator.rooms, within=10)

    assert watch.reasons == []


async def test_addresses_that_all_refuse_are_a_failure_that_names_the_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        resolve_to(monkeypatch, closed.getsockname(), closed.getsockname())
        async with watching("ws://vendor.invalid", EURUSD) as watch:
            await eventually(lambda: watch.reasons)

    assert watch.reasons[0].startswith("cannot reach FCS_URL at vendor.invalid: ")


@asynccontextmanager
async def http_proxy(to: Address) -> AsyncIterator[tuple[str, list[str]]]:
    """Run a proxy that connects every client to one address; yield its URL and its requests."""
    asked: list[str] = []
    serving: list[asyncio.Task[Any]] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(cast("asyncio.Task[Any]", asyncio.current_task()))
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head.split(b"\r\n")[0].decode())
        up_reader, up_writer = await asyncio.open_connection(*to)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            await together(pump(reader, up_writer), pump(up_reader, writer))
        finally:
            for one in (writer, up_writer):
                one.close()
                await one.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", asked
        await asyncio.wait_for(asyncio.gather(*serving), 20)


async def test_a_proxy_of_the_environment_is_still_used(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, port = place_of(simulator)
    async with http_proxy((host, port)) as (url, asked):
        resolve_to(monkeypatch, (host, port))
        monkeypatch.setenv("http_proxy", url)
        monkeypatch.setenv("no_proxy", "")
        async with watching(f"ws://vendor.invalid:{port}", EURUSD):
            await eventually(lambda: simulator.rooms)

    # websockets has known proxies since version 15.
    is_able = "proxy" in signature(connect).parameters
    assert asked[:1] == ([f"CONNECT vendor.invalid:{port} HTTP/1.1"] if is_able else [])


# -- loops that try one address after the other, as uvloop does


def try_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the running loop know no ``happy_eyeballs_delay``, and reach nobody by IPv6."""
    loop = asyncio.get_running_loop()
    stock = loop.create_connection

    async def create_connection(
        factory: Any, host: Any = None, port: Any = None, *, family: int = 0
    ) -> Any:
        if family != socket.AF_INET:
            await asyncio.sleep(60)
        return await stock(factory, host, port, family=family)

    monkeypatch.setattr(loop, "create_connection", create_connection)


async def test_on_such_a_loop_a_timeout_is_followed_by_an_attempt_with_ipv4_alone(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, place_of(simulator))
    try_one_by_one(monkeypatch)
    timing = replace(QUICK, welcome=0.5)
    async with watching("ws://vendor.invalid", EURUSD, timing=timing) as watch:
        await eventually(lambda: simulator.rooms)

        assert watch.reasons[0].endswith("did not answer in 0.5 s")


async def test_only_a_timeout_leads_to_ipv4_alone_and_another_one_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    try_one_by_one(monkeypatch)
    approach, seen = Approach("vendor.invalid"), []
    kinds = [FailureKind.UNREACHABLE, FailureKind.TIMEOUT, FailureKind.TIMEOUT]
    for kind in [*kinds, FailureKind.TIMEOUT, FailureKind.CLOSED]:
        approach.note(UpstreamError(kind, "vendor"))
        seen.append(approach.arguments())

    only = {"family": socket.AF_INET}
    assert seen == [{}, only, {}, only, {}]

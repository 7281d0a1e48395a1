"""What a server or a middleware may pass as ``send``, and whose code it is."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Generator
from types import FunctionType, MethodType
from typing import Any

import pytest
from daphne.server import Server
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from django_fcs.fanout.servers import Send, is_of_a_server
from django_fcs.fanout.subscriber import CLOSE_BROKEN, CLOSE_TOO_SLOW
from tests.fanout.subscribers import browser
from tests.support.waiting import eventually

pytestmark = [pytest.mark.usefixtures("clean_loop"), pytest.mark.versions]

Message = dict[str, Any]


class Answered:
    """An awaitable that is no coroutine and has a result, as of a server written in Rust."""

    def __await__(self) -> Generator[Any, None, None]:
        return iter(())  # type: ignore[return-value]


class FutureLike:
    """An awaitable that keeps to the protocol of asyncio's futures and is none of them."""

    _asyncio_future_blocking = False

    def __init__(self, future: asyncio.Future[None]) -> None:
        self._future = future

    def __await__(self) -> FutureLike:
        return self

    def __iter__(self) -> FutureLike:
        return self

    def __next__(self) -> FutureLike:
        if self._future.done():
            raise StopIteration(self._future.result())
        self._asyncio_future_blocking = True
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._future, name)


def returning(wrap: Callable[[Awaitable[None]], Any]) -> Callable[[Send], Send]:
    """A middleware whose ``send`` is no async function and returns what ``wrap`` makes of it."""
    return lambda send: lambda message: wrap(send(message))


class Callable_:
    """A callable object, which forwards everything else, as wrappers of tracing tools do."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def __call__(self, message: Message) -> Awaitable[None]:
        return self._send(message)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._send, name)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._send)


def middleware(send: Send) -> Send:
    @functools.wraps(send)
    async def sent(message: Message) -> None:
        await send(message)

    return sent


def without_a_module(send: Send) -> Send:
    def sent(message: Message) -> Awaitable[None]:
        return send(message)

    sent.__module__ = None  # type: ignore[assignment]
    return sent


#: What becomes of the ``send`` of a server.
WRAPPED: dict[str, Callable[[Send], Send]] = {
    "a coroutine": lambda send: send,
    "a partial": lambda send: functools.partial(_third, send, None),
    "a callable object": Callable_,
    "a middleware": middleware,
    "nothing that names its module": without_a_module,
    "a task": returning(asyncio.ensure_future),
    "a future": returning(asyncio.shield),
    "like a future": returning(lambda sent: FutureLike(asyncio.ensure_future(sent))),
}


async def _third(send: Send, _: None, message: Message) -> None:
    await send(message)


@pytest.mark.parametrize("what", WRAPPED)
async def test_whatever_can_be_awaited_is_sent_in_order(what: str) -> None:
    async with browser() as (socket, _), browser(send=WRAPPED[what](socket.send)) as (at, one):
        for number in range(20):
            one.reply(str(number))
        await at.opened()
        one.reply("20")
        one.close(4000, "the end")
        await eventually(lambda: bool(socket.closes))

    assert socket.texts == [str(number) for number in range(21)]
    assert socket.closes == [4000]


@pytest.mark.parametrize("what", WRAPPED)
async def test_a_slow_send_makes_only_its_browser_wait(what: str) -> None:
    async with browser() as (socket, _), browser(send=WRAPPED[what](socket.send)) as (at, one):
        socket.stall()
        one.reply("one")
        one.reply("two")
        await at.passes()
        assert (socket.texts, one.is_open) == ([], False)
        socket.read()
        await at.opened()

    assert socket.texts == ["one", "two"]


async def test_an_awaitable_that_has_its_result_costs_no_task() -> None:
    sent = []

    def send(message: Message) -> Answered:
        sent.append(message["text"])
        return Answered()

    async with browser(send=send) as (_, one):
        before = asyncio.all_tasks()
        for number in range(3):
            one.reply(str(number))

        assert (sent, one.is_open) == (["0", "1", "2"], True)
        assert asyncio.all_tasks() == before


@pytest.mark.parametrize("when", ["at once", "later"])
async def test_a_send_that_the_server_cancels_gives_its_browser_up_and_ends_nothing_else(
    when: str,
) -> None:
    sent = []

    def send(message: Message) -> asyncio.Future[None]:
        sent.append(message)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if len(sent) > 1:
            future.set_result(None)
        elif when == "at once":
            future.cancel()
        else:
            asyncio.get_running_loop().call_soon(future.cancel)
        return future

    async with browser(send=send) as (at, one):
        one.reply("one")
        await at.passes()
        for now in (100, 130):
            one.look(now, 30)
        await at.passes()

    assert [message.get("code") for message in sent] == [None, CLOSE_TOO_SLOW]


async def test_a_send_that_raises_before_it_returns_closes_its_browser(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sent = []

    def send(message: Message) -> Answered:
        sent.append(message)
        if len(sent) == 1:
            raise LookupError("of a middleware")
        return Answered()

    async with browser(send=send) as (at, one):
        one.reply("one")
        await at.passes()

    assert [message.get("code") for message in sent] == [None, CLOSE_BROKEN]
    assert "of a middleware" in caplog.text


# -- whose code it is


def _of(function: Any) -> Send:
    """A method as a server binds it, without the server."""
    return MethodType(function, object())


def _daphne() -> Send:
    protocol: Any = object()
    return functools.partial(_of(Server.handle_reply), protocol)


KNOWN: dict[str, Callable[[], Send]] = {
    "daphne": _daphne,
    "uvicorn": lambda: _of(WebSocketsSansIOProtocol.send),
}


@pytest.mark.parametrize("server", KNOWN)
def test_the_servers_whose_code_we_know_are_recognised(server: str) -> None:
    assert is_of_a_server(KNOWN[server]())


@pytest.mark.parametrize("server", KNOWN)
@pytest.mark.parametrize("what", [what for what in WRAPPED if what != "a coroutine"])
def test_what_wraps_them_is_not_taken_for_them(what: str, server: str) -> None:
    assert not is_of_a_server(WRAPPED[what](KNOWN[server]()))


def test_a_function_of_theirs_that_returns_something_else_is_not_known() -> None:
    def sent(message: Message) -> Answered:
        return Answered()

    theirs = FunctionType(sent.__code__, {"__name__": "uvicorn.new"})
    assert not is_of_a_server(theirs)

"""Scopes and events of any ASGI server, passed to the consumer as the server passes them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import pytest
from django.test import override_settings

from django_fcs.consumers import CLOSE_TOO_MANY, MERGE_PROTOCOL, FCSConsumer
from tests.support.waiting import eventually

pytestmark = [pytest.mark.usefixtures("clean_loop", "open_site"), pytest.mark.versions]

Event = dict[str, Any]
CONNECT: Event = {"type": "websocket.connect"}
PING: Event = {"type": "websocket.receive", "text": '{"type":"ping"}'}
GONE: Event = {"type": "websocket.disconnect", "code": 1000}


class Served:
    """A socket of a server that passes this scope, and what it was sent."""

    def __init__(self, scope: dict[str, Any], events: Iterable[Event] = ()) -> None:
        self.sent: list[Event] = []
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        for event in (CONNECT, *events):
            self.events.put_nowait(event)
        whole = {"type": "websocket", "path": "/ws/fcs/", **scope}
        self._run = FCSConsumer()(whole, self._receive, self._send)

    def _receive(self) -> Awaitable[Event]:
        return asyncio.ensure_future(self.events.get())

    def _send(self, event: Event) -> Awaitable[None]:
        self.sent.append(event)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_result, None)
        return future

    async def ends(self) -> None:
        await asyncio.wait_for(self._run, 10)

    @property
    def said(self) -> list[str]:
        messages = [json.loads(event["text"]) for event in self.sent if "text" in event]
        flat = [it for one in messages for it in (one if isinstance(one, list) else [one])]
        return [message["type"] for message in flat]


SCOPES: dict[str, dict[str, Any]] = {
    "no keys": {},
    "None for all": dict.fromkeys(
        ("client", "server", "headers", "subprotocols", "extensions", "state", "query_string")
    ),
    "empty": {"client": [], "headers": [], "subprotocols": [], "extensions": {}},
    "tuples": {
        "client": ("192.0.2.1", 1),
        "headers": ((b"host", b"testserver"),),
        "subprotocols": ("x",),
    },
    "an iterator of headers": {"headers": iter([(b"host", b"testserver"), (b"x", b"\xff")])},
    "a Unix socket": {"client": ("unix:/run/site.sock", None)},
    "no address": {"client": (None, None)},
}


@pytest.mark.parametrize("what", SCOPES)
async def test_a_browser_is_welcomed_and_answered_whatever_the_scope_leaves_out(what: str) -> None:
    served = Served(SCOPES[what], [PING])
    ending = asyncio.ensure_future(served.ends())
    await eventually(lambda: "pong" in served.said)
    served.events.put_nowait(GONE)
    await ending

    assert served.sent[0] == {"type": "websocket.accept", "subprotocol": None}
    assert served.said == ["welcome", "pong"]


@pytest.mark.parametrize("kind", [list, tuple, iter, set])
async def test_the_subprotocol_may_come_in_any_collection(
    kind: Callable[[list[str]], Any],
) -> None:
    served = Served({"subprotocols": kind([MERGE_PROTOCOL])}, [GONE])
    await served.ends()

    assert served.sent[0]["subprotocol"] == MERGE_PROTOCOL


@pytest.mark.parametrize("client", [None, ("unix:/run/site.sock", None), (None, 0), ("", 0)])
async def test_browsers_without_an_address_do_not_count_as_one(client: Any) -> None:
    with override_settings(FCS_MAX_SOCKETS_PER_IP=1):
        both = [Served({"client": client}) for _ in range(2)]
        endings = [asyncio.ensure_future(one.ends()) for one in both]
        await eventually(lambda: all(one.said for one in both))
        for one in both:
            one.events.put_nowait(GONE)
        await asyncio.gather(*endings)

    assert [one.said for one in both] == [["welcome"], ["welcome"]]


ENDS: list[Event] = [
    GONE,
    {"type": "websocket.disconnect"},
    {"type": "websocket.disconnect", "code": None},
    {"type": "websocket.disconnect", "code": 1005, "reason": None},
    {"type": "websocket.disconnect", "code": 4000, "reason": "the page is closed"},
    {"type": "http.disconnect"},
]


@pytest.mark.parametrize("end", ENDS, ids=str)
async def test_every_kind_of_end_ends_the_socket(end: Event) -> None:
    served = Served({"client": ("192.0.2.1", 1)}, [end])
    await served.ends()

    assert served.said == ["welcome"]


async def test_a_socket_that_was_refused_ends_with_any_of_them() -> None:
    with override_settings(FCS_MAX_SOCKETS_PER_IP=1):
        first = Served({"client": ("192.0.2.1", 1)})
        ending = asyncio.ensure_future(first.ends())
        await eventually(lambda: bool(first.said))
        for end in ENDS:
            refused = Served({"client": ("192.0.2.1", 2)}, [PING, end])
            await refused.ends()
            assert refused.said == ["error"]
            assert refused.sent[-1]["code"] == CLOSE_TOO_MANY
        first.events.put_nowait(GONE)
        await ending


RECEIVED: list[Event] = [
    {"type": "websocket.receive"},
    {"type": "websocket.receive", "text": None, "bytes": None},
    {"type": "websocket.receive", "text": "", "bytes": b""},
    {"type": "websocket.receive", "bytes": b"\xff"},
    {"type": "websocket.receive", "bytes": bytearray(b"{}"), "text": None},
]


@pytest.mark.parametrize("event", RECEIVED, ids=str)
async def test_a_frame_without_text_is_refused_and_the_next_is_answered(event: Event) -> None:
    served = Served({}, [event, {**PING, "bytes": None}])
    ending = asyncio.ensure_future(served.ends())
    await eventually(lambda: "pong" in served.said)
    served.events.put_nowait(GONE)
    await ending

    assert served.said == ["welcome", "error", "pong"]


async def test_an_event_that_asgi_does_not_know_is_logged_once_and_ignored(
    caplog: pytest.LogCaptureFixture,
) -> None:
    served = Served({}, [{"type": "websocket.weather"}] * 3 + [PING])
    ending = asyncio.ensure_future(served.ends())
    await eventually(lambda: "pong" in served.said)
    served.events.put_nowait(GONE)
    await ending

    assert served.said == ["welcome", "pong"]
    assert caplog.text.count("event of the server ignored") == 1

"""The target for the browsers' socket: the events that servers pass to ``FCSConsumer``.

An input is the whole life of up to three sockets on one hub: handshakes with odd headers,
valid and invalid frames, stalls, sends that fail, prices and malformed messages on the
channel layer, and any way in which a socket can end.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import ExitStack, suppress
from random import Random
from types import FunctionType
from typing import Any

from channels.layers import channel_layers
from django.test import override_settings

from django_fcs.consumers import MERGE_PROTOCOL, FCSConsumer
from django_fcs.fanout.hub import Hub
from django_fcs.fanout.servers import Send
from django_fcs.fanout.subscriber import REPLIES_MAX, Subscriber
from django_fcs.layer.bus import Bus
from django_fcs.layer.events import HUBS, Beat, RoomNotice
from django_fcs.prices.paths import PathReport
from django_fcs.prices.states import Expectation
from django_fcs.prices.store import MemoryStore
from django_fcs.protocol import ProfileUpdate, serialise
from django_fcs.tools.metrics import counts
from lab.kit import grammar
from tests.support.layers import SHARED, SharedLayer

from .group_messages import ROOMS, group_message, price
from .world import World

__all__ = ["Browsers"]

ROOMS_MAX = 12
SITE: dict[str, Any] = {
    "CHANNEL_LAYERS": SHARED,
    "FCS_ALLOWED_SYMBOLS": ["FX:*"],
    "FCS_MAX_ROOMS_PER_CLIENT": ROOMS_MAX,
    "FCS_MAX_SOCKETS_PER_IP": 2,
}

#: A hub has six tasks, and those of its bus.
_TASKS_MAX = 12

#: Entries of the agenda, also those of closed browsers: they last 10 s at the slowest rate.
_AGENDA_MAX = 500

#: The longest frame of the site: a frame ends with the text that takes it over 64 kB.
_FRAME_MAX = 70_000

_SAID = ("welcome", "ping", "pong", "message", "error", "price", "state", "beat", "rate", "token")

_ORIGINS = (
    *(b"http://testserver", b"https://evil.example", b"null", b"", b"\xff\xfe", b"http://[::1"),
    *(b"http://testserver:99999", b"file://", b"http://localhost"),
)
_EXPECTED = (
    Expectation(),
    Expectation(patience=0.5, overdue=True),
    Expectation(patience=90.0, since=0.0, until=60.0),
    Expectation(closed=True, until=1e9),
)
_MERGE = [MERGE_PROTOCOL]
_PROTOCOLS: tuple[list[str], ...] = ([], [], _MERGE, _MERGE, ["x", *_MERGE], ["", "x"])
_CLIENTS = (["10.0.0.1", 1], ["10.0.0.1", 2], ["10.0.0.2", 3], ["", 0], None)
_PAUSES = (0.0, 0.0, 0.001, 0.004, 0.02, 0.11, 0.11, 1.1, 5.0)
_LONG_PAUSES = (31.0, 31.0, 95.0)
_KINDS = (
    *("say",) * 12,
    *("tick",) * 5,
    *("pass",) * 4,
    *("stall", "read", "pong", "pong", "break", "beat", "notice", "group", "gone", "cancel"),
)

Step = tuple[str, int, Any]


class Browsers:
    """A site's hub, which serves the sockets of one input after the other."""

    def __enter__(self) -> Browsers:
        self._stack = ExitStack()
        self._stack.enter_context(override_settings(**SITE))
        channel_layers.backends.clear()
        SharedLayer.reset()
        self._world = World(_TASKS_MAX)
        self._epoch = 1
        self._seqs = dict.fromkeys(ROOMS, 0)
        self._renewals = counts().get("hub_layer_reconnects", 0)
        time = self._world.time
        self._hub = Hub._hubs[self._world] = Hub(MemoryStore(), clock=time, monotonic=time)
        self._bus = self._world.run_until_complete(_new_bus())
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(Exception):  # After a failure it may fail again.
            self._world.run_until_complete(self._hub.aclose())
        Hub._hubs.pop(self._world, None)
        self._world.end()
        self._stack.close()

    # -- drawing

    @staticmethod
    def draw(random: Random) -> dict[str, Any]:
        """Draw one input: handshakes, then steps in order."""
        sockets = [_handshake(random) for _ in range(random.choice((1, 1, 1, 2, 3)))]
        steps = [_step(random, len(sockets)) for _ in range(random.randrange(2, 14))]
        return {"sockets": sockets, "steps": steps}

    # -- feeding

    def feed(self, case: dict[str, Any]) -> None:
        """Run the sockets of one input; raises an error if something went wrong."""
        self._world.live(self._live(case))
        SharedLayer.made.clear()

    async def _live(self, case: dict[str, Any]) -> None:
        sockets = [_Socket(handshake) for handshake in case["sockets"]]
        await asyncio.sleep(0)
        for kind, number, what in case["steps"]:
            if kind in ("tick", "beat", "notice", "group", "pass"):
                await self._happen(kind, what)
            else:
                sockets[number % len(sockets)].do(kind, what)
            await asyncio.sleep(0)
            for one in sockets:
                one.assert_bounds()
        for one in sockets:
            await one.assert_alive()
        for one in sockets:
            await one.end()
        self._assert_nothing_left()

    async def _happen(self, kind: str, what: Any) -> None:
        if kind == "pass":
            await asyncio.sleep(what)
        elif kind == "tick":
            room = ROOMS[what % len(ROOMS)]
            # Repeat a price, publish the next one, or skip two.
            self._seqs[room] += (0, 1, 1, 1, 1, 1, 1, 3)[what % 8]
            mode, seq = "candle" if what % 3 else "askbid", self._seqs[room]
            update = price(room, mode, seq=seq, epoch=self._epoch, at=self._world.time())
            await self._bus.publish([update])
        elif kind == "beat":
            # From the leader, from a former leader, or from the next one.
            epoch = max(1, self._epoch + (0, 0, 0, -1, 1)[what % 5])
            self._epoch = max(self._epoch, epoch)
            online = what % 3 > 0
            await self._bus.beat(
                Beat(epoch, PathReport(self._world.time(), online=online, reason="x"))
            )
        elif kind == "notice":
            room = ROOMS[what % len(ROOMS)]
            profile = ProfileUpdate(
                symbol=room.symbol, timeframe=room.timeframe, profile={"timezone": "UTC", "x": what}
            )
            expected = _EXPECTED[what % len(_EXPECTED)]
            await self._bus.tell(RoomNotice(room, serialise(profile) if what % 2 else "", expected))
        else:
            group, message = what
            await SharedLayer.behind.group_send(group, message)

    def _assert_nothing_left(self) -> None:
        hub = self._hub
        assert not hub._subscribers and not len(hub._watched), "subscribers or rooms are left"
        assert not hub._needs._rooms, "the hub needs a room that no browser watches"
        assert not hub._needs._new, "the hub asks for a room that no browser needs"
        assert not hub._routes._readers and not len(hub._cohorts), "routes or cohorts are left"
        agenda = hub._cohorts._agenda
        assert len(agenda._times) + len(agenda._listed) <= _AGENDA_MAX, "the agenda grows"
        task = hub._task
        assert not (task and task.done() and not task.cancelled() and task.exception())
        renewals = counts().get("hub_layer_reconnects", 0)
        assert renewals == self._renewals, "a message made the hub reconnect to its channel layer"


class _Socket:
    """One socket, as its server sees it."""

    def __init__(self, handshake: dict[str, Any]) -> None:
        self._merge = MERGE_PROTOCOL in (handshake.get("subprotocols") or ())
        self._events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._reads = asyncio.Event()
        self._reads.set()
        self._failure: Exception | None = None
        self._accepted = self._closed = self._gone = self._cancelled = False
        self._pongs = self._questions = 0
        self._odd: list[str] = []
        self._consumer = FCSConsumer()
        scope = {"type": "websocket", "path": "/ws/fcs/", "query_string": b"", **handshake}
        send = _as_uvicorn(self._send) if scope.pop("is_bare") else self._send
        self._events.put_nowait({"type": "websocket.connect"})
        self._task = asyncio.ensure_future(self._consumer(scope, self._events.get, send))

    async def _send(self, message: dict[str, Any]) -> None:
        # Not raised here, because the subscriber would treat it as an error of the server.
        try:
            self._note(message)
        except Exception as error:
            self._odd.append(f"{error!r}: {message!r:.500}")
        if self._failure is not None:
            raise self._failure
        await self._reads.wait()

    def _note(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.accept":
            assert not self._accepted, "accepted twice"
            self._accepted = True
            return
        assert self._accepted and not self._closed, "sent before accept or after close"
        if message["type"] == "websocket.close":
            assert 1000 <= message["code"] < 5000
            self._closed = True
            return
        text = message["text"]
        assert len(text.encode()) <= _FRAME_MAX
        said = json.loads(text)
        assert isinstance(said, list) == self._merge
        for one in said if self._merge else [said]:
            assert one["type"] in _SAID
            self._pongs += one["type"] == "pong"
            self._questions += one["type"] == "ping"

    def do(self, kind: str, what: Any) -> None:
        if kind == "say":
            self._events.put_nowait({"type": "websocket.receive", **what})
        elif kind == "pong" and self._questions:
            self._questions -= 1
            self._say("pong")
        elif kind == "stall":
            self._reads.clear()
        elif kind == "read":
            self._reads.set()
        elif kind == "break":
            self._failure = (OSError if what % 2 else RuntimeError)("the socket is closed")
        elif kind == "gone":
            self._leave(what)
        elif kind == "cancel":
            # Daphne does this to an application that takes too long to end.
            self._cancelled = self._gone = True
            self._task.cancel()

    def _say(self, kind: str) -> None:
        self.do("say", {"text": json.dumps({"type": kind})})

    def _leave(self, code: Any) -> None:
        if not self._gone:
            self._gone = True
            self._events.put_nowait({"type": "websocket.disconnect", "code": code})

    @property
    def _subscriber(self) -> Subscriber | None:
        return getattr(self._consumer, "_subscriber", None)

    def assert_bounds(self) -> None:
        """Check that what waits for this browser is bounded."""
        assert not self._odd, self._odd
        one = self._subscriber
        if one is None:
            return
        assert len(one.joined) <= ROOMS_MAX
        # In addition to replies, a room may have a confirmation, a profile and two prices.
        assert one.waiting <= REPLIES_MAX + 4 * ROOMS_MAX
        assert len(one._fresh or ()) <= ROOMS_MAX

    async def assert_alive(self) -> None:
        """Check that an open socket still answers when it reads."""
        self._reads.set()
        if self._gone or self._failure is not None:
            return
        assert not self._task.done(), "the consumer ended by itself"
        pongs = self._pongs
        self._say("ping")
        for _ in range(100):
            if self._closed or self._pongs > pongs or self._subscriber is None:
                return
            await asyncio.sleep(0.1)
        raise AssertionError("the socket no longer answers pings")

    async def end(self) -> None:
        """Close the socket and check that the consumer ends without an error."""
        self._leave(1006)
        done, _ = await asyncio.wait([self._task], timeout=60)
        assert done, "the consumer does not end"
        if not self._cancelled:
            self._task.result()
        elif not self._task.cancelled():
            # It may have ended before it was cancelled, but not with an error.
            assert self._task.exception() is None
        assert not self._odd, self._odd


def _as_uvicorn(send: Send) -> Send:
    """Wrap a send so that it looks like a server's own, without middleware around it."""

    async def sent(message: dict[str, Any]) -> None:
        await send(message)

    return FunctionType(sent.__code__, {"__name__": "uvicorn"}, closure=sent.__closure__)


async def _new_bus() -> Bus:
    return await Bus().__aenter__()


def _handshake(random: Random) -> dict[str, Any]:
    headers = [(b"host", b"testserver")] if random.random() < 0.9 else []
    if random.random() < 0.2:
        headers.append((b"origin", random.choice(_ORIGINS)))
    if random.random() < 0.1:
        headers.append((random.randbytes(5), random.randbytes(9)))
    handshake: dict[str, Any] = {"headers": headers, "subprotocols": random.choice(_PROTOCOLS)}
    if random.random() < 0.5:
        handshake["client"] = random.choice(_CLIENTS)
    if random.random() < 0.1:
        # What ASGI does not require may be missing or None.
        handshake[random.choice(sorted(handshake))] = None
    if random.random() < 0.1:
        del handshake[random.choice(sorted(handshake))]
    return {**handshake, "is_bare": random.random() < 0.5}


def _step(random: Random, sockets: int) -> Step:
    kind = random.choice(_KINDS)
    what: Any = random.randrange(100)
    if kind == "say":
        what = _event(random)
    elif kind == "pass":
        what = random.choice(_PAUSES if random.random() < 0.98 else _LONG_PAUSES)
    elif kind == "group":
        what = (random.choice((HUBS, *(room.group for room in ROOMS))), group_message(random))
    elif kind == "gone":
        what = random.choice((1000, 1001, 1005, 1006, 4000, None))
    return kind, random.randrange(sockets), what


def _event(random: Random) -> dict[str, Any]:
    """Draw a receive event in one of the forms that servers use."""
    kind = random.random()
    if kind < 0.55:
        many = [grammar.wish(random) for _ in range(random.choice((1, 1, 1, 1, 2, 3, 20)))]
        text = many[0] if len(many) == 1 else f"[{','.join(many)}]"
    elif kind < 0.9:
        text = grammar.as_text(grammar.frame(random))
    elif kind < 0.95:
        return {"bytes": random.randbytes(random.randrange(50)), "text": None}
    else:
        return random.choice(({}, {"text": None}, {"text": ""}, {"bytes": b"{}"}))
    return {"text": text, "bytes": None} if random.random() < 0.3 else {"text": text}

"""The client of the vendor's socket, against the simulator and against worse servers."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlsplit

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from django_fcs.exceptions import BadSymbol, ConfigurationError, KeyRefused
from django_fcs.faults import Faults
from django_fcs.messages import Join, Leave, Ping, Pong, Price, ProfileUpdate
from django_fcs.metrics import counts
from django_fcs.rooms import Room
from django_fcs.simulator import BAD_KEY, Simulator
from django_fcs.sources import RandomWalk
from django_fcs.upstream import Arrival, Status, Timing, UpstreamClient
from tests.serving import free_port
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("clean_loop")

EURUSD = Room("FX:EURUSD", "1D")
USDJPY = Room("FX:USDJPY", "1D")

#: Impatient where a user would be patient, and as fast as the machine.
QUICK = Timing(retry_first=0.01, retry_cap=0.02, joins_per_second=10_000)


class Watch:
    """A client that runs, and everything that came of it."""

    def __init__(self, client: UpstreamClient) -> None:
        self.client = client
        self.events: list[Arrival | Status] = []
        self.error: Exception | None = None

    async def run(self) -> None:
        try:
            async with self.client, aclosing(self.client.events()) as events:
                async for event in events:
                    self.events.append(event)
        except Exception as error:
            self.error = error

    @property
    def statuses(self) -> list[Status]:
        return [event for event in self.events if isinstance(event, Status)]

    @property
    def reasons(self) -> list[str]:
        return [status.reason for status in self.statuses if not status.online]

    @property
    def texts(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Arrival)]

    @property
    def news(self) -> list[tuple[Room, Price | ProfileUpdate]]:
        return [news for event in self.events if isinstance(event, Arrival) for news in event.news]

    @property
    def prices(self) -> list[Price]:
        return [news for _, news in self.news if isinstance(news, Price)]


@asynccontextmanager
async def watching(
    url: str,
    *rooms: Room | str,
    key: str = "test",
    timing: Timing = QUICK,
    patient: bool = True,
    rng: random.Random | None = None,
) -> AsyncIterator[Watch]:
    """Run a client beside the test; a patient one takes no refusal of its key for an end."""
    client = UpstreamClient(
        key, rooms=rooms, url=url, timing=timing, give_up_on_refusal=not patient, rng=rng
    )
    watch = Watch(client)
    task = asyncio.ensure_future(watch.run())
    try:
        yield watch
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Vendor:
    """A server that does what its test says: ``conduct`` serves each connection."""

    def __init__(self, conduct: Callable[[Vendor], Awaitable[None]]) -> None:
        self._conduct = conduct
        self.socket: Any = None
        self.heard: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.url = ""

    async def say(self, *messages: Any) -> None:
        """Send each as one frame; text as it is."""
        for message in messages:
            await self.socket.send(message if isinstance(message, str) else json.dumps(message))

    async def listen(self) -> None:
        """Take in what the client says, until it goes."""
        with suppress(ConnectionClosed):
            async for text in self.socket:
                self.heard.append(json.loads(text))

    async def serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        self.paths.append(socket.request.path)
        self.socket = socket
        await self._conduct(self)

    def joins(self) -> list[str]:
        return [one["symbol"] for one in self.heard if one["type"] == "join_symbol"]


@asynccontextmanager
async def vendor(conduct: Callable[[Vendor], Awaitable[None]]) -> AsyncIterator[Vendor]:
    server = Vendor(conduct)
    silent = logging.Logger("vendor")  # noqa: LOG001 - it would tell the key that it hears
    silent.disabled = True
    async with serve(server.serve, "127.0.0.1", 0, logger=silent) as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        server.url = f"ws://127.0.0.1:{port}/ws"
        yield server


async def welcoming(server: Vendor) -> None:
    await server.say({"type": "welcome"})
    await server.listen()


def price(symbol: str = "FX:EURUSD", timeframe: str = "1D", c: float = 1.5) -> dict[str, Any]:
    prices = {"mode": "candle", "t": 60, "o": c, "h": c, "l": c, "c": c}
    return {"type": "price", "symbol": symbol, "timeframe": timeframe, "prices": prices}


def joins(simulator: Simulator, connection: int = 0) -> list[Room]:
    """Rooms that clients asked for, in order; of one connection or of all."""
    return [
        Room.parse(one.message.symbol, one.message.timeframe)
        for one in simulator.received
        if isinstance(one.message, Join) and connection in (0, one.connection)
    ]


# -- the short way, as the module's own example


async def test_prices_of_the_rooms_come_one_by_one(simulator: Simulator) -> None:
    async with UpstreamClient("test", rooms=["FX:EURUSD"], url=simulator.url) as client:
        heard = [(price.symbol, price.mode) async for price in first(client, 1)]

    assert heard == [("FX:EURUSD", "initial")]


async def first(client: UpstreamClient, count: int) -> AsyncIterator[Price]:
    async for price in client:
        yield price
        count -= 1
        if not count:
            return


async def test_leaving_the_client_hangs_up(simulator: Simulator) -> None:
    async with UpstreamClient("test", rooms=["FX:EURUSD"], url=simulator.url) as client:
        async for _ in client:
            break
        assert simulator.connections == 1

    await eventually(lambda: simulator.connections == 0)


async def test_the_goodbye_at_a_clean_end_tells_of_no_error() -> None:
    async with vendor(welcoming) as server:
        async with watching(server.url) as watch:
            await eventually(lambda: watch.statuses)

        await eventually(lambda: server.socket.close_code == 1000)


async def test_a_client_that_was_never_iterated_is_left_in_peace() -> None:
    async with UpstreamClient("test"):
        pass


# -- joins


async def test_nothing_is_joined_before_the_welcome() -> None:
    async def late(server: Vendor) -> None:
        listening = asyncio.ensure_future(server.listen())
        await server.say({"type": "ping"})
        await eventually(lambda: server.heard)
        assert [one["type"] for one in server.heard] == ["pong"]
        await server.say({"type": "welcome"})
        await listening

    async with vendor(late) as server, watching(server.url, EURUSD) as watch:
        await eventually(server.joins)

        assert server.joins() == ["FX:EURUSD"]
        assert watch.statuses == [Status(online=True)]


async def test_a_slow_welcome_is_waited_for() -> None:
    simulator = Simulator(RandomWalk(rate=0), faults=Faults(welcome_after=0.1))
    async with simulator, watching(simulator.url, EURUSD) as watch:
        await eventually(lambda: simulator.joined)

        assert watch.statuses == [Status(online=True)]
        assert counts().get("upstream_lost") is None


async def test_a_welcome_that_never_comes_is_waited_for_no_longer_than_said() -> None:
    simulator = Simulator(RandomWalk(rate=0), faults=Faults(welcome_after=1e9))
    timing = replace(QUICK, welcome=0.05)
    async with simulator, watching(simulator.url, EURUSD, timing=timing) as watch:
        await eventually(lambda: watch.reasons)

        assert watch.reasons[0].endswith("sent no welcome in 0.05 s")
        simulator.faults = Faults()
        await eventually(lambda: simulator.joined)


async def test_a_server_that_does_not_answer_is_left_and_tried_again() -> None:
    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silence, "127.0.0.1", 0)
    url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, watching(url, timing=replace(QUICK, welcome=0.05)) as watch:
        await eventually(lambda: len(watch.reasons) >= 2)

        assert watch.reasons[0].endswith("did not answer in 0.05 s")


async def test_rooms_are_joined_in_the_order_in_which_they_are_wanted(
    simulator: Simulator,
) -> None:
    rooms = [Room("FX:USDJPY", "1D"), Room("BINANCE:BTCUSDT", "60"), Room("FX:EURUSD", "1D")]
    async with watching(simulator.url, *rooms):
        await eventually(lambda: len(simulator.joined) == 3)

        assert joins(simulator) == rooms


async def test_what_is_wanted_can_change_at_any_time(simulator: Simulator) -> None:
    async with watching(simulator.url, EURUSD) as watch:
        await eventually(lambda: EURUSD in watch.client.joined)

        watch.client.want([USDJPY, "BINANCE:BTCUSDT_60"])

        wanted = {USDJPY, Room("BINANCE:BTCUSDT", "60")}
        await eventually(lambda: watch.client.joined == watch.client.wanted == wanted)
        assert set(simulator.joined) == wanted
        left = [one.message for one in simulator.received if isinstance(one.message, Leave)]
        assert left == [Leave(symbol="FX:EURUSD", timeframe="1D")]


def test_a_wanted_room_must_be_one() -> None:
    with pytest.raises(BadSymbol, match="eurusd"):
        UpstreamClient("test", rooms=["eurusd"])


async def test_all_wanted_rooms_are_joined_again_after_every_reconnect(
    simulator: Simulator,
) -> None:
    rooms = [Room(f"FX:PAIR{n}", "1D") for n in range(20)]
    async with watching(simulator.url, *rooms) as watch:
        for connection in (1, 2, 3):
            await eventually(lambda n=connection: len(joins(simulator, n)) == len(rooms))
            await eventually(lambda: watch.client.joined == set(rooms))

            assert joins(simulator, connection) == rooms
            assert await simulator.drop_all() == 1


async def test_a_set_rebuilt_from_bare_confirmations_would_lose_rooms(
    simulator: Simulator,
) -> None:
    """The same ticker on two exchanges and in two timeframes: a confirmation's symbol is one."""
    rooms = {
        Room("BINANCE:BTCUSDT", "1D"),
        Room("BINANCE:BTCUSDT", "60"),
        Room("OKX:BTCUSDT", "1D"),
    }
    async with watching(simulator.url, *rooms) as watch:
        await eventually(lambda: watch.client.joined == rooms)
        confirmed = {
            message["symbol"]
            for message in map(json.loads, watch.texts)
            if message.get("short") == "joined_room"
        }
        assert confirmed == {"BTCUSDT"}

        await simulator.drop_all()

        await eventually(lambda: set(simulator.joined) == rooms)
        await eventually(lambda: watch.client.joined == rooms)
        assert watch.client.wanted == rooms


async def test_joins_are_sent_no_faster_than_agreed_also_after_a_reconnect(
    simulator: Simulator,
) -> None:
    rooms = [Room(f"FX:PAIR{n}", "1D") for n in range(10)]
    began = time.monotonic()
    async with watching(simulator.url, *rooms, timing=replace(QUICK, joins_per_second=100)):
        for _ in range(2):
            await eventually(lambda: len(simulator.joined) == len(rooms))
            await simulator.drop_all()

    # A bound from below: a slow machine cannot break it.
    assert time.monotonic() - began >= (2 * len(rooms) - 1) / 100


def test_joins_are_50_a_second_and_pauses_as_the_manual_says_unless_told_otherwise() -> None:
    timing = Timing()

    assert timing.joins_per_second == 50
    assert timing.heartbeat == 25
    assert (timing.refused_first, timing.retry_first, timing.retry_cap) == (60, 1, 60)


async def test_a_join_without_an_answer_is_sent_again_ever_more_rarely_and_counted() -> None:
    timing = replace(QUICK, confirm=0.02)
    async with vendor(welcoming) as server, watching(server.url, EURUSD, timing=timing) as watch:
        began = time.monotonic()
        await eventually(lambda: len(server.joins()) == 4)

        # 1, 2 and 4 times what the first waits for.
        assert time.monotonic() - began >= 7 * 0.02 - 0.02
        assert counts()["upstream_join_retries"] >= 3
        assert not watch.client.joined

        await server.say(price())
        await eventually(lambda: watch.client.joined == {EURUSD})


async def test_a_confirmation_ends_the_asking_and_so_does_a_price(simulator: Simulator) -> None:
    async with watching(
        simulator.url, EURUSD, USDJPY, timing=replace(QUICK, confirm=0.02)
    ) as watch:
        await eventually(lambda: len(watch.client.joined) == 2)
        asked = watch.client._subscriptions.next_at()

        assert asked is None


async def test_many_joins_sent_again_are_all_counted() -> None:
    timing = replace(QUICK, confirm=0.02, joins_per_second=1e9)
    rooms = [Room(f"FX:PAIR{n}", "1D") for n in range(8)]
    async with vendor(welcoming) as server, watching(server.url, *rooms, timing=timing) as watch:
        await eventually(lambda: len(server.joins()) >= 16)

        assert counts()["upstream_join_retries"] == watch.client._subscriptions.retries


# -- heartbeat


async def test_a_json_ping_goes_out_at_every_beat(simulator: Simulator) -> None:
    async with watching(simulator.url, timing=replace(QUICK, heartbeat=0.02)):
        await eventually(lambda: len(pings(simulator)) >= 3)

    assert abs((pings(simulator)[0].timestamp or 0) / 1000 - time.time()) < 60


def pings(simulator: Simulator) -> list[Ping]:
    return [one.message for one in simulator.received if isinstance(one.message, Ping)]


async def test_the_heart_beats_beside_the_joins() -> None:
    """Joins that are due all the time hold no beat back."""
    simulator = Simulator(RandomWalk(rate=0), faults=Faults(pong=False))
    rooms = [Room(f"FX:PAIR{n}", "1D") for n in range(20)]
    timing = replace(QUICK, heartbeat=0.02, joins_per_second=100)
    async with simulator, watching(simulator.url, *rooms, timing=timing):
        await eventually(lambda: len(simulator.joined) == len(rooms))

    kinds = [type(one.message) for one in simulator.received]
    assert kinds.index(Ping) < len(kinds) - 1 - kinds[::-1].index(Join)


async def test_a_ping_is_answered_with_the_clients_time() -> None:
    simulator = Simulator(RandomWalk(rate=0), faults=Faults(ping_seconds=0.01))
    async with simulator, watching(simulator.url):
        await eventually(lambda: len(pongs(simulator)) >= 2)

    assert abs((pongs(simulator)[0].timestamp or 0) / 1000 - time.time()) < 60


def pongs(simulator: Simulator) -> list[Pong]:
    return [one.message for one in simulator.received if isinstance(one.message, Pong)]


# -- losing the connection


class Dice(random.Random):
    """Dice that always show the lowest number, and tell what was asked of them."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[float, float]] = []

    def uniform(self, a: float, b: float) -> float:
        self.asked.append((a, b))
        return a


async def test_it_tries_for_ever_with_full_jitter_below_a_ceiling_that_doubles_to_a_cap() -> None:
    port, dice = free_port(), Dice()
    url = f"ws://127.0.0.1:{port}"
    async with watching(url, EURUSD, timing=replace(Timing(), welcome=5), rng=dice) as watch:
        await eventually(lambda: len(dice.asked) >= 30)

        assert dice.asked[:8] == [(0, b) for b in (1, 2, 4, 8, 16, 32, 60, 60)]
        assert set(dice.asked[6:]) == {(0, 60)}
        assert watch.reasons[0].startswith(f"cannot reach 127.0.0.1:{port}: ")
        async with Simulator(RandomWalk(rate=0), port=port) as simulator:
            await eventually(lambda: simulator.joined)
            assert watch.statuses[-1] == Status(online=True)


async def test_a_connection_that_held_for_a_while_makes_the_next_retry_a_first_one(
    simulator: Simulator,
) -> None:
    dice = Dice()
    timing = replace(Timing(), settled=0.0, joins_per_second=10_000)
    async with watching(simulator.url, EURUSD, timing=timing, rng=dice):
        for tries in range(1, 4):
            await eventually(lambda: simulator.joined)
            await simulator.drop_all()
            await eventually(lambda tries=tries: len(dice.asked) >= tries)

    assert set(dice.asked) == {(0, 1)}


async def test_a_lost_connection_is_told_and_counted(
    simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    async with watching(simulator.url, EURUSD) as watch:
        await eventually(lambda: simulator.joined)
        await simulator.drop_all()
        await eventually(lambda: len(watch.statuses) == 3)

    place = simulator.url.removeprefix("ws://")
    lost = Status(online=False, reason=f"{place} closed the connection with code 1006")
    assert watch.statuses == [Status(online=True), lost, Status(online=True)]
    assert counts()["upstream_lost"] == 1
    assert f"upstream lost reason={lost.reason} retry_in=" in caplog.text


async def test_the_close_code_of_the_vendor_is_told() -> None:
    async def goodbye(server: Vendor) -> None:
        await server.say({"type": "welcome"})
        await server.socket.close(1013)

    async with vendor(goodbye) as server, watching(server.url) as watch:
        await eventually(lambda: watch.reasons)

        assert watch.reasons[0].endswith("closed the connection with code 1013")


async def test_other_statuses_than_a_refusal_are_tried_again() -> None:
    simulator = Simulator(
        RandomWalk(rate=0), faults=Faults(refusal="http", http_status=503), accepted_keys=set()
    )
    async with simulator, watching(simulator.url, patient=False) as watch:
        await eventually(lambda: len(watch.reasons) >= 2)

        assert watch.reasons[0].endswith("answered with HTTP 503")
        assert watch.error is None


async def test_a_server_that_speaks_no_websocket_is_told_as_such() -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH\r\n")
        writer.close()

    server = await asyncio.start_server(nonsense, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, watching(f"ws://127.0.0.1:{port}") as watch:
        await eventually(lambda: watch.reasons)

        assert watch.reasons[0].startswith(f"cannot reach 127.0.0.1:{port}: ")


# -- refused keys

REFUSALS = {
    "message": (Faults(refusal="message"), "Invalid access_key"),
    "close": (Faults(refusal="close", close_code=4003), "close code 4003"),
    "http 401": (Faults(refusal="http", http_status=401), "HTTP 401"),
    "http 403": (Faults(refusal="http", http_status=403), "HTTP 403"),
}


@pytest.mark.parametrize("how", REFUSALS)
async def test_a_key_that_is_refused_at_once_is_an_error(how: str) -> None:
    faults, reason = REFUSALS[how]
    async with Simulator(RandomWalk(rate=0), faults=faults) as simulator:
        client = UpstreamClient(BAD_KEY, url=simulator.url)
        with pytest.raises(KeyRefused, match="refused FCS_API_KEY") as caught:
            async with client, aclosing(client.events()) as events:
                async for _ in events:
                    pass

    assert reason in str(caught.value)


@pytest.mark.parametrize("how", REFUSALS)
async def test_a_key_that_was_welcome_once_is_tried_again_ever_more_rarely(
    how: str, caplog: pytest.LogCaptureFixture
) -> None:
    keys = {"test"}
    timing = replace(QUICK, refused_first=0.1, refused_cap=0.2)
    simulator = Simulator(RandomWalk(rate=0), faults=REFUSALS[how][0], accepted_keys=keys)
    async with simulator, watching(simulator.url, EURUSD, timing=timing, patient=False) as watch:
        await eventually(lambda: simulator.joined)
        keys.clear()
        await simulator.drop_all()
        await eventually(lambda: len(watch.reasons) >= 4)
        keys.add("test")
        await eventually(lambda: simulator.joined)

    assert watch.error is None
    refused = [line for line in caplog.messages if "refused FCS_API_KEY" in line]
    assert [line.rpartition("retry_in=")[2] for line in refused[:3]] == ["0.1", "0.2", "0.2"]


async def test_where_nobody_waits_for_an_end_the_key_is_tried_again_from_the_first() -> None:
    keys: set[str] = set()
    simulator = Simulator(RandomWalk(rate=0), accepted_keys=keys)
    timing = replace(QUICK, refused_first=0.01)
    async with simulator, watching(simulator.url, EURUSD, timing=timing) as watch:
        await eventually(lambda: len(watch.reasons) >= 2)
        keys.add("test")
        await eventually(lambda: simulator.joined)

        assert watch.error is None


async def test_a_close_code_of_a_refusal_means_none_after_the_welcome() -> None:
    async def goodbye(server: Vendor) -> None:
        await server.say({"type": "welcome"})
        await server.socket.close(4001)

    async with vendor(goodbye) as server, watching(server.url, patient=False) as watch:
        await eventually(lambda: len(watch.reasons) >= 2)

        assert watch.reasons[0].endswith("closed the connection with code 4001")


# -- what comes in


async def test_frames_can_be_arrays() -> None:
    simulator = Simulator(RandomWalk(rate=0), faults=Faults(arrays=True))
    async with simulator, watching(simulator.url, EURUSD) as watch:
        await eventually(lambda: watch.prices)

        assert [news.symbol for _, news in watch.news] == ["FX:EURUSD"] * 2
        assert watch.client.joined == {EURUSD}
        assert watch.texts[0].startswith("[")


async def test_malformed_frames_are_counted_and_survived() -> None:
    simulator = Simulator(RandomWalk(rate=0), faults=Faults(malformed_every=1))
    async with simulator, watching(simulator.url, EURUSD) as watch:
        await eventually(lambda: watch.prices)
        before = len(watch.prices)
        await simulator.push("FX:EURUSD", "1D", c=1.5)
        await eventually(lambda: len(watch.prices) > before)

        assert watch.reasons == []
        assert counts()["upstream_malformed"] >= 4


async def test_a_flood_of_malformed_frames_is_no_flood_of_lines(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def babble(server: Vendor) -> None:
        await server.say({"type": "welcome"}, *["?"] * 100)
        await server.listen()

    async with vendor(babble) as server, watching(server.url) as watch:
        await eventually(lambda: counts().get("upstream_malformed") == 100)

        assert len(watch.texts) == 101
    assert sum("malformed frame ignored size=1" in line for line in caplog.messages) == 7


async def test_bytes_and_what_no_message_explains_are_survived() -> None:
    async def odd(server: Vendor) -> None:
        await server.say({"type": "welcome"}, {"type": "surprise"}, {"type": "pong"})
        await server.say({"type": "message", "short": "maintenance", "message": "soon"})
        await server.socket.send(json.dumps(price()).encode())
        await server.socket.send(b"\xff")
        await server.say(price("EURUSD"), price(timeframe="7"), price(c=2.5))
        await server.listen()

    async with vendor(odd) as server, watching(server.url, EURUSD) as watch:
        await eventually(lambda: len(watch.prices) == 2)

        assert [one.c for one in watch.prices] == [1.5, 2.5]
        assert counts()["upstream_malformed"] == 3


async def test_an_error_of_the_vendor_is_logged_and_no_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    simulator = Simulator(RandomWalk(rate=0), faults=Faults(unknown=("FX:NO*",)))
    async with simulator, watching(simulator.url, "FX:NOPE", EURUSD) as watch:
        await eventually(lambda: watch.prices)

        assert watch.reasons == []
        assert watch.client.joined == {EURUSD}
    assert "upstream error short=unknown_symbol message=no such symbol" in caplog.text


async def test_prices_count_for_the_room_whatever_the_spelling_of_its_timeframe() -> None:
    async with vendor(welcoming) as server, watching(server.url, "FX:EURUSD_60") as watch:
        await eventually(server.joins)
        await server.say(price(timeframe="1h"))
        await eventually(lambda: watch.news)

        assert watch.news[0][0] == Room("FX:EURUSD", "60")


async def test_late_prices_of_left_rooms_are_ignored() -> None:
    async with vendor(welcoming) as server, watching(server.url, EURUSD, USDJPY) as watch:
        await eventually(lambda: len(server.joins()) == 2)
        watch.client.want([USDJPY])
        await server.say(price("FX:EURUSD"), price("FX:USDJPY"))
        await eventually(lambda: watch.news)

        assert [room for room, _ in watch.news] == [USDJPY]
        assert watch.client.joined == {USDJPY}
        # A recording still gets every frame.
        assert json.loads(watch.texts[1])["symbol"] == "FX:EURUSD"


async def test_an_arrival_tells_when_and_what_word_for_word() -> None:
    async with vendor(welcoming) as server, watching(server.url, EURUSD) as watch:
        await eventually(server.joins)
        text = json.dumps(price(), indent=1)
        await server.say(text)
        await eventually(lambda: watch.news)

    arrival = watch.events[-1]
    assert isinstance(arrival, Arrival)
    assert arrival.text == text
    assert abs(arrival.at - time.time()) < 60


# -- addresses


async def test_the_key_goes_into_the_address_whatever_is_in_it_already() -> None:
    key = "a key/with+odd&signs=1"
    async with vendor(welcoming) as server:
        url = f"{server.url}?plan=pro&empty=#top"
        async with watching(url, key=key) as watch:
            await eventually(lambda: watch.statuses)

    path = urlsplit(server.paths[0])
    assert path.path == "/ws"
    query = parse_qs(path.query, keep_blank_values=True)
    assert query == {"plan": ["pro"], "empty": [""], "access_key": [key]}


@pytest.mark.parametrize(
    "url",
    [
        "",
        "fcsapi.com/ws",
        "https://fcsapi.com/ws",
        "wss://",
        "ws://[::1",
        "ws://127.0.0.1:99999",
        "ws://127.0.0.1:0",
        "ws://127.0.0.1:port",
    ],
)
def test_what_is_no_socket_address_is_told_and_what_to_write(url: str) -> None:
    with pytest.raises(ConfigurationError, match="FCS_URL .* such as wss://") as caught:
        UpstreamClient("secret", url=f"{url}?access_key=secret" if url else url)

    assert "secret" not in str(caught.value)


def test_an_empty_key_is_told_by_the_name_of_its_setting() -> None:
    with pytest.raises(ConfigurationError, match="FCS_API_KEY is empty"):
        UpstreamClient("")


# -- the key is nowhere

SECRET = "sec/ret+key&="


def told(text: str) -> bool:
    """Whether a text tells the key, as it is or as an address has it."""
    return SECRET in text or quote_plus(SECRET) in text


async def test_the_key_is_in_no_repr(simulator: Simulator) -> None:
    async with watching(simulator.url, EURUSD, key=SECRET) as watch:
        await eventually(lambda: watch.prices)

        assert repr(watch.client) == (
            f"<UpstreamClient {simulator.url.removeprefix('ws://')} wanted=1 joined=1>"
        )
        assert not told(repr(watch.events))


def test_a_password_in_the_address_is_in_no_repr_either() -> None:
    client = UpstreamClient(SECRET, url="wss://me:password@fcsapi.com/ws")

    assert repr(client) == "<UpstreamClient fcsapi.com wanted=0 joined=0>"


@pytest.mark.parametrize("how", REFUSALS)
async def test_the_key_is_in_no_log_and_no_error(
    how: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    keys = {SECRET}
    simulator = Simulator(RandomWalk(rate=0), faults=REFUSALS[how][0], accepted_keys=keys)
    async with simulator:
        async with watching(simulator.url, EURUSD, key=SECRET) as watch:
            await eventually(lambda: watch.prices)
            await simulator.drop_all()
            await eventually(lambda: len(watch.statuses) >= 3)
        keys.clear()
        async with watching(simulator.url, key=SECRET, patient=False) as watch:
            await eventually(lambda: watch.error)
    async with watching(simulator.url, key=SECRET) as cut_off:
        await eventually(lambda: cut_off.reasons)

    assert watch.error is not None
    assert not told("".join(traceback.format_exception(watch.error)))
    assert not told(repr(watch.error.__cause__))
    assert not told("".join(watch.reasons + cut_off.reasons))
    assert "upstream welcomed" in caplog.text
    assert not told(caplog.text)


async def test_a_vendor_that_repeats_the_key_is_cut_short(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """In an error, in a refusal, and in what is recorded of either."""
    caplog.set_level(logging.DEBUG)

    async def echo(server: Vendor) -> None:
        await server.say({"type": "welcome"})
        await server.say({"type": "error", "short": "plan", "msg": f"upgrade {SECRET}"})
        await server.say({"type": "message", "message": f"?access_key={quote_plus(SECRET)}"})
        refusal = {"type": "error", "short": "authentication_failed", "message": f"{SECRET}!"}
        await server.say(refusal)
        await server.listen()

    async with vendor(echo) as server, watching(server.url, key=SECRET) as watch:
        await eventually(lambda: watch.reasons)

        assert watch.reasons[0].endswith("refused FCS_API_KEY: [key]!")
        assert "message=upgrade [key]" in caplog.text
        assert [text.count("[key]") for text in watch.texts] == [0, 1, 1]
        assert not told(caplog.text + repr(watch.events))


async def test_a_redirection_that_names_the_key_is_cut_short() -> None:
    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        place = f"ftp://elsewhere/?access_key={quote_plus(SECRET)}"
        writer.write(f"HTTP/1.1 302 Found\r\nLocation: {place}\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(elsewhere, "127.0.0.1", 0)
    url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, watching(url, key=SECRET) as watch:
        await eventually(lambda: watch.reasons)

        assert not told(watch.reasons[0])

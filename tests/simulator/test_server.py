"""The simulator as its clients see it, over real sockets."""

from __future__ import annotations

import asyncio
import logging

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from django_fcs.exceptions import BadSymbol
from django_fcs.protocol import Join, Ping, Pong, RemoveAll
from django_fcs.rooms import Room
from django_fcs.simulator import RandomWalk, Simulator
from tests.simulator.fcs_client import SECRET, Client, client_of, still
from tests.support.waiting import eventually

pytestmark = pytest.mark.versions

EURUSD = Room("FX:EURUSD", "1D")


# -- joining


async def test_a_join_is_confirmed_and_told_the_price_as_in_the_vendors_sample() -> None:
    async with still() as simulator, client_of(simulator) as client:
        await client.join("BINANCE:BTCUSDT")

        assert await client.hear() == {
            "type": "message",
            "success": True,
            "message": "Successfully joined room: BINANCE:BTCUSDT_1D_0s",
            "room": "BINANCE:BTCUSDT_1D_0s",
            "symbol": "BTCUSDT",
            "timeframe": "1D",
            "short": "joined_room",
        }
        profile, initial = await client.hear(), await client.hear()
        assert profile["prices"] == {
            "mode": "profile",
            "profile": {
                "current_session": "market",
                "timezone": "Etc/UTC",
                "pro_name": "BINANCE:BTCUSDT",
                "update_mode": "streaming",
            },
        }
        assert (initial["symbol"], initial["timeframe"]) == ("BINANCE:BTCUSDT", "1D")
        assert list(initial["prices"]) == ["mode", "t", "o", "h", "l", "c", "v"]
        assert await client.settle() == []


async def test_then_candles_and_quotes_flow() -> None:
    async with Simulator(RandomWalk(rate=200)) as simulator, client_of(simulator) as client:
        await client.join()

        candle = (await client.price("candle"))["prices"]
        quote = (await client.price("askbid"))["prices"]

        assert list(candle) == ["mode", "t", "o", "h", "l", "c", "v", "a", "b"]
        assert list(quote) == ["mode", "update", "c", "a", "b", "t"]


@pytest.mark.parametrize("spelling", ["60", "1h", "1H", "60m", 60])
async def test_timeframes_are_echoed_as_joined(spelling: str | int) -> None:
    async with still() as simulator, client_of(simulator) as client:
        await client.join(timeframe=spelling)

        confirmation, profile, initial = [await client.hear() for _ in range(3)]

        assert confirmation["room"] == f"FX:EURUSD_{spelling}_0s"
        heard = {frame["timeframe"] for frame in (confirmation, profile, initial)}
        assert heard == {str(spelling)}
        assert simulator.rooms == {Room("FX:EURUSD", "60"): 1}


async def test_a_minute_is_no_month() -> None:
    async with still() as simulator, client_of(simulator) as client:
        await client.join(timeframe="1m")
        await client.join(timeframe="1M")
        await client.settle()

        assert set(simulator.rooms) == {Room("FX:EURUSD", "1"), Room("FX:EURUSD", "1M")}


async def test_a_join_too_many_is_confirmed_again_and_counts_once() -> None:
    async with still() as simulator, client_of(simulator) as client:
        for _ in range(2):
            await client.join()

        kinds = [frame["type"] for frame in await client.settle()]

        assert kinds == ["message", "price", "price"] * 2
        assert simulator.rooms == {EURUSD: 1}
        await simulator.push("FX:EURUSD", "1D", c=1.5)
        assert len(await client.settle()) == 1


async def test_joined_counts_the_clients_of_each_room() -> None:
    async with still() as simulator, client_of(simulator) as one, client_of(simulator) as two:
        await one.join()
        await two.join()
        await two.join("FX:USDJPY")
        await one.settle()
        await two.settle()

        assert simulator.connections == 2
        assert simulator.rooms == {EURUSD: 2, Room("FX:USDJPY", "1D"): 1}

        await two.socket.close()
        await eventually(lambda: simulator.rooms == {EURUSD: 1})
        assert simulator.connections == 1


async def test_a_test_can_wait_until_a_room_is_joined() -> None:
    async with still() as simulator:
        with pytest.raises(TimeoutError, match="nobody joined FX:EURUSD_1D in 0.01 s"):
            await simulator.joined("FX:EURUSD", "1D", seconds=0.01)
        with pytest.raises(BadSymbol):
            await simulator.joined("eurusd")

        waiting = [asyncio.create_task(simulator.joined("FX:EURUSD", "1d")) for _ in range(2)]
        async with client_of(simulator) as client:
            await client.join()
            await asyncio.gather(*waiting)
            await simulator.joined("FX:EURUSD")

            assert simulator.rooms == {EURUSD: 1}


async def test_a_left_room_is_silent_and_leaving_twice_is_harmless() -> None:
    async with still() as simulator, client_of(simulator) as client:
        await client.join(timeframe="1h")
        await client.join("FX:USDJPY")
        for _ in range(2):
            await client.say("leave_symbol", symbol="FX:EURUSD", timeframe="60")
        await client.say("leave_symbol", symbol="nonsense", timeframe="x")
        await client.settle()

        assert set(simulator.rooms) == {Room("FX:USDJPY", "1D")}
        assert await simulator.push("FX:EURUSD", "60", c=1.5) == 0
        assert await simulator.push("FX:USDJPY", "1D", c=150.0) == 1


async def test_remove_all_leaves_every_room() -> None:
    async with still() as simulator, client_of(simulator) as client:
        await client.join()
        await client.join("FX:USDJPY")
        await client.say("remove_all")
        await client.settle()

        assert not simulator.rooms


@pytest.mark.parametrize(
    ("symbol", "timeframe"),
    [("EURUSD", "1D"), ("fx:eurusd", "1D"), ("FX:EURUSD", "2h"), ("FX:EURUSD", ""), ("", "1D")],
)
async def test_what_names_no_room_is_refused(symbol: str, timeframe: str) -> None:
    async with still() as simulator, client_of(simulator) as client:
        await client.join(symbol, timeframe)

        [refusal] = await client.settle()

        assert (refusal["type"], refusal["short"]) == ("error", "unknown_symbol")
        assert not simulator.rooms


async def test_what_is_no_message_is_refused_and_the_connection_goes_on() -> None:
    async with still() as simulator, client_of(simulator) as client:
        for text in ("not JSON", "5", '{"type":5}'):
            await client.socket.send(text)
            assert (await client.hear())["short"] == "bad_message"
        await client.say("whatever")

        assert await client.settle() == []


async def test_everything_clients_say_is_remembered_with_its_time() -> None:
    async with Simulator(RandomWalk(rate=0), clock=lambda: 1766577600.5) as simulator:
        async with client_of(simulator) as one, client_of(simulator) as two:
            await one.join()
            await one.settle()
            await two.say("remove_all")
            await two.settle()

        assert [tuple(received) for received in simulator.received] == [
            (1766577600.5, 1, Join(symbol="FX:EURUSD", timeframe="1D")),
            (1766577600.5, 1, Ping(timestamp=1)),
            (1766577600.5, 2, RemoveAll()),
            (1766577600.5, 2, Ping(timestamp=1)),
        ]


# -- pushing


async def test_a_pushed_price_is_a_whole_candle_around_the_last_one() -> None:
    async with still() as simulator, client_of(simulator) as client:
        await client.join()
        initial = (await client.price("initial"))["prices"]

        assert await simulator.push("FX:EURUSD", "1D", c=9.0, a=9.1) == 1

        assert (await client.price())["prices"] == {
            **initial,
            **{"mode": "candle", "c": 9.0, "h": 9.0, "a": 9.1},
        }


async def test_a_pushed_quote_carries_no_candle() -> None:
    async with still() as simulator, client_of(simulator) as client:
        await client.join()
        initial = (await client.price("initial"))["prices"]

        await simulator.push("FX:EURUSD", "1D", mode="askbid", a=2.0, b=1.0, update=5)

        assert (await client.price())["prices"] == {
            **{"mode": "askbid", "a": 2.0, "b": 1.0, "update": 5},
            **{"t": initial["t"], "c": initial["c"]},
        }


# -- the connection


async def test_a_clients_ping_is_answered_with_the_servers_time() -> None:
    simulator = Simulator(RandomWalk(rate=0), clock=lambda: 1766577600.5)
    async with simulator, client_of(simulator) as client:
        await client.say("ping", timestamp=1)

        assert await client.hear() == {"type": "pong", "timestamp": 1766577600500}


async def test_a_clients_ping_can_go_unanswered() -> None:
    async with still(pong=False) as simulator, client_of(simulator) as client:
        await client.say("ping", timestamp=1)
        await client.join()

        assert (await client.hear())["type"] == "message"


async def test_the_server_pings_too() -> None:
    async with still(ping_seconds=0.01) as simulator, client_of(simulator) as client:
        for _ in range(2):
            ping = await client.hear()
            assert ping["type"] == "ping"
            await client.say("pong", timestamp=ping["timestamp"])

        await eventually(lambda: any(isinstance(r.message, Pong) for r in simulator.received))


@pytest.mark.parametrize("key", ["", "bad_key"])
@pytest.mark.parametrize(("refusal", "code"), [("message", 1000), ("close", 4001)])
async def test_a_bad_key_is_refused_after_the_handshake(key: str, refusal: str, code: int) -> None:
    async with still(refusal=refusal) as simulator:
        async with client_of(simulator, key=key, welcomed=False) as client:
            if refusal == "message":
                error = await client.hear()
                assert (error["type"], error["short"]) == ("error", "authentication_failed")
            assert await client.close_code() == code
        assert simulator.connections == 0


async def test_a_bad_key_can_be_refused_by_the_handshake() -> None:
    async with still(refusal="http", http_status=403) as simulator:
        with pytest.raises(InvalidStatus) as caught:
            async with client_of(simulator, key="bad_key"):
                pass
        assert caught.value.response.status_code == 403

        async with client_of(simulator):
            assert simulator.connections == 1


async def test_the_accepted_keys_can_be_listed() -> None:
    async with Simulator(RandomWalk(rate=0), accepted_keys={"good"}) as simulator:
        async with client_of(simulator, key="good"):
            pass
        async with client_of(simulator, key="other", welcomed=False) as client:
            assert (await client.hear())["short"] == "authentication_failed"


async def test_the_key_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    websockets_clients = logging.getLogger("websockets.client")
    websockets_clients.disabled = True  # This test's own client tells its key.
    try:
        async with still(refusal="http") as simulator, client_of(simulator) as client:
            await client.join()
            await client.settle()
    finally:
        websockets_clients.disabled = False

    assert "joined room=FX:EURUSD_1D" in caplog.text
    assert SECRET not in caplog.text


async def test_a_cut_is_no_goodbye_and_the_rooms_are_left() -> None:
    async with still() as simulator, client_of(simulator) as one, client_of(simulator) as two:
        await one.join()
        await one.settle()

        assert await simulator.drop_all() == 2

        assert (await one.close_code(), await two.close_code()) == (1006, 1006)
        assert simulator.connections == 0
        assert not simulator.rooms
        async with client_of(simulator):
            assert simulator.connections == 1


async def test_the_end_of_the_simulator_is_a_goodbye() -> None:
    async with still() as simulator:
        opened = connect(f"{simulator.url}/?access_key=x")
        client = Client(await opened)

    assert await client.close_code() == 1001


async def test_a_taken_port_is_an_error() -> None:
    async with still() as simulator:
        port = int(simulator.url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            async with Simulator(RandomWalk(), port=port):
                pass

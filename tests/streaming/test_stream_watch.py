"""What a stream does about rooms and a vendor that fall mute, and what it knows of hours."""

from __future__ import annotations

import pytest

from django_fcs.prices.states import Expectation
from django_fcs.prices.store import MemoryStore
from django_fcs.protocol import Leave
from django_fcs.rooms import Room
from django_fcs.simulator import Faults, RandomWalk, Simulator
from django_fcs.streaming.stream import Stream
from django_fcs.streaming.watchdog import GRACE_SECONDS
from django_fcs.tools.metrics import counts
from tests.streaming.streams import Clock, listening, streaming
from tests.support.upstreams import joins
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("clean_loop")

BTC, ETH = Room("BINANCE:BTCUSDT", "1D"), Room("BINANCE:ETHUSDT", "1D")
EURUSD = Room("FX:EURUSD", "1D")

#: A Friday at 17:00 in New York, when currencies close.
FRIDAY = 1_763_762_400.0

#: What a new room is given, and what a feed is.
FIRST = 202.5
LIMIT = 120


async def pushed(stream: Stream, simulator: Simulator, room: Room) -> None:
    before = stream.status.updates
    await simulator.push(room.symbol, room.timeframe, c=1.5)
    await eventually(lambda: stream.status.updates > before)


async def looked(stream: Stream) -> None:
    """Wait until the stream has looked at its rooms again."""
    looks, look = 0, stream._term.rooms.look

    def counting(*args: object) -> object:
        nonlocal looks
        looks += 1
        return look(*args)  # type: ignore[arg-type]

    stream._term.rooms.look = counting  # type: ignore[method-assign]
    await eventually(lambda: looks >= 2)
    del stream._term.rooms.look


def leaves(simulator: Simulator) -> list[str]:
    return [one.message.symbol for one in simulator.received if isinstance(one.message, Leave)]


async def test_a_mute_room_is_left_and_joined_again_while_others_flow(
    simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    simulator.faults = Faults(silent=("BINANCE:ETHUSDT",))
    async with streaming(simulator, BTC, ETH, clock=clock) as stream:
        await eventually(lambda: stream.status.joined == 2)
        await looked(stream)
        # The others flow at every look, also at one in the midst of these lines.
        for step in [FIRST / 5] * 5 + [1, GRACE_SECONDS]:
            assert leaves(simulator) == []
            await pushed(stream, simulator, BTC)
            clock.now += step
            await looked(stream)
        await eventually(lambda: joins(simulator).count(ETH) == 2)

        assert leaves(simulator) == ["BINANCE:ETHUSDT"]
        assert counts()["upstream_rejoins"] == 1
        assert "upstream_stalled" not in counts()
        assert simulator.connections == 1
        assert "silent rooms, rejoining rooms=1 first=BINANCE:ETHUSDT_1D" in caplog.text


async def test_a_mute_feed_is_connected_anew_and_says_so(
    simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    async with streaming(simulator, BTC, clock=clock) as stream:
        await eventually(lambda: stream.status.joined == 1)
        await looked(stream)
        clock.now += FIRST + 1
        await eventually(lambda: counts().get("upstream_stalled") == 1)
        await eventually(lambda: joins(simulator).count(BTC) == 2)
        await eventually(lambda: stream.status.joined == 1)
        await looked(stream)
        clock.now += LIMIT - 1
        await looked(stream)

        assert counts()["upstream_stalled"] == 1
        assert leaves(simulator) == []
    assert "no price came though 1 rooms were due one" in caplog.text


async def test_nobody_does_anything_about_a_closed_market(simulator: Simulator) -> None:
    """Two weeks of it, by hours and by the vendor's word."""
    clock = Clock()
    simulator.faults = Faults(closed=True)
    async with streaming(simulator, BTC, EURUSD, clock=clock) as stream:
        await eventually(lambda: stream.status.updates == 2)
        clock.now = FRIDAY
        for _ in range(40):
            clock.now += 3600
            await looked(stream)

        assert simulator.connections == 1
        assert len(joins(simulator)) == 2
    assert not counts().keys() & {"upstream_stalled", "upstream_rejoins"}


async def test_hubs_and_store_hear_of_it_when_a_market_closes_though_nothing_comes() -> None:
    clock, store = Clock(), MemoryStore()
    clock.now = FRIDAY - 60
    async with (
        Simulator(RandomWalk(rate=0), clock=clock) as simulator,
        listening() as hub,
        streaming(simulator, EURUSD, clock=clock, store=store) as stream,
    ):
        await eventually(lambda: stream.status.updates)
        await pushed(stream, simulator, EURUSD)
        await eventually(lambda: hub.notices and not hub.notices[-1].expected.closed)
        clock.now += 60
        await eventually(lambda: hub.notices[-1].expected.closed)
        expected = hub.notices[-1].expected
        await eventually(lambda: store.load([EURUSD])[0][EURUSD].expected == expected)

    assert expected == Expectation(True, FIRST, clock.now, clock.now + 48 * 3600)

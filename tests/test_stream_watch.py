"""What a stream knows of hours."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import pytest

from django_fcs import stream as module
from django_fcs.rooms import Room
from django_fcs.sessions import Markets
from django_fcs.simulator import Simulator
from django_fcs.states import Expectation
from django_fcs.store import MemoryStore
from django_fcs.stream import Stream
from django_fcs.tasks import running
from django_fcs.upstream import UpstreamClient
from tests.streams import Clock, listening, streaming
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("clean_loop", "quick_stream")

EURUSD = Room("FX:EURUSD", "1D")

#: What a new room is given.
FIRST = 202.5


async def pushed(stream: Stream, simulator: Simulator, room: Room) -> None:
    before = stream.status.updates
    await simulator.push(room.symbol, room.timeframe, c=1.5)
    await eventually(lambda: stream.status.updates > before)


async def test_hubs_and_store_hear_of_it_when_a_market_closes_though_nothing_comes(
    simulator: Simulator,
) -> None:
    clock, store = Clock(), MemoryStore()
    clock.now = 1_763_762_340.0  # a minute before
    async with listening() as hub, streaming(simulator, EURUSD, clock=clock, store=store) as stream:
        await eventually(lambda: stream.status.updates)
        await pushed(stream, simulator, EURUSD)
        await eventually(lambda: hub.news and not hub.news[-1].expected.closed)
        clock.now += 60
        await eventually(lambda: hub.news[-1].expected.closed)
        expected = hub.news[-1].expected
        await eventually(lambda: store.load([EURUSD])[0][EURUSD].expected == expected)

    assert expected == Expectation(True, FIRST, clock.now, clock.now + 48 * 3600)


class Reading(Markets):
    """Markets whose calendars take as long to read as the test says."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[list[str], str]] = []
        self.may_go_on = threading.Event()

    def load(self, calendars: Iterable[str], now: float) -> None:
        self.asked.append((list(calendars), threading.current_thread().name))
        self.may_go_on.wait(5)
        super().load([], now)
        for name in self.asked[-1][0]:
            self._exchanges[name].loaded_at = now


async def test_calendars_are_read_beside_the_loop_one_by_one_and_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "HOURS_SECONDS", 0.005)
    markets, clock = Reading(), Clock()
    rooms = [Room(symbol, "1D") for symbol in ("NASDAQ:AAPL", "NYSE:IBM", "LSE:BP", "FX:EURUSD")]
    for room in rooms:
        markets.hours(room.symbol)
    client = UpstreamClient("test", url="ws://127.0.0.1:9", rooms=rooms)
    stream = Stream(client, MemoryStore(), rooms=rooms, markets=markets, clock=clock)
    async with client, running(stream.run()):
        await eventually(lambda: markets.asked)
        assert len(markets.asked) == 1
        markets.may_go_on.set()
        await eventually(lambda: len(markets.asked) == 2)
        clock.now += 8 * 86400
        await eventually(lambda: len(markets.asked) == 4)

    assert [names for names, _ in markets.asked] == [["XLON"], ["XNYS"]] * 2
    assert threading.main_thread().name not in {thread for _, thread in markets.asked}

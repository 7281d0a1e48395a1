"""History and feed are joined without a hole or a double, in one process and over Redis.

The market's own times are written down here, so nothing is computed as the code computes it.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from django.test import override_settings

from django_fcs.candles import Candles, aget_candles
from django_fcs.candles.answers import Answer, RefusalKind, Refused
from django_fcs.candles.bars import Bar
from django_fcs.candles.reading import candle_store
from django_fcs.prices.sessions import Markets
from django_fcs.protocol import Price
from django_fcs.rooms import Room
from tests.candles.making import at
from tests.candles.test_holes import (
    AUTUMN,
    CHRISTMAS,
    HOURS_OF_AUTUMN,
    HOURS_OF_SPRING,
    MONTHS,
    MONTHS_OF_FOREX,
    NASDAQ_DAYS,
    NASDAQ_HOURS,
    SPRING,
    nasdaq,
)
from tests.support.network import free_port
from tests.support.redis import redis_server
from tests.support.waiting import eventually

from .historians import Scene, plan, working

__all__ = ["plan"]

MINUTE = 60
NOON = at("2026-03-05 12:00")
PEPE = Room("BINANCE:PEPEUSDT", "1")

WEEKS = [
    ("FX:EURUSD", "1D", SPRING),
    ("FX:EURUSD", "1D", AUTUMN),
    ("FX:EURUSD", "60", HOURS_OF_SPRING),
    ("FX:EURUSD", "60", HOURS_OF_AUTUMN),
    ("FX:EURUSD", "1D", CHRISTMAS),
    ("FX:EURUSD", "1M", MONTHS_OF_FOREX),
    ("BINANCE:BTCUSDT", "1M", MONTHS),
    ("NASDAQ:AAPL", "1D", NASDAQ_DAYS),
    ("NASDAQ:AAPL", "60", NASDAQ_HOURS),
]
NAMES = [
    *("days of spring", "days of autumn", "hours of spring", "hours of autumn", "holidays"),
    *("months of currencies", "months", "half a day", "hours of half a day"),
]


@pytest.fixture(params=["embedded", "redis"], autouse=True)
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """Where the site keeps candles."""
    if request.param == "embedded":
        yield request.param
        return
    request.getfixturevalue("needs_redis")
    port = free_port()
    address = f"redis://127.0.0.1:{port}"
    layer = {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [f"{address}/0"]},
    }
    cache = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": f"{address}/1"}
    async with redis_server(port, tmp_path):
        with override_settings(CHANNEL_LAYERS={"default": layer}, CACHES={"default": cache}):
            yield request.param


class Joining(Scene):
    """A room of a site whose vendor has exactly the bars that a test gives it."""

    def __init__(self, room: Room, bars: list[Bar], *, now: float) -> None:
        super().__init__(candle_store())  # type: ignore[arg-type]
        self.now = now
        self.room = room
        self.bars = bars
        self.most = 10_000
        """How many bars an answer has at most."""
        self.overlap = 0
        """How many bars more than asked for it has, later ones."""
        self.vendor.history = self._history  # type: ignore[method-assign]
        markets = Markets()
        markets.learn("XNYS", nasdaq(), now)
        self.histories._markets = self.historian._markets = markets

    def _history(
        self, room: Room, *, length: int, start: int | None = None, end: int | None = None
    ) -> Answer:
        self.vendor.asked.append((room, length, start, end))
        if self.vendor.refusals and len(self.vendor.asked) > 1:
            raise self.vendor.refusals.pop(0)
        count = sum(bar.t <= (self.now if end is None else end) for bar in self.bars)
        page = self.bars[:count][-min(length, self.most) :]
        late = self.bars[count : count + self.overlap]
        bars = [bar for bar in page if bar.t >= (start or 0)] + late
        return Answer(bars[::-1], dropped=0, credits=None, server_time=None)

    def live(self, bar: Bar) -> None:
        """A candle of the socket."""
        history, snapshot = self.histories.get(self.room), self.snapshots[self.room]
        assert history is not None
        if snapshot.t is not None and bar.t > snapshot.t:
            self.histories.end_candle(history, self.now)
        values = dict(zip("tohlcv", bar, strict=True))
        room = {"symbol": self.room.symbol, "timeframe": self.room.timeframe}
        snapshot.merge(Price(mode="candle", **room, **values))  # type: ignore[arg-type]

    async def fetched(self, limit: int = 300) -> Candles:
        """Let somebody ask for candles, and return what the site then has."""
        told = len(self.heard)
        self.wish(self.room, limit=limit)
        await self.told(told + 1)
        await self.historian.save(self.histories, at_once=True)
        return await aget_candles(self.room, limit=limit)


def bar(t: int, close: float = 1.25, v: float | None = 7.0) -> Bar:
    return Bar(t, 1.2, 1.4, 1.1, close, v)


def minutes(count: int) -> list[Bar]:
    """Return bars of minutes, the last of which opens at noon."""
    return [bar(NOON - MINUTE * number, 1.2 + number / 10_000) for number in range(count)][::-1]


def bars_of(candles: Candles) -> list[Bar]:
    return [Bar(*candle[:6]) for candle in candles]


@pytest.mark.parametrize(("symbol", "timeframe", "times"), WEEKS, ids=NAMES)
async def test_candles_are_those_of_the_vendor_and_nothing_is_missing_between_them(
    symbol: str, timeframe: str, times: list[int]
) -> None:
    bars = [bar(t, 1.2 + number / 1000) for number, t in enumerate(times)]
    scene = Joining(Room(symbol, timeframe), bars, now=times[-1] + 60.0)
    async with working(scene):
        found = await scene.fetched()

    assert bars_of(found) == bars
    assert found.missing == () and not found.note
    assert [candle.final for candle in found] == [True] * (len(bars) - 1) + [False]


async def test_a_symbol_that_was_silent_for_two_hours_has_no_candle_and_no_hole_there() -> None:
    quiet = [bar for bar in minutes(300) if not NOON - 9000 <= bar.t < NOON - 1800]
    scene = Joining(Room("FX:EURUSD", "1"), quiet, now=NOON + 30.0)
    async with working(scene):
        found = await scene.fetched(180)

    assert bars_of(found) == quiet and found.missing == ()


async def test_a_live_candle_counts_for_more_than_the_row_of_its_time_until_it_has_ended() -> None:
    bars = minutes(100)
    scene = Joining(Room("FX:EURUSD", "1"), bars, now=NOON + 30.0)
    scene.join(scene.room)
    scene.live(bar(NOON, 1.3777))
    async with working(scene):
        found = await scene.fetched(100)
        assert bars_of(found) == [*bars[:-1], bar(NOON, 1.3777)] and not found[-1].final

        ended = [bar(NOON, 1.3555), *(bar(NOON + MINUTE * n, 1.3) for n in range(1, 5))]
        scene.bars = [*bars[:-1], *ended, bar(NOON + 5 * MINUTE, 1.2)]
        scene.histories.part(scene.now)  # The path breaks within the candle.
        scene.now += 5 * MINUTE
        scene.histories.look([scene.room], scene.now)
        scene.live(bar(NOON + 5 * MINUTE, 1.3777))
        await scene.historian.save(scene.histories, at_once=True)
        await eventually(lambda: any(note.start is not None for note in scene.notes[1:]))
        found = await aget_candles(scene.room, limit=104)

    assert bars_of(found) == [*bars[1:-1], *ended, bar(NOON + 5 * MINUTE, 1.3777)]
    assert found.missing == () and found.repaired
    assert [candle.final for candle in found[-2:]] == [True, False]


async def test_history_that_is_one_candle_behind_the_feed_loses_neither() -> None:
    bars = minutes(100)
    scene = Joining(Room("FX:EURUSD", "1"), bars[:-1], now=NOON + 30.0)
    scene.join(scene.room)
    scene.live(bar(NOON, 1.3777))
    async with working(scene):
        found = await scene.fetched(99)
        assert bars_of(found) == [*bars[1:-1], bar(NOON, 1.3777)]
        assert [candle.final for candle in found[-2:]] == [True, False]
        scene.now += MINUTE
        scene.histories.look([scene.room], scene.now)
        scene.live(bar(NOON + MINUTE, 1.3))
        await scene.historian.save(scene.histories, at_once=True)
        found = await aget_candles(scene.room, limit=3)

    assert bars_of(found)[-2:] == [bar(NOON, 1.3777), bar(NOON + MINUTE, 1.3)]
    assert found[-2].final and found.missing == ()


async def test_pages_that_overlap_give_each_candle_once() -> None:
    bars = minutes(1000)
    scene = Joining(Room("FX:EURUSD", "1"), bars, now=NOON + 30.0)
    scene.most, scene.overlap = 100, 30
    async with working(scene):
        found = await scene.fetched(350)

    assert bars_of(found) == bars[-350:] and found.missing == ()
    assert len(scene.vendor.asked) == 4


async def test_after_a_429_midway_the_rest_is_fetched_and_nothing_twice() -> None:
    bars = minutes(1000)
    scene = Joining(Room("FX:EURUSD", "1"), bars, now=NOON + 30.0)
    scene.most = 100
    scene.vendor.refusals = [Refused(RefusalKind.RATE, "429", retry_after=40.0)]
    async with working(scene):
        part = await scene.fetched(250)
        assert bars_of(part) == bars[-100:] and part.more
        assert "wait until" in scene.heard[-1].note
        scene.now += 41
        await scene.rest()
        found = await aget_candles(scene.room, limit=250)

    assert bars_of(found) == bars[-250:] and found.missing == ()
    assert [end for *_, end in scene.vendor.asked[1:3]] == 2 * [bars[-100].t - 1]


async def test_a_price_of_0_00000123_comes_as_it_was_sent() -> None:
    tiny = [Bar(NOON - MINUTE, 0.00000123, 0.00000124, 0.00000122, 0.00000123, 1e12)]
    scene = Joining(PEPE, [*tiny, tiny[0]._replace(t=NOON)], now=NOON + 30.0)
    async with working(scene):
        found = await scene.fetched()

    assert bars_of(found)[:1] == tiny
    text = json.dumps(found.as_dict())
    assert json.loads(text)["candles"][0] == list(tiny[0])

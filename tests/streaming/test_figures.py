"""What a stream tells of itself: gauges, durations, and a report once a second."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, cast

import pytest
from django.test import override_settings

from django_fcs.candles.answers import Answer, RefusalKind, Refused
from django_fcs.candles.ledger import Account
from django_fcs.candles.rest import RestClient
from django_fcs.candles.stores import MemoryCandles
from django_fcs.prices.reports import Report
from django_fcs.prices.store import MemoryStore
from django_fcs.rooms import Room
from django_fcs.simulator import Simulator
from django_fcs.streaming.stream import Stream
from django_fcs.tools import metrics
from django_fcs.tools.metrics import counts, distributions, gauges
from tests.streaming.streams import EURUSD, NOW, USDJPY, Clock, joined, listening, streaming
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("clean_loop")


def report_of(store: MemoryStore) -> Report:
    _, report = store.report()
    assert report is not None
    return report


async def test_a_stream_is_measured_while_it_runs(simulator: Simulator) -> None:
    clock = Clock()
    async with streaming(simulator, EURUSD, USDJPY, clock=clock):
        await joined(simulator, EURUSD, USDJPY)
        await eventually(lambda: gauges().get("stream_rooms_joined") == 2)
        await eventually(lambda: "stream_last_tick_timestamp_seconds" in gauges())

        assert gauges() == {
            "stream_last_tick_timestamp_seconds": clock.now,
            "stream_leader": 1,
            "stream_online": 1,
            "stream_rooms_joined": 2,
            "stream_rooms_rendered": 0,
            "stream_rooms_wanted": 2,
            "stream_rooms_with_history": 0,
        }

    assert gauges() == {}
    assert not metrics._readers


class Vendor:
    """The vendor's history, which is empty, and which counts two credits or refuses a request."""

    refusal: Refused | None = None

    def history(self, room: Room, **asked: Any) -> Answer:
        if self.refusal is not None:
            raise self.refusal
        return Answer([], dropped=0, credits=2, server_time=None)


@override_settings(FCS_REST_CREDITS_PER_MONTH=500)
async def test_a_leader_tells_what_it_may_still_ask_of_the_history(simulator: Simulator) -> None:
    month = f"{datetime.fromtimestamp(NOW, timezone.utc):%Y-%m}"
    candles, store, vendor = MemoryCandles(), MemoryStore(), Vendor()
    await candles.asave_account(Account(month, 88, (), 0.0, "", 1))
    rest = cast(RestClient, vendor)
    async with (
        listening() as hub,
        streaming(simulator, EURUSD, USDJPY, store=store, candles=candles, rest=rest) as stream,
    ):
        await eventually(lambda: stream.status.credits_left == 412)
        assert (stream.status.histories, stream.status.is_rest_closed) == (0, False)
        await hub.wishes(EURUSD, 100)
        await eventually(lambda: gauges()["stream_rest_credits_left"] == 410)
        assert gauges()["stream_rest_closed"] == 0
        vendor.refusal = Refused(RefusalKind.PLAN, "no history in this plan")
        await hub.wishes(USDJPY, 100)
        await eventually(lambda: gauges()["stream_rest_closed"] == 1)

        assert gauges()["stream_rooms_with_history"] == 2
        await eventually(lambda: report_of(store).histories == 2)


async def test_a_stream_that_is_no_leader_tells_nothing_of_history(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest = cast(RestClient, Vendor())
    async with streaming(simulator, EURUSD, rest=rest) as stream:
        await eventually(lambda: stream.status.credits_left is not None)
        monkeypatch.setattr(Stream, "is_leader", False, raising=False)

        assert stream.status.credits_left is None and stream.status.is_rest_closed is None
        assert not gauges().keys() & {"stream_rest_closed", "stream_rest_credits_left"}


async def test_price_frames_are_counted(simulator: Simulator) -> None:
    async with streaming(simulator, EURUSD) as stream:
        await joined(simulator, EURUSD)
        for close in (1.5, 1.6):
            await simulator.push("FX:EURUSD", "1D", c=close)
        await eventually(lambda: stream.status.updates >= 3)

        assert counts()["stream_updates"] == stream.status.updates


async def test_what_leads_is_told_where_somebody_knows(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stream, "is_leader", True, raising=False)
    store = MemoryStore()
    async with streaming(simulator, EURUSD, store=store):
        await eventually(lambda: gauges().get("stream_leader") == 1)
        await eventually(lambda: store.report()[1])
        assert report_of(store).leader is True


async def test_how_old_a_tick_was_is_sampled_where_the_feed_says_it(simulator: Simulator) -> None:
    clock = Clock()
    async with streaming(simulator, EURUSD, clock=clock) as stream:
        await eventually(lambda: stream.status.updates)
        assert distributions() == {}
        await simulator.push("FX:EURUSD", "1D", mode="askbid", a=1.6, b=1.5, update=clock.now - 2)
        await eventually(lambda: distributions())

        [(key, taken)] = distributions().items()
        assert key == ("feed_lag_seconds", "")
        assert taken.sum == pytest.approx(2)


async def test_a_time_that_is_none_is_no_sample(simulator: Simulator) -> None:
    clock = Clock()
    clock.now = 1_800_000_000.0
    async with streaming(simulator, EURUSD, clock=clock) as stream:
        await eventually(lambda: stream.status.updates)
        await simulator.push("FX:EURUSD", "1D", mode="askbid", a=1.6, b=1.5, update=0)
        await eventually(lambda: stream.status.updates == 2)

        assert distributions() == {}


async def test_a_report_says_what_is_wanted_and_how_much_flows(simulator: Simulator) -> None:
    store, clock = MemoryStore(), Clock()
    async with streaming(simulator, USDJPY, EURUSD, store=store, clock=clock) as stream:
        await joined(simulator, EURUSD, USDJPY)
        await eventually(lambda: store.report()[1] and report_of(store).joined == 2)
        report = report_of(store)
        assert report.rooms == ("FX:EURUSD_1D", "FX:USDJPY_1D")
        assert (report.at, report.epoch, report.leader) == (clock.now, clock.now * 1000, True)
        updates = stream.status.updates
        clock.now += 2
        for number in range(4):
            await simulator.push("FX:EURUSD", "1D", c=1.5 + number)
        await eventually(lambda: report_of(store).updates_per_second == 2)
        assert report_of(store).counts["stream_updates"] == updates + 4
        assert report_of(store).last_at == clock.now

"""How a hub is measured: sockets, mailboxes, and how long prices take through it."""

from __future__ import annotations

import asyncio

import pytest

from django_fcs.prices.paths import PathReport
from django_fcs.prices.store import LastValue, MemoryStore
from django_fcs.tools import metrics
from django_fcs.tools.metrics import distributions, gauges
from tests.support.hubs import EURUSD, USDJPY, Clock, browsing, fake_stream, hub_of, joined, update
from tests.support.waiting import eventually


def lags(protocol: str) -> int:
    taken = distributions().get(("browser_lag_seconds", protocol))
    return sum(taken.buckets) if taken else 0


async def test_a_hub_is_measured_while_it_works_and_leaves_nothing_behind() -> None:
    async with hub_of() as hub:
        assert gauges() == {}
        async with browsing(hub) as one, browsing(hub, merge=True) as other, browsing(hub):
            hub.join(one.one, EURUSD, "1D")
            hub.join(other.one, USDJPY, "1D")
            await eventually(lambda: "hub_sockets" in gauges())
            read = gauges()
            assert (read["hub_sockets"], read["hub_rooms"], read["hub_cohorts"]) == (3, 2, 1)
            assert read["hub_addresses"] == 0
            async with browsing(hub, address="192.0.2.1"), browsing(hub, address="192.0.2.1"):
                assert gauges()["hub_addresses"] == 1
        await eventually(lambda: gauges()["hub_sockets"] == 0)

    assert gauges() == {}
    assert not metrics._readers


async def test_what_a_browser_does_not_read_is_counted() -> None:
    async with fake_stream() as stream, hub_of() as hub, browsing(hub) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await joined()
        browser.reads.clear()
        for seq in range(1, 4):
            await stream.price(seq=seq)
        # One is under way, the newest waits.
        await eventually(lambda: gauges()["hub_mailbox_messages"] == 1)
        assert gauges()["hub_mailbox_messages_max"] == 1
        browser.reads.set()
        await eventually(lambda: gauges()["hub_mailbox_messages"] == 0)


async def test_what_waits_for_the_turn_of_a_cohort_is_counted() -> None:
    async with (
        fake_stream() as stream,
        hub_of() as hub,
        browsing(hub, merge=True, rate=0.1) as browser,
    ):
        hub.join(browser.one, EURUSD, "1D")
        await joined()
        await eventually(lambda: browser.states == ["waiting"])
        await stream.price(seq=1)
        # The price, and that the room is live.
        await eventually(lambda: gauges()["hub_mailbox_messages"] == 2)
        assert gauges()["hub_mailbox_messages_max"] == 2


async def test_a_hub_knows_after_the_first_beat_whether_the_vendor_is_heard() -> None:
    clock = Clock()
    async with fake_stream() as stream, hub_of(clock=clock) as hub, browsing(hub) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await joined()
        assert "hub_online" not in gauges()
        await stream.beat()
        await eventually(lambda: gauges().get("hub_online") == 1)
        await stream.beat(online=False)
        await eventually(lambda: gauges()["hub_online"] == 0)
        await stream.beat()
        await eventually(lambda: gauges()["hub_online"] == 1)
        clock.now += 11
        assert gauges()["hub_online"] == 0


async def test_a_price_that_went_out_is_a_sample_of_the_lag() -> None:
    clock = Clock()
    async with fake_stream() as stream, hub_of(clock=clock) as hub, browsing(hub) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await joined()
        await stream.price(seq=1)
        await eventually(lambda: browser.seqs == [1])
        assert lags("v4") == 0
        clock.now += 0.2
        await stream.price(seq=2)
        await eventually(lambda: lags("v4") == 1)

    assert distributions()["browser_lag_seconds", "v4"].sum == pytest.approx(0.2)
    assert lags("merge") == 0


async def test_one_frame_for_many_browsers_is_one_sample() -> None:
    clock = Clock()
    async with fake_stream() as stream, hub_of(clock=clock) as hub:
        async with browsing(hub, merge=True) as one, browsing(hub, merge=True) as other:
            for browser in (one, other):
                hub.join(browser.one, EURUSD, "1D")
            await joined()
            await stream.price(seq=1)
            await eventually(lambda: one.seqs == other.seqs == [1])
            assert lags("merge") == 0
            await eventually(lambda: gauges()["hub_cohorts"] == 1)
            clock.now += 0.2
            await stream.price(seq=2)
            await eventually(lambda: one.seqs == other.seqs == [1, 2])

    assert lags("merge") == 1
    assert distributions()["browser_lag_seconds", "merge"].sum == pytest.approx(0.2)
    assert lags("v4") == 0


@pytest.mark.parametrize("merge", [True, False])
async def test_what_a_late_joiner_is_shown_is_no_sample_however_old(merge: bool) -> None:
    store, clock = MemoryStore(), Clock()
    store.save({EURUSD: LastValue(update(seq=1, at=10).text)}, PathReport(999, True, ""))
    async with fake_stream() as stream, hub_of(store, clock=clock) as hub:
        async with browsing(hub, merge=merge) as first:
            hub.join(first.one, EURUSD, "1D")
            await eventually(lambda: first.seqs == [1])
            async with browsing(hub, merge=merge) as second:
                hub.join(second.one, EURUSD, "1D")
                await eventually(lambda: second.seqs == [1])
                await stream.beat()
                await eventually(lambda: gauges().get("hub_online") == 1)

    await asyncio.sleep(0)
    assert distributions() == {}

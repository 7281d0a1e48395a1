"""One process's fan-out: what browsers get, and what the stream is told."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from channels.layers import get_channel_layer

from django_fcs.fanout import hub as module
from django_fcs.fanout.hub import Hub
from django_fcs.layer.bus import DEMAND, HUBS, Bus
from django_fcs.prices.store import MemoryStore
from django_fcs.rooms import Room
from tests.support.hubs import (
    EURUSD,
    HOURLY,
    QUICK,
    USDJPY,
    Clock,
    browsing,
    fake_stream,
    hub_of,
    joined,
    members,
    profile,
    update,
)
from tests.support.waiting import eventually

pytestmark = [pytest.mark.usefixtures("clean_loop"), pytest.mark.versions]


# -- one member for all


async def test_a_process_is_one_member_of_a_rooms_group_however_many_browsers_it_has() -> None:
    async with hub_of() as hub, fake_stream() as stream, AsyncExitStack() as stack:
        browsers = [await stack.enter_async_context(browsing(hub)) for _ in range(50)]
        for browser in browsers:
            hub.join(browser.one, EURUSD, "1D")
        await joined()
        await stream.price(seq=1)
        await eventually(lambda: all(browser.seqs == [1] for browser in browsers))

        assert members(EURUSD.group) == members(HUBS) == 1


async def test_two_first_joins_that_race_make_one_member() -> None:
    """The second would take the first one's groups away."""

    async def race() -> None:
        hub = Hub.of_this_loop(MemoryStore())
        async with browsing(hub) as browser:
            hub.join(browser.one, EURUSD, "1D")
            await joined()
            done.release()
            await over.wait()
            assert members(HUBS) == members(EURUSD.group) == 1
            assert browser.seqs == [1]

    done, over = asyncio.Semaphore(0), asyncio.Event()
    racing = asyncio.gather(*(race() for _ in range(5)))
    for _ in range(5):
        await done.acquire()
    async with fake_stream() as stream:
        await stream.price(seq=1)
        hub = Hub.of_this_loop(MemoryStore())
        await eventually(lambda: all(room.update for room in hub._watched))
    over.set()
    await asyncio.wait_for(racing, 60)


async def test_500_rooms_on_the_layer_in_memory_lose_nothing() -> None:
    rooms = [Room(f"FX:PAIR{n}", "1D") for n in range(500)]
    seldom = replace(QUICK, look=1)
    async with hub_of(intervals=seldom) as hub, Bus(DEMAND) as bus, browsing(hub) as browser:
        for room in rooms:
            hub.join(browser.one, room, "1D")
        await eventually(lambda: all(members(room.group) == 1 for room in rooms))
        for seq in (1, 2, 3):
            await bus.publish([update(room, seq=seq) for room in rooms])
        await eventually(lambda: browser.seqs.count(3) == 500)

        firsts = [
            one["symbol"] for one in browser.of("price") if one["prices"]["mode"] == "initial"
        ]
        assert sorted(firsts) == sorted(room.symbol for room in rooms)


# -- joining


async def test_the_first_price_is_initial_whatever_it_was_upstream() -> None:
    async with hub_of() as hub, fake_stream() as stream, browsing(hub) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await joined()
        for seq, mode in ((1, "askbid"), (2, "candle"), (3, "askbid")):
            await stream.price(seq=seq, mode=mode)
            await eventually(lambda seq=seq: seq in browser.seqs)

    assert browser.prices == [("initial", "1D", 1), ("candle", "1D", 2), ("askbid", "1D", 3)]


async def test_who_joins_later_is_shown_the_last_price_at_once() -> None:
    async with hub_of() as hub, fake_stream() as stream, browsing(hub) as first:
        hub.join(first.one, EURUSD, "1D")
        await joined()
        await stream.price(seq=1)
        await stream.price(seq=2)
        await eventually(lambda: 2 in first.seqs)
        calls = len(stream.announcements)
        async with browsing(hub) as late:
            hub.join(late.one, EURUSD, "1D")
            await eventually(lambda: late.prices == [("initial", "1D", 2)])
            await stream.price(seq=3)
            await eventually(lambda: late.prices[1:] == [("candle", "1D", 3)])

        assert len(stream.announcements) == calls


async def test_a_second_join_of_the_same_room_is_shown_the_price_again() -> None:
    async with hub_of() as hub, fake_stream() as stream, browsing(hub) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await joined()
        await stream.price(seq=1)
        await eventually(lambda: browser.seqs)
        hub.join(browser.one, EURUSD, "1D")
        await eventually(lambda: browser.prices == [("initial", "1D", 1)] * 2)
        await stream.price(seq=2)
        await eventually(lambda: browser.seqs == [1, 1, 2])


async def test_prices_are_spelled_as_the_browser_joined_and_two_spellings_are_two_joins() -> None:
    async with hub_of() as hub, fake_stream() as stream, browsing(hub) as browser:
        for spelling in ("1h", "60"):
            hub.join(browser.one, HOURLY, spelling)
        await joined(HOURLY)
        for seq in (1, 2):
            await stream.price(HOURLY, seq=seq)
            await eventually(lambda seq=seq: browser.seqs.count(seq) == 2)
        hub.leave(browser.one, HOURLY, "60")
        await stream.price(HOURLY, seq=3)
        await eventually(lambda: 3 in browser.seqs)

    assert [spelling for _, spelling, seq in browser.prices if seq == 3] == ["1h"]
    assert sorted(browser.prices[:4]) == [
        *[("candle", "1h", 2), ("candle", "60", 2)],
        *[("initial", "1h", 1), ("initial", "60", 1)],
    ]


async def test_what_is_not_newer_is_a_repetition() -> None:
    async with hub_of() as hub, fake_stream() as stream, browsing(hub) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await joined()
        for seq in (5, 5, 4, 6):
            await stream.price(seq=seq)
        await eventually(lambda: 6 in browser.seqs)

    assert 4 not in browser.seqs
    assert browser.seqs.count(5) <= 1


async def test_prices_and_notices_of_rooms_that_nobody_joined_are_nothing() -> None:
    async with hub_of() as hub, fake_stream() as stream, browsing(hub) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await joined()
        layer = get_channel_layer()
        await layer.group_send(HUBS, update(USDJPY, seq=1).event())
        call = {"type": "fcs.demand", "hub": "another", "rooms": ["FX:EURUSD_1D"], "new": []}
        await layer.group_send(HUBS, call)
        await stream.notice(USDJPY, profile=profile(USDJPY))
        await stream.price(seq=1)
        await eventually(lambda: browser.seqs)

        assert len(browser.heard) == 1


# -- leaving


async def test_a_room_that_the_last_browser_leaves_is_left_by_the_process() -> None:
    async with hub_of() as hub, fake_stream() as stream, browsing(hub) as one:
        async with browsing(hub) as other:
            for browser in (one, other):
                hub.join(browser.one, EURUSD, "1D")
            hub.join(other.one, USDJPY, "1D")
            await joined(USDJPY)
        await eventually(lambda: members(USDJPY.group) == 0)
        assert members(EURUSD.group) == 1
        await eventually(lambda: stream.announcements[-1].rooms == (EURUSD,))

        hub.leave(one.one, EURUSD, "1D")
        hub.leave(one.one, EURUSD, "1D")
        await eventually(lambda: members(EURUSD.group) == 0)
        await eventually(lambda: stream.announcements[-1].rooms == ())


async def test_a_left_room_is_silent_at_once() -> None:
    async with (
        hub_of() as hub,
        fake_stream() as stream,
        browsing(hub) as stays,
        browsing(hub) as leaves,
    ):
        for browser in (stays, leaves):
            hub.join(browser.one, EURUSD, "1D")
        await joined()
        hub.leave(leaves.one, EURUSD, "1D")
        await stream.price(seq=1)
        await eventually(lambda: stays.seqs)

        assert not leaves.heard


async def test_a_hub_works_on_for_a_while_after_its_last_browser_and_again_for_the_next() -> None:
    clock = Clock()
    async with hub_of(clock=clock) as hub, fake_stream() as stream:
        async with browsing(hub) as browser:
            hub.join(browser.one, EURUSD, "1D")
            await joined()
            await stream.beat()
        clock.now += module.IDLE_SECONDS - 5
        await eventually(lambda: members(EURUSD.group) == 0)
        assert members(HUBS) == 1
        clock.now += 5
        await eventually(lambda: hub._task is not None and hub._task.done())
        assert members(HUBS) == 0

        # An hour without a hub is no hour without a beat.
        clock.now += 3600
        async with browsing(hub, merge=True) as late:
            hub.join(late.one, EURUSD, "1D")
            await joined()
            await stream.price(seq=1)
            await eventually(lambda: late.seqs)
            assert "offline" not in late.states


async def test_sockets_are_counted_by_their_address() -> None:
    async with hub_of() as hub, browsing(hub, address="::1"), browsing(hub, address="10.0.0.1"):
        async with browsing(hub, address="10.0.0.1"):
            assert hub.sockets_from("10.0.0.1") == 2
        assert [hub.sockets_from(one) for one in ("10.0.0.1", "::1", "x")] == [1, 1, 0]


# -- what the stream is told


async def test_the_stream_is_told_of_new_rooms_at_once_and_of_all_again_and_again() -> None:
    clock = Clock()
    async with hub_of(clock=clock) as hub, fake_stream() as stream, browsing(hub) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await eventually(lambda: stream.announcements and stream.announcements[-1].new == (EURUSD,))
        hub.join(browser.one, USDJPY, "1D")
        await eventually(lambda: stream.announcements[-1].new == (USDJPY,))
        assert stream.announcements[-1].rooms == (EURUSD, USDJPY)
        calls = len(stream.announcements)
        clock.now += 5
        await eventually(lambda: len(stream.announcements) == calls + 1)

        assert stream.announcements[-1].rooms == (EURUSD, USDJPY)
        assert stream.announcements[-1].new == ()
        assert len({call.hub for call in stream.announcements}) == 1


async def test_a_new_stream_is_told_of_every_room_as_new() -> None:
    async with hub_of() as hub, fake_stream() as stream, browsing(hub) as browser:
        hub.join(browser.one, EURUSD, "1D")
        hub.join(browser.one, USDJPY, "1D")
        await eventually(lambda: stream.announcements)
        for epoch in (1, 2):
            calls = len(stream.announcements)
            await stream.beat(epoch=epoch)
            await eventually(lambda calls=calls: len(stream.announcements) > calls)
            assert stream.announcements[-1].new == (EURUSD, USDJPY)
        calls = len(stream.announcements)
        await stream.beat(epoch=2)
        hub.leave(browser.one, USDJPY, "1D")
        await eventually(lambda: len(stream.announcements) > calls)

        assert stream.announcements[-1].new == ()


# -- from which addresses rooms are watched


async def test_the_stream_is_told_how_many_addresses_watch_a_room_and_no_address() -> None:
    clock, ann, ben = Clock(), "192.0.2.1", "192.0.2.2"
    async with hub_of(clock=clock) as hub, fake_stream() as stream, AsyncExitStack() as stack:

        async def told() -> list[int]:
            calls = len(stream.announcements)
            clock.now += 5
            await eventually(lambda: len(stream.announcements) > calls)
            call = stream.announcements[-1]
            assert ann not in str(call.event()) and ben not in str(call.event())
            return [len(call.viewers.get(room, ())) for room in (EURUSD, USDJPY)]

        first = await stack.enter_async_context(browsing(hub, address=ann))
        for spelling in ("1D", "D", "1D"):
            hub.join(first.one, EURUSD, spelling)
        tab = await stack.enter_async_context(browsing(hub, address=ann, merge=True))
        hub.join(tab.one, EURUSD, "1D")
        hub.join(tab.one, USDJPY, "1D")
        await eventually(lambda: stream.announcements)
        assert await told() == [1, 1]
        async with browsing(hub, address=ben) as other:
            hub.join(other.one, EURUSD, "1D")
            assert await told() == [2, 1]
        assert await told() == [1, 1]
        hub.leave(first.one, EURUSD, "D")
        hub.leave(tab.one, EURUSD, "1D")
        hub.leave(tab.one, EURUSD, "1D")
        assert await told() == [1, 1]
        hub.leave(first.one, EURUSD, "1D")
        assert await told() == [0, 1]
        assert stream.announcements[-1].rooms == (USDJPY,)
        async with browsing(hub) as unknown:
            hub.join(unknown.one, USDJPY, "1D")
            assert await told() == [0, 0]


async def test_one_address_at_two_processes_is_told_as_one() -> None:
    async with hub_of() as one, hub_of() as two, fake_stream() as stream:
        async with browsing(one, address="::1") as here, browsing(two, address="::1") as there:
            one.join(here.one, EURUSD, "1D")
            two.join(there.one, EURUSD, "1D")
            await eventually(lambda: len({call.hub for call in stream.announcements}) == 2)

    assert len({call.viewers[EURUSD] for call in stream.announcements if call.rooms}) == 1

"""From the vendor to the channel layer, and demand the other way."""

from __future__ import annotations

import json
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.test import override_settings

from django_fcs.layer.bus import DEMAND, Beat
from django_fcs.prices.paths import PathReport
from django_fcs.prices.states import Outage
from django_fcs.prices.store import MemoryStore
from django_fcs.simulator import Faults, Simulator
from django_fcs.streaming.stream import Stream
from django_fcs.tools.metrics import counts
from django_fcs.upstream import UpstreamClient
from tests.streaming.streams import (
    EURUSD,
    GBPUSD,
    HOURLY,
    NOW,
    QUICK,
    USDJPY,
    Clock,
    joined,
    listening,
    streaming,
)
from tests.support.waiting import eventually

#: The epoch of a stream that starts then.
EPOCH = int(NOW * 1000)

pytestmark = [pytest.mark.usefixtures("clean_loop"), pytest.mark.versions]


# -- what is wanted of the vendor


async def test_the_sites_own_rooms_are_joined_whether_or_not_anybody_watches(
    simulator: Simulator,
) -> None:
    async with streaming(simulator, EURUSD, HOURLY):
        await joined(simulator, EURUSD, HOURLY)


async def test_rooms_that_hubs_need_are_joined_and_left_after_a_while(
    simulator: Simulator,
) -> None:
    clock = Clock()
    with override_settings(FCS_LINGER_SECONDS=20):
        async with streaming(simulator, GBPUSD, clock=clock), listening() as hub:
            await joined(simulator, GBPUSD)
            await hub.needs(EURUSD, USDJPY)
            await joined(simulator, GBPUSD, EURUSD, USDJPY)
            clock.now += 10
            await hub.needs(EURUSD)
            clock.now += 5
            await hub.needs(EURUSD)
            clock.now += 14.9
            await hub.needs(EURUSD, HOURLY)
            await joined(simulator, GBPUSD, EURUSD, USDJPY, HOURLY)
            clock.now += 0.1
            await joined(simulator, GBPUSD, EURUSD, HOURLY)


class Forgetful(MemoryStore):
    """A store that a few times does not take what it is given."""

    fails = 0

    async def asave(self, values: Any, *others: Any) -> bool:
        if self.fails and any(value.expected.overdue for value in values.values()):
            self.fails -= 1
            return False
        return await super().asave(values, *others)


async def test_the_rooms_of_a_hub_that_died_run_out_and_the_store_is_told(
    simulator: Simulator,
) -> None:
    store, clock = Forgetful(), Clock()
    async with streaming(simulator, store=store, clock=clock), listening() as hub:
        await hub.needs(EURUSD)
        await eventually(lambda: store.load([EURUSD])[0])
        store.fails = 3
        assert not store.load([EURUSD])[0][EURUSD].expected.overdue
        clock.now += QUICK.demand_ttl + 30
        await joined(simulator)
        await eventually(lambda: store.load([EURUSD])[0][EURUSD].expected.overdue)


@override_settings(FCS_MAX_ROOMS=3)
async def test_where_there_are_too_many_rooms_the_sites_own_come_first_then_the_longest_watched(
    simulator: Simulator,
) -> None:
    clock = Clock()
    async with streaming(simulator, GBPUSD, clock=clock) as stream, listening() as hub:
        await hub.needs(USDJPY)
        await joined(simulator, GBPUSD, USDJPY)
        clock.now += 1
        await hub.needs(EURUSD, USDJPY)
        await joined(simulator, GBPUSD, USDJPY, EURUSD)
        clock.now += 1
        await hub.needs(EURUSD, USDJPY, HOURLY)
        await eventually(lambda: counts().get("stream_rooms_over_limit"))

        assert stream.status.wanted == 3
        assert set(simulator.rooms) == {GBPUSD, USDJPY, EURUSD}
        clock.now += 14
        await hub.needs(EURUSD, HOURLY)
        clock.now += 14
        await hub.needs(EURUSD, HOURLY)
        clock.now += 14
        await hub.needs(EURUSD, HOURLY)
        clock.now += 14
        await hub.needs(EURUSD, HOURLY)
        await joined(simulator, GBPUSD, EURUSD, HOURLY)


# -- what is published


async def test_seq_starts_at_a_thousand_times_the_epoch_and_rises_by_one(
    simulator: Simulator,
) -> None:
    async with listening() as hub, streaming(simulator, EURUSD, USDJPY):
        await hub.needs(EURUSD, USDJPY)
        for count in range(1, 4):
            for symbol in ("FX:EURUSD", "FX:USDJPY"):
                await eventually(
                    lambda s=symbol, n=count: (
                        len([u for u in hub.updates if u.room.symbol == s]) >= n
                    )
                )
                await simulator.push(symbol, "1D", c=1.0 + count)

        assert {update.epoch for update in hub.updates} == {EPOCH}
        for room in (EURUSD, USDJPY):
            seqs = sorted({update.seq for update in hub.updates if update.room == room})
            assert seqs[:3] == [EPOCH * 1000, EPOCH * 1000 + 1, EPOCH * 1000 + 2]


async def test_every_text_carries_all_that_is_known_whatever_its_mode(
    simulator: Simulator,
) -> None:
    async with listening() as hub, streaming(simulator, EURUSD):
        await hub.needs(EURUSD)
        await eventually(lambda: hub.updates)
        t = hub.last()["prices"]["t"]
        await simulator.push("FX:EURUSD", "1D", o=1.5, h=1.75, l=1.25, c=1.625, v=5, a=1.63, b=1.62)
        await eventually(lambda: hub.updates[-1].text.count('"v":5'))
        await simulator.push("FX:EURUSD", "1D", mode="askbid", c=1.75, a=1.76, b=1.74, update=NOW)
        await eventually(lambda: hub.updates[-1].mode == "askbid")

        text = hub.updates[-1].text
        assert text.startswith('{"type":"price","symbol":"FX:EURUSD","timeframe":"1D"')
        assert hub.last()["prices"] == {
            **{"mode": "askbid", "t": t, "o": 1.5, "h": 1.75, "l": 1.25, "c": 1.75, "v": 5},
            **{"a": 1.76, "b": 1.74, "update": NOW},
            **{"ch": 0.25, "chp": 16.6667, "digits": 5},
        }
        assert hub.last()["at"] == NOW


async def test_an_initial_of_the_vendor_goes_out_as_a_candle(simulator: Simulator) -> None:
    async with listening() as hub, streaming(simulator, EURUSD):
        await hub.needs(EURUSD)
        await eventually(lambda: hub.updates)

    assert hub.updates[0].mode == "candle"


async def test_a_late_candle_changes_nothing_and_is_counted(simulator: Simulator) -> None:
    async with listening() as hub, streaming(simulator, EURUSD) as stream:
        await hub.needs(EURUSD)
        await eventually(lambda: hub.updates)
        await simulator.push("FX:EURUSD", "1D", t=int(NOW) - 3 * 86_400, o=1, h=1, l=1, c=1)
        await eventually(lambda: counts().get("stream_late") == 1)
        await simulator.push("FX:EURUSD", "1D", c=1.5)
        await eventually(lambda: hub.last()["prices"]["c"] == 1.5)

        assert stream.status.updates == 3
        assert sorted({update.seq for update in hub.updates}) == [EPOCH * 1000, EPOCH * 1000 + 1]


async def test_a_new_announcement_is_answered_with_the_same_text_again(
    simulator: Simulator,
) -> None:
    async with listening() as hub, streaming(simulator, EURUSD, USDJPY):
        await hub.needs(EURUSD, USDJPY)
        await eventually(lambda: {update.room for update in hub.updates} == {EURUSD, USDJPY})
        await eventually(lambda: {notice.room for notice in hub.notices} == {EURUSD, USDJPY})
        text = hub.updates[-1].text
        async with listening() as late:
            await late.needs(EURUSD, new=[EURUSD, GBPUSD], name="late")
            await eventually(lambda: late.updates and late.notices)

            assert [update.room for update in late.updates] == [EURUSD]
            assert late.updates[0] in hub.updates
            assert late.updates[0].text in [update.text for update in hub.updates]
        assert text in [update.text for update in hub.updates]


async def test_what_a_profile_says_goes_to_the_hubs_alone(simulator: Simulator) -> None:
    simulator.faults = Faults(closed=True)
    async with listening() as hub, streaming(simulator, HOURLY):
        await hub.needs(HOURLY)
        await eventually(lambda: hub.notices)

        notice = hub.notices[-1]
        assert (notice.room, notice.expected.closed) == (HOURLY, True)
        profile = json.loads(notice.profile)
        assert (profile["timeframe"], profile["prices"]["mode"]) == ("60", "profile")
        assert profile["prices"]["profile"]["current_session"] == "out_of_session"
        simulator.faults = Faults()
        await simulator.push("FX:EURUSD", "60", c=1.5)
        await eventually(lambda: hub.notices[-1].expected.closed is False)


async def test_the_hubs_are_told_whether_the_vendor_is_there(simulator: Simulator) -> None:
    async with listening() as hub, streaming(simulator, EURUSD) as stream:
        await eventually(lambda: hub.beats and hub.beats[-1].path.online)
        assert hub.beats[0] == Beat(EPOCH, PathReport(NOW, True, "", Outage(0.0, NOW)))
        await joined(simulator, EURUSD)
        simulator.faults = Faults(welcome_after=1e9)
        await simulator.drop_all()
        await eventually(lambda: not hub.beats[-1].path.online)

        assert hub.beats[-1].path.reason == "no connection to the feed"
        assert not stream.status.online
        assert stream.status.reason.endswith("closed the connection with code 1006")


async def test_a_beat_goes_out_every_three_seconds(simulator: Simulator) -> None:
    clock = Clock()
    async with listening() as hub, streaming(simulator, clock=clock):
        await eventually(lambda: hub.beats and hub.beats[-1].path.online)
        beats = len(hub.beats)
        for step in range(1, 4):
            clock.now += QUICK.beat
            await eventually(lambda n=beats + step: len(hub.beats) == n)

    assert QUICK.beat == 3


async def test_the_status_tells_what_a_person_wants_to_know(simulator: Simulator) -> None:
    before = Stream(UpstreamClient("test"), MemoryStore(), rooms=[EURUSD]).status
    assert (before.is_leader, before.online, before.reason, before.wanted) == (False, False, "", 1)
    assert (before.joined, before.updates, before.last_at) == (0, 0, None)
    async with streaming(simulator, EURUSD) as stream:
        await eventually(lambda: stream.status.updates)

        status = stream.status
        assert (status.is_leader, status.online, status.reason) == (True, True, "")
        assert (status.wanted, status.joined) == (1, 1)
        assert (status.updates, status.last_at) == (1, NOW)


async def test_a_room_that_comes_back_goes_on_with_its_seq(simulator: Simulator) -> None:
    """A hub that kept the old price would take a lower one for a repetition."""
    clock = Clock()
    async with streaming(simulator, clock=clock), listening() as hub:
        await hub.needs(EURUSD)
        await eventually(lambda: hub.updates)
        clock.now += QUICK.demand_ttl + 30
        await joined(simulator)
        await hub.needs(EURUSD)
        await eventually(lambda: hub.updates[-1].seq == EPOCH * 1000 + 1)


async def test_what_hubs_do_not_say_is_nothing_to_a_stream(simulator: Simulator) -> None:
    async with streaming(simulator) as stream, listening() as hub:
        beat = {"type": "fcs.beat", "epoch": 1, "at": 1.0, "online": True, "reason": ""}
        await get_channel_layer().group_send(DEMAND, beat)
        await hub.needs(EURUSD)
        await joined(simulator, EURUSD)

        assert stream.status.wanted == 1

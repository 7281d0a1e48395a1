"""The vendor, or the way to it, fails."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from dataclasses import replace

import pytest

from django_fcs.rooms import Room
from django_fcs.simulator import Faults
from tests.faults.stage import KEY, Stage
from tests.support.waiting import eventually

Staged = Callable[..., Stage]

MANY = tuple(Room(f"BINANCE:COIN{number}USDT", "1D") for number in range(500))

#: Not so long that the leader itself would have noticed, 12 s at most.
HALF_OPEN_SECONDS = 8

UNHEARD = "no data from the feed"

STALE_SECONDS = 5

#: A room of which little is known is given longer.
WARM_SECONDS = 15
STALE_NOTE = f"FCS_STALE_AFTER_SECONDS {STALE_SECONDS}"


async def test_a_reset_connection_is_opened_again(staged: Staged) -> None:
    async with staged() as stage:
        async with stage.fault("Upstream reset") as fault:
            # The first retry may come within milliseconds, before the pages are told. None gets
            # through until they are.
            with stage.upstream.down():
                await eventually(lambda: stage.pages[0].is_showing("offline"))
        assert fault.states == ["offline", "live"]


async def test_a_connection_whose_packets_vanish_is_given_up(staged: Staged) -> None:
    async with staged() as stage:
        async with stage.fault("Upstream half-open (packets vanish)") as fault:
            with stage.upstream.black_hole():
                await eventually(lambda: stage.pages[0].is_showing("offline"), within=60)
        assert fault.states == ["offline", "live"]


async def test_who_leads_anew_behind_a_line_that_was_cut_keeps_nothing_live(
    staged: Staged,
) -> None:
    async with staged() as stage:
        await stage.start_standby()
        note = f"{HALF_OPEN_SECONDS} s later; with a standby"
        name = "Upstream half-open, then leader SIGKILL"
        async with stage.fault(name, note=note) as fault:
            with stage.upstream.black_hole():
                await asyncio.sleep(HALF_OPEN_SECONDS)
                accepted = stage.upstream.accepted
                await stage.stop(stage.streams[0], signal.SIGKILL)
                await eventually(lambda: stage.upstream.accepted > accepted, within=60)
                await eventually(lambda: stage.pages[0].is_showing("offline"), within=60)
        assert fault.states == ["offline", "live"]
        assert fault.changes[0] == ("offline", UNHEARD) or stage.stalls.is_held_up


async def test_a_feed_that_is_connected_but_mute_is_connected_anew(staged: Staged) -> None:
    async with staged(FCS_STALE_AFTER_SECONDS=str(STALE_SECONDS)) as stage:
        await asyncio.sleep(WARM_SECONDS)
        accepted = stage.upstream.accepted
        async with stage.fault("Connected but silent", note=STALE_NOTE) as fault:
            stage.vendor.faults = Faults(silent=("*",))
            # A new connection is what cures it.
            await eventually(lambda: stage.upstream.accepted > accepted, within=60)
            stage.vendor.faults = Faults()
        assert fault.states[0] == "stale" or stage.stalls.is_held_up


async def test_a_room_that_alone_is_mute_is_joined_again(staged: Staged) -> None:
    async with staged(FCS_STALE_AFTER_SECONDS=str(STALE_SECONDS)) as stage:
        await asyncio.sleep(WARM_SECONDS)
        room, accepted = stage.rooms[0], stage.upstream.accepted
        joins = stage.market.joins[room]
        async with stage.fault("One room silent", note=STALE_NOTE) as fault:
            stage.vendor.faults = Faults(silent=(room.symbol,))
            # That it is joined again is what cures it.
            await eventually(lambda: stage.market.joins[room] > joins, within=60)
            stage.vendor.faults = Faults()
        assert fault.states == ["stale", "live"] or stage.stalls.is_held_up
        assert stage.upstream.accepted == accepted or stage.stalls.is_held_up


async def test_a_welcome_that_does_not_come_is_asked_for_again(staged: Staged) -> None:
    async with staged() as stage:
        note = "for 25 s; each attempt waits 10 s"
        async with stage.fault("Slow welcome", note=note) as fault:
            stage.vendor.faults = replace(stage.vendor.faults, welcome_after=20)
            stage.upstream.reset()
            await asyncio.sleep(25)
            stage.vendor.faults = Faults()
        assert fault.states == ["offline", "live"]


REFUSED = "the feed refused access"


@pytest.mark.long
async def test_a_key_that_is_refused_for_a_while_is_tried_again(staged: Staged) -> None:
    async with staged() as stage:
        note = "for 5 s; the next attempt comes 60 s after a refusal"
        async with stage.fault("Refused key", note=note) as fault:
            stage.keys.discard(KEY)
            stage.upstream.reset()
            await eventually(lambda: stage.pages[0].is_showing("offline"), within=60)
            await asyncio.sleep(5)
            stage.keys.add(KEY)
        assert ("offline", REFUSED) in fault.changes


async def test_a_stream_that_is_started_again_joins_500_rooms(staged: Staged) -> None:
    async with staged(rooms=MANY, rate=0.4, FCS_MAX_ROOMS_PER_CLIENT="500") as stage:
        note = "SIGKILL of the only stream, then a new stream starts"
        async with stage.fault("Restart with 500 rooms", note=note):
            await stage.stop(stage.streams[0], signal.SIGKILL)
            await stage.start_stream()
        assert not stage.pages[0].errors


async def test_frames_that_are_no_json_and_arrays_are_survived(staged: Staged) -> None:
    async with staged() as stage:
        accepted = stage.upstream.accepted
        async with stage.fault("Malformed and array frames", note="for 5 s") as fault:
            stage.vendor.faults = Faults(malformed_every=2, arrays=True)
            await asyncio.sleep(5)
            stage.vendor.faults = Faults()
        assert fault.states == [] or stage.stalls.is_held_up
        assert stage.upstream.accepted == accepted or stage.stalls.is_held_up


async def test_a_frame_that_breaks_off_costs_one_connection(staged: Staged) -> None:
    async with staged() as stage:
        accepted = stage.upstream.accepted
        async with stage.fault("Truncated frame"):
            stage.upstream.truncate()
            await eventually(lambda: stage.upstream.accepted > accepted, within=60)


async def test_a_frame_that_is_far_too_long_costs_one_connection(staged: Staged) -> None:
    async with staged() as stage:
        accepted = stage.upstream.accepted
        async with stage.fault("Oversized frame", note="2 MB"):
            await stage.shout("x" * 2_000_000)
            await eventually(lambda: stage.upstream.accepted > accepted, within=60)

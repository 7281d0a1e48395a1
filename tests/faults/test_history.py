"""The vendor's history fails, or those who ask for it: prices go on, and candles come later."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from django_fcs.simulator import Faults
from tests.faults.clocks import WallClock
from tests.faults.histories import MINUTE, REST_KEY, ROOMS, SHOWN, HistoryStage
from tests.faults.stage import Fault
from tests.support.serving import get
from tests.support.waiting import eventually

Staged = Callable[..., HistoryStage]

#: How long the vendor asks to wait: long enough to see that nothing is asked for meanwhile.
RETRY_AFTER = 3

HOUR = 3600.0


@pytest.fixture
def staged(tmp_path: Path) -> Staged:
    def build(**how: Any) -> HistoryStage:
        return HistoryStage(tmp_path, **how)

    return build


def was_unseen(fault: Fault, stage: HistoryStage) -> bool:
    """Tell whether all rooms stayed live."""
    return fault.states == [] or stage.stalls.is_held_up


async def test_a_vendor_that_was_asked_too_often_is_left_alone_for_as_long_as_it_says(
    staged: Staged,
) -> None:
    async with staged() as stage, stage.chart() as chart:
        note = f"with Retry-After {RETRY_AFTER}; candles come after that"
        async with stage.fault("History answers 429", note=note) as fault:
            stage.vendor.faults = Faults(rest_status=429, rest_retry_after=str(RETRY_AFTER))
            assert "wait until" in (await chart.ask())["note"]
            stage.vendor.faults = Faults()
            await chart.until_whole()
            first, second = stage.vendor.asked
        assert was_unseen(fault, stage)
        assert second.at - first.at >= RETRY_AFTER


async def test_an_answer_that_breaks_off_is_thrown_away_and_asked_for_again(
    staged: Staged,
) -> None:
    async with staged() as stage, stage.chart() as chart:
        note = "once; the next attempt comes 5 s later"
        async with stage.fault("History breaks off in an answer", note=note) as fault:
            stage.vendor.faults = Faults(rest_cut="body")
            assert (await chart.ask())["note"]
            spent = stage.account().spent
            stage.vendor.faults = Faults()
            await chart.until_whole()
            assert stage.asked == 2
        assert was_unseen(fault, stage)
        assert stage.account().spent == spent + 1


async def test_a_history_that_hangs_holds_nobody_up(staged: Staged) -> None:
    async with staged() as stage, stage.chart() as chart:
        note = "a page is told after 10 s; candles come once it answers"
        async with stage.fault("History hangs", note=note) as fault:
            stage.vendor.faults = Faults(rest_seconds=600)
            answer = await chart.ask()
            assert answer["note"] and len(answer["candles"]) < SHOWN
            stage.vendor.faults = Faults()
            await chart.until_whole()
            assert stage.asked == 2
        assert was_unseen(fault, stage)


async def test_a_key_that_is_refused_is_not_tried_again_for_an_hour(
    staged: Staged, tmp_path: Path
) -> None:
    clock = WallClock(tmp_path)
    async with staged(clock=clock, vendor_clock=clock) as stage, stage.chart() as chart:
        note = "the next attempt comes an hour later; simulated clock"
        async with stage.fault("History refuses the key", note=note) as fault:
            stage.keys.discard(REST_KEY)
            told = (await chart.ask())["note"]
            assert "wait until" in told and REST_KEY not in told
            async with stage.chart(ROOMS[1]) as other:
                assert (await other.ask())["note"] == told
            assert stage.asked == 1
            stage.keys.add(REST_KEY)
            clock.shift(HOUR + 1)
            await chart.ask()
            await chart.until_whole()
        # When the clocks jump, a price on its way is an hour old until the next one comes.
        assert fault.states[-1:] in ([], ["live"]) or stage.stalls.is_held_up


async def test_who_leads_next_asks_once_more_and_counts_both_requests(staged: Staged) -> None:
    async with staged() as stage, stage.chart() as chart:
        await stage.start_standby()
        async with stage.chart(ROOMS[1]) as other:
            await other.ask()
        name = "Leader SIGKILL while it asks for history"
        async with stage.fault(name, note="with a standby") as fault:
            stage.vendor.faults = Faults(rest_seconds=600)
            spent = stage.account().spent
            asking = stage.asked + 1
            await chart.begin()
            await eventually(lambda: stage.asked == asking)
            await stage.stop(stage.streams[0], signal.SIGKILL)
            stage.vendor.faults = Faults()
            await chart.until_whole()
            assert stage.asked == asking + 1
        assert stage.account().spent == spent + 2
        assert was_unseen(fault, stage)


async def test_a_cache_that_has_lost_the_account_lets_no_leader_spend_what_is_spent(
    staged: Staged,
) -> None:
    async with staged() as stage, stage.chart() as chart:
        await chart.ask()
        await stage.start_standby()
        name = "Cache loses candles and account, then leader SIGKILL"
        async with stage.fault(name, note="with a standby"):
            before = stage.account()
            # A leader that goes on would save its candles once more before it is killed.
            stage.streams[0].send_signal(signal.SIGSTOP)
            stage.flush_cache()
            await stage.stop(stage.streams[0], signal.SIGKILL)
            async with stage.chart() as other:
                await other.ask()
                await other.until_whole()
            assert stage.asked == 2
            after = stage.account()
        assert after.epoch > before.epoch and after.spent > before.spent


@pytest.mark.parametrize("layer", ["pubsub", "memory"])
async def test_candles_that_nobody_saw_are_missing_until_history_is_back(
    staged: Staged, layer: str, tmp_path: Path
) -> None:
    clock = WallClock(tmp_path)
    server = "daphne" if layer == "memory" else "uvicorn"
    how = {"layer": layer, "server": server, "clock": clock, "vendor_clock": clock}
    async with staged(**how) as stage, stage.chart() as chart:
        await chart.ask()
        assert chart.is_whole and not chart.last["missing"]
        what = "Stream" if layer == "pubsub" else "Upstream"
        note = "simulated clock; candles are shown as missing, then as repaired"
        async with stage.fault(f"{what} and history down for three candles", note=note):
            stage.vendor.faults = Faults(rest_status=503)
            newest = chart.times[-1]
            if layer == "pubsub":
                await stage.stop(stage.streams[0], signal.SIGKILL)
                clock.shift(4 * MINUTE)
                await stage.start_stream()
            else:
                with stage.upstream.down():
                    await eventually(lambda: stage.pages[0].is_showing("offline"))
                    clock.shift(4 * MINUTE)
            await chart.until_missing()
            [[start, stop]] = chart.last["missing"]
            assert start <= newest + MINUTE and stop >= newest + 4 * MINUTE
            assert chart.last["note"] and not chart.is_whole
            assert [start, stop] in (await as_json(stage))["missing"]
            asked = len(chart.pages)
            stage.vendor.faults = Faults()
            await chart.until_whole()
        assert len(chart.pages) > asked, "without being asked"
        assert not chart.last["missing"] and chart.last["repaired"] and not chart.last["note"]
        found = await as_json(stage)
        assert found["missing"] == [] and found["repaired"] and found["note"] == ""


async def as_json(stage: HistoryStage) -> dict[str, Any]:
    room = stage.rooms[0]
    url = f"http://127.0.0.1:{stage.ports[0]}/fcs/candles/"
    _, text = await get(f"{url}?symbol={room.symbol}&timeframe={room.timeframe}&limit={SHOWN}")
    found: dict[str, Any] = json.loads(text)
    return found

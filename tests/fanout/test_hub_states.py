"""What a hub says beside prices, which stream it believes, and how it falls ill."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from django_fcs.fanout.hub import Hub
from django_fcs.layer.bus import Bus
from django_fcs.prices.store import MemoryStore
from django_fcs.tools.metrics import counts
from tests.support.hubs import (
    EURUSD,
    HOURLY,
    USDJPY,
    Clock,
    browsing,
    fake_stream,
    hub_of,
    joined,
    profile,
    stored,
    update,
)
from tests.support.layers import SharedLayer
from tests.support.waiting import eventually

pytestmark = [pytest.mark.usefixtures("clean_loop"), pytest.mark.versions]


# -- profiles, states and beats


async def test_a_profile_comes_before_the_price_and_once_and_to_late_joiners_too() -> None:
    async with hub_of() as hub, fake_stream() as stream, browsing(hub) as browser:
        hub.join(browser.one, HOURLY, "1h")
        await joined(HOURLY)
        for zone in ("UTC", "UTC", "Etc/UTC"):
            await stream.notice(HOURLY, profile=profile(HOURLY, timezone=zone))
        await stream.price(HOURLY, seq=1)
        await eventually(lambda: browser.seqs)
        async with browsing(hub) as late:
            hub.join(late.one, HOURLY, "60")
            await eventually(lambda: len(late.heard) == 2)

    told = [one["prices"]["profile"]["timezone"] for one in browser.of("price")[:-1]]
    assert told in (["UTC", "Etc/UTC"], ["Etc/UTC"])
    assert [one["timeframe"] for one in browser.heard] == ["1h"] * len(browser.heard)
    assert late.heard[0]["prices"]["profile"] == {"timezone": "Etc/UTC"}
    assert (late.heard[0]["timeframe"], late.heard[1]["prices"]["mode"]) == ("60", "initial")


async def test_browsers_of_the_merge_protocol_are_told_every_state_and_others_none() -> None:
    clock = Clock()
    async with (
        hub_of(clock=clock) as hub,
        fake_stream() as stream,
        browsing(hub, merge=True) as merge,
        browsing(hub) as plain,
    ):
        for browser in (merge, plain):
            hub.join(browser.one, EURUSD, "1D")
        await joined()

        async def state(expected: str) -> None:
            await eventually(lambda: merge.states[-1:] == [expected], what=expected)

        await state("waiting")
        await stream.beat()
        await stream.price(seq=1)
        await state("live")
        for _ in range(7):
            beats = len(merge.of("beat"))
            clock.now += 9
            await stream.beat()
            await eventually(lambda beats=beats: len(merge.of("beat")) > beats)
        await state("stale")
        await stream.notice(closed=True)
        await state("closed")
        await stream.beat(online=False, reason="no vendor")
        await state("offline")
        assert merge.of("state")[-1]["reason"] == "no vendor"
        await stream.beat()
        await state("closed")
        clock.now += 10.1
        await state("offline")
        assert merge.of("state")[-1]["reason"] == "no heartbeat from the stream"
        await stream.beat()
        await stream.notice(closed=False)
        await state("stale")

        assert not plain.states
        assert not plain.of("beat")
        assert merge.of("beat")[0] == {"type": "beat", "timestamp": 1000500}
        assert merge.of("state")[0]["symbol"] == "FX:EURUSD"


async def test_a_clock_that_is_ahead_of_the_stream_makes_no_price_stale() -> None:
    clock = Clock()
    async with (
        hub_of(clock=clock) as hub,
        fake_stream() as stream,
        browsing(hub, merge=True) as browser,
    ):
        hub.join(browser.one, EURUSD, "1D")
        await joined()
        # The price is of 1000, so for this clock it is 200 s old.
        clock.now += 200
        for second in range(3):
            await stream.beat(at=999 + second / 10)
        await stream.price(seq=1)
        await eventually(lambda: browser.states[-1:] == ["live"])


async def test_a_room_is_as_patient_as_the_stream_says() -> None:
    clock = Clock()
    async with (
        hub_of(clock=clock) as hub,
        fake_stream() as stream,
        browsing(hub, merge=True) as browser,
    ):
        hub.join(browser.one, EURUSD, "1D")
        await joined()
        await stream.notice(patience=300.0)
        await stream.price(seq=1)
        await eventually(lambda: browser.states[-1:] == ["live"])
        clock.now += 300
        await stream.beat()
        # It is asked for again after that silence.
        await stream.price(seq=1)
        await eventually(lambda: browser.states[-1:] == ["live"])
        clock.now += 1
        await eventually(lambda: browser.states[-1:] == ["stale"])


async def test_the_answer_to_a_join_makes_no_mute_room_live() -> None:
    async with hub_of() as hub, fake_stream() as stream, browsing(hub, merge=True) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await joined()
        await stream.beat()
        await stream.price(seq=1)
        await eventually(lambda: browser.states[-1:] == ["live"])
        await stream.notice(overdue=True)
        await eventually(lambda: browser.states[-1:] == ["stale"])
        await stream.price(seq=2)
        await eventually(lambda: browser.seqs == [1, 2])
        assert browser.states[-1:] == ["stale"]
        await stream.notice()
        await eventually(lambda: browser.states[-1:] == ["live"])


async def test_a_closed_market_says_when_it_opens_and_then_no_more() -> None:
    clock = Clock()
    async with (
        hub_of(clock=clock) as hub,
        fake_stream() as stream,
        browsing(hub, merge=True) as browser,
    ):
        hub.join(browser.one, EURUSD, "1D")
        await joined()
        await stream.beat()
        await stream.price(seq=1)

        async def told(**last: Any) -> None:
            room = {"type": "state", "symbol": "FX:EURUSD", "timeframe": "1D"}
            await eventually(lambda: browser.of("state")[-1:] == [{**room, **last}], what=str(last))

        for until in (5000.0, 6000.0):
            await stream.beat()
            await stream.notice(closed=True, since=900.0, until=until)
            await told(state="closed", until=int(until))
        await stream.beat()
        await stream.notice(closed=True)
        await told(state="closed")
        # It has opened, and no price has come yet.
        await stream.beat()
        await stream.notice(since=1000.0, until=7000.0)
        clock.now += 5
        await told(state="closed")
        await stream.beat(online=False, reason="no vendor")
        await told(state="offline", reason="no vendor")


async def test_a_room_that_waits_in_vain_says_why_until_it_has_a_price() -> None:
    async with hub_of() as hub, fake_stream() as stream, browsing(hub, merge=True) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await joined()
        await stream.beat()
        await stream.trouble("the feed does not confirm it")
        state = {"type": "state", "symbol": "FX:EURUSD", "timeframe": "1D"}
        why = {"state": "waiting", "reason": "the feed does not confirm it"}
        await eventually(lambda: browser.of("state")[-1:] == [{**state, **why}])
        await stream.price(seq=1)
        await eventually(lambda: browser.of("state")[-1:] == [{**state, "state": "live"}])


async def test_a_new_leader_knows_of_no_trouble_before_it_says_so() -> None:
    async with hub_of() as hub, fake_stream() as stream, browsing(hub, merge=True) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await joined()
        await stream.beat()
        await stream.trouble("too many symbols are watched")
        await eventually(lambda: any(one.get("reason") for one in browser.of("state")[-1:]))
        await stream.beat(epoch=2)
        await eventually(lambda: not browser.of("state")[-1].get("reason"))
        assert browser.states[-1] == "waiting"


@pytest.mark.parametrize("by", ["notice", "a new leader"])
async def test_a_price_from_before_a_trouble_is_not_live_when_that_ends(by: str) -> None:
    async with hub_of() as hub, fake_stream() as stream, browsing(hub, merge=True) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await joined()
        await stream.beat()
        await stream.price(seq=1)
        await eventually(lambda: browser.states[-1:] == ["live"])
        await stream.trouble("too many symbols are watched")
        await eventually(lambda: browser.states[-1:] == ["offline"])
        if by == "notice":
            await stream.trouble("")
        else:
            await stream.beat(epoch=2)
        await eventually(lambda: browser.states[-1:] == ["stale"])

    assert browser.states[-3:] == ["live", "offline", "stale"]


async def test_the_tick_that_opens_a_market_does_not_seem_stale_first() -> None:
    clock = Clock()
    async with (
        hub_of(clock=clock) as hub,
        fake_stream() as stream,
        browsing(hub, merge=True) as browser,
    ):
        hub.join(browser.one, EURUSD, "1D")
        await joined()
        await stream.beat()
        await stream.notice(closed=True)
        await stream.price(seq=1)
        await eventually(lambda: browser.states[-1:] == ["closed"])
        hub._watched.look = list  # type: ignore[method-assign]  # once a second
        clock.now += 100
        await stream.beat()
        await stream.notice(patience=60.0)
        await stream._bus.publish([update(seq=2, at=clock.now)])
        await eventually(lambda: browser.states[-1:] == ["live"])

    assert browser.states[-2:] == ["closed", "live"]


async def test_a_price_from_the_future_is_not_live() -> None:
    """The clock was put back by an hour, and nothing has come since."""
    clock = Clock()
    async with (
        hub_of(clock=clock) as hub,
        fake_stream() as stream,
        browsing(hub, merge=True) as browser,
    ):
        hub.join(browser.one, EURUSD, "1D")
        await joined()
        await stream.beat()
        await stream._bus.publish([update(seq=1, at=clock.now + 3600)])
        await eventually(lambda: browser.states[-1:] == ["stale"])


async def test_who_joins_later_is_told_the_state_as_well() -> None:
    async with hub_of() as hub, fake_stream() as stream, browsing(hub, merge=True) as first:
        hub.join(first.one, HOURLY, "60")
        await joined(HOURLY)
        await stream.price(HOURLY, seq=1)
        await eventually(lambda: first.states[-1:] == ["live"])
        async with browsing(hub, merge=True) as late:
            hub.join(late.one, HOURLY, "1h")
            await eventually(lambda: late.states == ["live"])

    assert late.of("state")[0]["timeframe"] == "1h"


# -- a sick channel layer


async def test_a_sick_layer_is_renewed_and_every_room_asked_for_again(
    shared_layer: type[SharedLayer], caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    async with hub_of(clock=clock) as hub, browsing(hub, merge=True) as browser:
        async with fake_stream() as stream:
            hub.join(browser.one, EURUSD, "1D")
            await eventually(lambda: stream.announcements)
            await stream.price(seq=1)
            await eventually(lambda: browser.states[-1:] == ["live"])
        shared_layer.failures = {"group_add": ConnectionError("sick"), "receive": OSError("sick")}
        hub.join(browser.one, USDJPY, "1D")
        await eventually(lambda: counts().get("hub_layer_reconnects", 0) >= 2)
        clock.now += 11
        await eventually(lambda: browser.states[-2:] == ["offline"] * 2)
        shared_layer.failures = {}
        async with fake_stream() as stream:
            await eventually(
                lambda: any(set(c.new) == {EURUSD, USDJPY} for c in stream.announcements)
            )
            await stream.beat()
            await stream.price(seq=2)
            await eventually(lambda: 2 in browser.seqs)

    assert "channel layer failed, reconnecting reason=" in caplog.text


class HardOfHearing(Hub):
    async def _announce(self, bus: Bus) -> None:
        """Lose one cancellation, as ``asyncio.wait_for`` may before Python 3.12."""
        try:
            await super()._announce(bus)
        except asyncio.CancelledError:
            await asyncio.Event().wait()


async def test_a_hub_that_has_ended_leaves_no_task_behind_that_would_not_hear() -> None:
    hub = HardOfHearing(MemoryStore())
    async with browsing(hub) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await joined()
    before = asyncio.all_tasks()
    await hub.aclose()

    assert all(task.done() for task in before - {asyncio.current_task()})


async def test_ending_a_hub_that_never_worked_is_nothing() -> None:
    await Hub(MemoryStore()).aclose()


# -- streams of before and after


async def test_an_older_epoch_is_refused_while_the_newer_one_beats(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    async with hub_of(clock=clock) as hub, fake_stream() as stream, browsing(hub) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await joined()
        await stream.beat(epoch=2)
        await stream.price(seq=2000, epoch=2)
        await eventually(lambda: browser.seqs == [2000])
        await stream.beat(epoch=1, online=False, reason="woken up")
        await stream.price(seq=2001, epoch=1)
        await stream.price(seq=2002, epoch=2)
        await eventually(lambda: 2002 in browser.seqs)

    assert browser.seqs == [2000, 2002]
    assert counts()["hub_fenced"] == 2
    assert "ignored a heartbeat from a stream that is no longer the leader epoch=1" in caplog.text


async def test_an_older_epoch_counts_again_once_the_newer_one_is_silent() -> None:
    """Redis has lost its data, and its clock went back: what is older there is all there is."""
    clock = Clock()
    async with hub_of(clock=clock) as hub, fake_stream() as stream, browsing(hub) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await joined()
        await stream.beat(epoch=2)
        await stream.price(seq=2000, epoch=2)
        await eventually(lambda: browser.seqs == [2000])
        clock.now += 10.1
        await eventually(lambda: hub._watched.path.fence == 0)
        calls = len(stream.announcements)
        await stream.beat(epoch=1)
        await eventually(
            lambda: len(stream.announcements) > calls and stream.announcements[-1].new == (EURUSD,)
        )
        await stream.price(seq=1000, epoch=1)
        await eventually(lambda: browser.seqs == [2000, 1000])


async def test_what_the_store_has_passes_the_fence() -> None:
    async with hub_of(stored()) as hub, fake_stream() as stream, browsing(hub) as browser:
        hub.join(browser.one, USDJPY, "1D")
        await joined(USDJPY)
        await stream.beat(epoch=2)
        await eventually(lambda: hub._watched.path.fence == 2)
        hub.join(browser.one, EURUSD, "1D")
        await eventually(lambda: browser.seqs == [7])

"""Browsers of a hub that read slowly or not at all, and those beside them that do."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest
from django.test import override_settings

from django_fcs.fanout import hub as module
from django_fcs.fanout.flow import STEADY
from django_fcs.fanout.routes import Key
from django_fcs.fanout.subscriber import PING_SECONDS
from django_fcs.tools.metrics import counts
from tests.support.hubs import (
    EURUSD,
    USDJPY,
    Browser,
    Clock,
    FakeStream,
    browsing,
    fake_stream,
    hub_of,
    joined,
    profile,
    update,
)
from tests.support.waiting import eventually

pytestmark = [pytest.mark.usefixtures("clean_loop"), pytest.mark.versions]


async def prices(stream: FakeStream, *browsers: Browser, seqs: range) -> None:
    """Publish until these have the last."""
    for seq in seqs:
        await stream.price(seq=seq)
        await eventually(lambda seq=seq: all(seq in one.seqs for one in browsers))


@pytest.mark.parametrize("merge", [False, True])
async def test_a_browser_that_does_not_read_delays_nobody_and_gets_the_newest_later(
    merge: bool,
) -> None:
    async with hub_of() as hub, fake_stream() as stream, AsyncExitStack() as stack:
        reads, stalls = [
            await stack.enter_async_context(browsing(hub, merge=merge)) for _ in range(2)
        ]
        for browser in (reads, stalls):
            hub.join(browser.one, EURUSD, "1D")
        await joined()
        await prices(stream, reads, stalls, seqs=range(1, 3))
        stalls.reads.clear()
        await prices(stream, reads, seqs=range(3, 30))
        assert stalls.seqs == [1, 2]
        stalls.reads.set()
        await eventually(lambda: stalls.seqs[-1] == 29)
        await prices(stream, reads, stalls, seqs=range(30, 32))

        assert reads.seqs == [*range(1, 32)]
        # What was under way, what waited, and what came when it read again.
        assert len(stalls.seqs) <= 2 + 3 + 2
        assert stalls.seqs == sorted(set(stalls.seqs))


async def test_browsers_on_the_same_page_share_their_frames_in_step_with_each_other() -> None:
    async with hub_of() as hub, fake_stream() as stream, AsyncExitStack() as stack:
        browsers = [await stack.enter_async_context(browsing(hub, merge=True)) for _ in range(20)]
        for browser in browsers:
            for room in (EURUSD, USDJPY):
                hub.join(browser.one, room, "1D")
        for room in (EURUSD, USDJPY):
            await joined(room)
            await stream.price(room, seq=1)
        await eventually(lambda: all(browser.seqs == [1, 1] for browser in browsers))
        await eventually(lambda: len(hub._cohorts) == 1)
        await prices(stream, *browsers, seqs=range(2, 10))

        assert len({id(browser.sent[-1]["text"]) for browser in browsers}) == 1
        assert all(browser.heard[-8:] == browsers[0].heard[-8:] for browser in browsers)


async def test_in_the_first_frame_are_the_profile_the_initial_and_the_state_in_this_order() -> None:
    async with hub_of() as hub, fake_stream() as stream, browsing(hub, merge=True) as first:
        hub.join(first.one, EURUSD, "1D")
        await joined()
        await stream.notice(profile=profile(timezone="UTC"))
        await stream.price(seq=1)
        await eventually(lambda: first.states[-1:] == ["live"])
        async with browsing(hub, merge=True) as late:
            hub.join(late.one, EURUSD, "1D")
            await eventually(lambda: late.heard)

    [frame] = late.frames
    assert [one.get("prices", {}).get("mode") for one in frame] == ["profile", "initial", None]
    assert frame[2]["state"] == "live"


async def test_a_quiet_rooms_price_waits_for_no_turn_and_the_next_for_the_rate() -> None:
    clock = Clock()
    async with (
        hub_of(clock=clock) as hub,
        fake_stream() as stream,
        browsing(hub, merge=True, rate=0.25) as browser,
    ):
        hub.join(browser.one, EURUSD, "1D")
        await eventually(lambda: browser.frames)
        await joined()
        clock.now += 4.2
        await prices(stream, browser, seqs=range(1, 2))
        for seq in (2, 3, 4):
            await stream.price(seq=seq)
        await eventually(lambda: hub._watched.get(EURUSD).update.seq == 4)
        assert browser.seqs == [1]
        clock.now += 4.2
        await eventually(lambda: browser.seqs == [1, 4])


async def test_a_wish_for_another_rate_is_nothing_to_the_other_browsers() -> None:
    clock = Clock()
    async with hub_of(clock=clock) as hub, fake_stream() as stream, AsyncExitStack() as stack:
        fast, slow = [await stack.enter_async_context(browsing(hub, merge=True)) for _ in range(2)]
        for browser in (fast, slow):
            hub.join(browser.one, EURUSD, "1D")
        await joined()
        await prices(stream, fast, slow, seqs=range(1, 2))
        await eventually(lambda: len(hub._cohorts) == 1)
        hub.set_rate(slow.one, 0.1)
        await prices(stream, fast, seqs=range(2, 10))
        assert slow.seqs in ([1], [1, 2])
        hub.set_rate(slow.one, 1000)
        await eventually(lambda: slow.seqs[-1] == 9)


# -- credit and its end


async def fill(hub: module.Hub, browser: Browser) -> None:
    """Be sent more than may be unproved, by joining one room again and again."""
    text = len(update(seq=1).text)
    for _ in range(2 * STEADY.window_size // text):
        hub.join(browser.one, EURUSD, "1D")


@override_settings(FCS_SLOW_CLIENT_SECONDS=24)
async def test_who_must_answer_and_does_not_is_closed_after_its_time_and_no_one_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "server_takes_everything", lambda: True)
    clock = Clock()
    async with hub_of(clock=clock) as hub, fake_stream() as stream, AsyncExitStack() as stack:
        quiet, answers, mute = [await stack.enter_async_context(browsing(hub)) for _ in range(3)]
        for browser in (quiet, answers, mute):
            hub.join(browser.one, EURUSD, "1D")
        await joined()
        await prices(stream, quiet, answers, mute, seqs=range(1, 2))
        for browser in (answers, mute):
            await fill(hub, browser)
            assert not browser.one.is_open
        while not answers.one.is_open:
            answers.one.answered()
            await eventually(lambda: answers.one._asked is not None or answers.one.is_open)
        await prices(stream, quiet, answers, seqs=range(2, 5))
        assert 4 not in mute.seqs
        clock.now += 18
        await prices(stream, quiet, answers, seqs=range(5, 7))
        assert not mute.closes
        clock.now += 7
        await eventually(lambda: mute.closes == [4408])
        await prices(stream, quiet, answers, seqs=range(7, 9))

        assert not quiet.closes and not answers.closes
        assert counts()["hub_slow_closed"] == 1
        assert mute.sent[-1]["type"] == "websocket.close"


async def test_a_browser_whose_window_has_opened_is_shown_the_newest_price(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "server_takes_everything", lambda: True)
    async with hub_of() as hub, fake_stream() as stream, AsyncExitStack() as stack:
        reads, mute = [await stack.enter_async_context(browsing(hub)) for _ in range(2)]
        for browser in (reads, mute):
            hub.join(browser.one, EURUSD, "1D")
        await joined()
        await prices(stream, reads, mute, seqs=range(1, 2))
        await fill(hub, mute)
        await prices(stream, reads, seqs=range(2, 20))
        assert 2 not in mute.seqs
        mute.one.answered()
        await eventually(lambda: mute.seqs[-1] == 19)

        assert 18 not in mute.seqs


async def test_a_silent_browser_is_pinged() -> None:
    clock = Clock()
    async with hub_of(clock=clock) as hub, browsing(hub) as browser:

        def is_pinged_again() -> bool:
            clock.now += 1
            return len(browser.of("ping")) == 3

        await eventually(is_pinged_again)

        assert clock.now >= 1000 + 3 * PING_SECONDS


async def test_a_browser_that_goes_while_a_send_to_it_waits_is_forgotten() -> None:
    async with hub_of() as hub, fake_stream() as stream, browsing(hub) as reads:
        hub.join(reads.one, EURUSD, "1D")
        for merge in (False, True):
            async with browsing(hub, merge=merge) as stalls:
                hub.join(stalls.one, EURUSD, "1D")
                await joined()
                stalls.reads.clear()
                last = max(reads.seqs, default=0)
                await prices(stream, reads, seqs=range(last + 1, last + 4))
                assert not stalls.one.is_open
        await prices(stream, reads, seqs=range(10, 12))

        assert list(hub._subscribers) == [reads.one]
        assert len(hub._cohorts) == 0
        assert list(hub._routes.of(Key(EURUSD, "1D"))) == [reads.one]

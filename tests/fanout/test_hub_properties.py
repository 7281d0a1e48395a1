"""Whatever the feed, the sockets and the clock do, every browser ends with the last price.

A hub with all that belongs to it runs on a channel layer in memory, on a loop whose
time passes at once. Beside it stand a stream that answers demand, and browsers that
stall, answer pings late or never, join, leave and wish for other rates.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.test import override_settings
from hypothesis import given, settings, strategies as st

from django_fcs.fanout.cohorts import GRID_SECONDS
from django_fcs.fanout.flow import STEADY, Flow
from django_fcs.fanout.hub import Hub
from tests.fanout.worlds import KEYS, Browser, Key, Kind, Stay, Stream, WatchedBus, world
from tests.support import virtual_time

RATES = [10.0, 10.0, 100.0, 0.5]


# -- the world


@dataclass
class World:
    hub: Hub
    stream: Stream
    browsers: list[Browser]

    async def do(self, what: str, number: int, key: Key, much: int) -> None:
        browser = self.browsers[number % len(self.browsers)]
        mode = "askbid" if much % 3 == 0 else "candle"
        if what == "tick":
            for _ in range(1 + much % 4):
                await self.stream.tick(key[0], mode)
        elif what == "boundary":
            await self.stream.cross_a_boundary(key[0], mode)
        elif what == "burst":
            await self.stream.tick(key[0], mode)
            await self.stream.cross_a_boundary(key[0], mode)
            await self.stream.repeat(much % 3)
        elif what == "repeat":
            await self.stream.repeat(much)
        elif what == "beat":
            await self.stream.beat()
        elif what == "new epoch":
            await self.stream.begin_anew()
        elif what == "join":
            browser.join(key)
        elif what == "all join":
            for one in self.browsers:
                one.join(key)
        elif what == "leave":
            browser.leave(key)
        elif what == "stall":
            browser.reads.clear()
        elif what == "read":
            browser.reads.set()
        elif what == "pong":
            browser.answer()
        elif what == "rate":
            browser.wish(RATES[much % len(RATES)])
        elif what == "reply":
            browser.one.reply('{"type":"pong"}')

    async def pass_by(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.assert_bounds()

    def assert_bounds(self) -> None:
        for browser in self.browsers:
            if browser.one._mail:
                assert len(browser.one._mail._prices) <= 2 * len(browser.one.joined)
        for cohort in self.hub._cohorts._all:
            assert len(cohort.mail._prices) <= 2 * len(cohort.keys)

    async def rest(self) -> None:
        """The feed rests and everybody reads."""
        for browser in self.browsers:
            browser.is_prompt = True
            browser.reads.set()
            browser.answer()
        await self.pass_by(15)

    def assert_all_is_well(self) -> None:
        for browser in self.browsers:
            assert not browser.odd
            for stay in browser.stays:
                self.assert_order(stay)
                self.assert_finished_candles(stay)
            for (room, _), stay in browser.at.items():
                last = self.stream.last.get(room)
                assert [seq for seq, _, _ in stay.heard[-1:]] == ([last.seq] if last else [])
            if browser.merge:
                assert_rate(browser.frames, browser.rates)

    def assert_order(self, stay: Stay) -> None:
        seqs = [seq for seq, _, _ in stay.heard]
        modes = [mode for _, _, mode in stay.heard]
        assert seqs == sorted(set(seqs))
        assert modes[:1] in ([], ["initial"])
        assert "initial" not in modes[1:]

    def assert_finished_candles(self, stay: Stay) -> None:
        """A last state may be missed by who let more than one boundary pass meanwhile."""
        heard = {seq: place for seq, place, _ in stay.heard}
        due = [(stay.begun, stay.first)] if stay.first else []
        due += [
            (place, update)
            for place, update in enumerate(WatchedBus.came[: stay.ended], start=1)
            if place > stay.begun and update.room == stay.key[0]
        ]
        for (_, last), (_, following) in pairwise(due):
            later = [seq for seq in heard if seq > last.seq]
            if last.t == following.t or last.seq in heard or not later:
                continue
            before = max((seq for seq in heard if seq < last.seq), default=0)
            waited = [it for place, it in due if it.seq > before and place <= heard[min(later)]]
            assert sum(one.t != other.t for one, other in pairwise(waited)) > 1


def assert_rate(times: Sequence[float], rates: Sequence[tuple[float, float]]) -> None:
    """In any stretch there is one frame more than the highest rate in it allows, at most."""
    for first, begun in enumerate(times):
        for last, ended in enumerate(times[first:], start=first):
            then = [rate for since, rate in rates if since <= begun][-1]
            highest = max([then, *(rate for since, rate in rates if begun <= since <= ended)])
            # A frame may be late by a tenth of an interval, and the next is not late for it.
            late = min(GRID_SECONDS, 0.1 / min(then, highest))
            assert last - first <= highest * (ended - begun + late) + 1e-6


Step = tuple[str, int, Key, int, float]

ACTIONS = [
    *(["tick"] * 5 + ["boundary"] * 2 + ["burst"] * 3 + ["repeat", "repeat", "beat", "new epoch"]),
    *(["join"] * 2 + ["all join"] + ["leave"] + ["stall"] * 3 + ["read"] * 3),
    *("pong", "rate", "reply"),
]
PAUSES = [0.0, 0.0, 0.0, 0.004, 0.03, 0.05, 0.11, 0.4, 1.1, 31.0]

kinds = st.lists(
    st.tuples(
        st.sampled_from([True, True, False]),
        st.sampled_from(RATES),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)
steps = st.lists(
    st.tuples(
        st.sampled_from(ACTIONS),
        st.integers(0, 5),
        st.sampled_from(KEYS),
        st.integers(0, 11),
        st.sampled_from(PAUSES),
    ),
    max_size=80,
)


async def live(of_kinds: Sequence[Kind], is_behind: bool, story: Sequence[Step]) -> None:
    flow = Flow(behind=-1 if is_behind else STEADY.behind, ping_size=1000, window_size=3000)
    async with world(of_kinds, flow) as parts:
        it = World(*parts)
        for key in KEYS[:2]:
            await it.do("all join", 0, key, 0)
        await it.pass_by(1.1)
        for what, number, key, much, pause in story:
            await it.do(what, number, key, much)
            await it.pass_by(pause)
        await it.rest()
        it.assert_all_is_well()


@given(kinds, st.booleans(), steps)
@settings(deadline=None, max_examples=100)
@override_settings(FCS_SLOW_CLIENT_SECONDS=86_400)
def test_once_the_feed_rests_every_browser_has_the_last_price_of_every_room(
    of_kinds: Sequence[Kind], is_behind: bool, story: Sequence[Step]
) -> None:
    """And on the way nothing went back, no candle's end was lost, and no mailbox grew."""
    virtual_time.run(live(of_kinds, is_behind, story))

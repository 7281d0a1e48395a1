"""What a hub shows of a room before the stream has spoken: the store's last value and state."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from msgspec.structs import asdict

from django_fcs.prices.paths import PathReport
from django_fcs.prices.states import Expectation, Outage
from django_fcs.prices.store import LastValue, MemoryStore
from django_fcs.rooms import Room
from tests.support.hubs import (
    EURUSD,
    USDJPY,
    Clock,
    browsing,
    fake_stream,
    hub_of,
    joined,
    members,
    stored,
    update,
)
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("clean_loop")


async def test_a_room_of_which_the_stream_said_nothing_yet_shows_what_the_store_has() -> None:
    async with hub_of(stored()) as hub, browsing(hub, merge=True) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await eventually(lambda: browser.prices == [("initial", "1D", 7)])
        await eventually(lambda: browser.states[-1:] == ["live"])


async def test_no_browser_hears_that_a_room_waits_before_the_store_has_answered() -> None:
    store = Slow(stored())
    async with (
        hub_of(store) as hub,
        fake_stream() as stream,
        browsing(hub, merge=True) as first,
        browsing(hub, merge=True) as second,
    ):
        hub.join(first.one, EURUSD, "1D")
        await joined()
        hub.join(second.one, EURUSD, "1D")
        await stream.beat()
        await eventually(lambda: first.of("beat") and second.of("beat"))
        store.answers.set()
        for browser in (first, second):
            await eventually(lambda browser=browser: browser.states[-1:] == ["live"])

    assert first.states == second.states == ["live"]


async def test_a_room_that_the_store_does_not_know_waits_and_says_so() -> None:
    async with hub_of(MemoryStore()) as hub, browsing(hub, merge=True) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await eventually(lambda: browser.states == ["waiting"])


async def test_a_broken_path_is_told_without_waiting_for_the_store() -> None:
    store = Slow(stored())
    async with hub_of(store) as hub, fake_stream() as stream, browsing(hub, merge=True) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await joined()
        await stream.beat(online=False)
        await eventually(lambda: browser.states == ["offline"])
        await stream.beat()
        await eventually(lambda: browser.states == ["offline", "waiting"])
        store.answers.set()
        await eventually(lambda: browser.states[-1:] == ["live"])


async def test_what_the_store_has_from_before_an_outage_is_not_live() -> None:
    store = stored()
    store.save({}, PathReport(999.75, online=True, reason="", outage=Outage(900, 999.5)))
    async with hub_of(store) as hub, fake_stream() as stream, browsing(hub, merge=True) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await eventually(lambda: browser.prices == [("initial", "1D", 7)])
        await eventually(
            lambda: any("no price" in one.get("reason", "") for one in browser.of("state")[-1:])
        )
        await stream.price(seq=9)
        await eventually(lambda: browser.states[-1:] == ["live"])


@pytest.mark.parametrize("seq", [7, 9])
async def test_what_the_store_has_of_a_room_that_was_left_is_not_live_until_it_is_heard(
    seq: int,
) -> None:
    store = stored(**asdict(Expectation(patience=90.0).left()))
    async with hub_of(store) as hub, fake_stream() as stream, browsing(hub, merge=True) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await eventually(lambda: browser.states[-1:] == ["stale"])
        await stream.notice(patience=90.0)
        await stream.beat()
        await eventually(lambda: browser.of("beat"))
        assert browser.states[-1] == "stale"
        await stream.price(seq=seq)
        await eventually(lambda: browser.states[-1:] == ["live"])


async def test_a_stream_that_knows_nothing_of_a_room_leaves_a_closed_market_closed() -> None:
    store = stored(closed=True, until=5000.0)
    async with hub_of(store) as hub, fake_stream() as stream, browsing(hub, merge=True) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await eventually(lambda: browser.states[-1:] == ["closed"])
        await stream.trouble("too many symbols are watched")
        await stream.beat()
        await eventually(lambda: browser.of("beat"))
        assert browser.states[-1] == "closed"


@pytest.mark.parametrize("is_told_first", [False, True])
@pytest.mark.parametrize("was_left", [False, True])
async def test_what_the_store_has_of_a_room_that_gets_no_price_is_not_live(
    was_left: bool, is_told_first: bool
) -> None:
    store = Slow(stored(overdue=was_left))
    async with hub_of(store) as hub, fake_stream() as stream, browsing(hub, merge=True) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await joined()
        if is_told_first:
            await stream.beat()
            await stream.trouble("too many symbols are watched")
            await eventually(lambda: [one.get("reason") for one in browser.of("state")[-1:]])
        store.answers.set()
        await eventually(lambda: browser.prices == [("initial", "1D", 7)])
        await stream.trouble("too many symbols are watched")
        await eventually(lambda: browser.states[-1:] == ["offline"])
        assert browser.of("state")[-1]["reason"] == "too many symbols are watched"
        await stream.price(seq=9)
        await eventually(lambda: browser.states[-1:] == ["live"])


async def test_what_the_stream_says_outweighs_the_store() -> None:
    store = Slow(stored())
    async with hub_of(store) as hub, fake_stream() as stream, browsing(hub) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await joined()
        await stream.price(seq=9)
        await eventually(lambda: browser.seqs)
        store.answers.set()
        await stream.price(seq=10)
        await eventually(lambda: 10 in browser.seqs)

    assert browser.seqs == [9, 10]


async def test_a_room_that_is_left_while_the_store_is_asked_stays_left() -> None:
    store = Slow(stored())
    async with hub_of(store) as hub, browsing(hub) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await eventually(lambda: store.asked)
        hub.leave(browser.one, EURUSD, "1D")
        store.answers.set()
        await eventually(lambda: members(EURUSD.group) == 0)

    assert not browser.heard


class Slow:
    """A store that answers when the test lets it."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.asked = False
        self.answers = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def aload(self, rooms: Iterable[Room]) -> tuple[dict[Room, LastValue], PathReport | None]:
        self.asked = True
        await self.answers.wait()
        return self._store.load(rooms)


async def test_a_stored_price_of_a_dead_stream_is_not_live() -> None:
    clock = Clock()
    clock.now = 1020.0
    async with hub_of(stored(), clock=clock) as hub, browsing(hub, merge=True) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await eventually(lambda: browser.seqs)
        await eventually(lambda: browser.states[-1:] == ["offline"])


async def test_a_price_stored_before_the_vendor_was_lost_is_not_live_when_it_is_back() -> None:
    async with (
        hub_of(stored()) as hub,
        fake_stream() as stream,
        browsing(hub, merge=True) as other,
        browsing(hub, merge=True) as browser,
    ):
        hub.join(other.one, USDJPY, "1D")
        await joined(USDJPY)
        await stream.beat(online=False)
        await eventually(lambda: other.states[-1:] == ["offline"])
        hub.join(browser.one, EURUSD, "1D")
        await eventually(lambda: browser.seqs == [7])
        await stream.beat(outage=Outage(900, 999.5))
        await eventually(lambda: other.states[-1:] == ["waiting"])
        assert browser.states[-1:] == ["offline"]
        await stream.price(seq=8)
        await eventually(lambda: browser.states[-1:] == ["live"])


async def test_a_stored_price_of_a_closed_market_is_closed() -> None:
    store = stored(closed=True)
    async with hub_of(store) as hub, browsing(hub, merge=True) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await eventually(lambda: browser.states[-1:] == ["closed"])


async def test_what_the_stream_expects_outweighs_what_the_store_does() -> None:
    store = Slow(stored(closed=True))
    async with hub_of(store) as hub, fake_stream() as stream, browsing(hub, merge=True) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await joined()
        await stream.notice(patience=90.0)
        await eventually(lambda: hub._watched.get(EURUSD).expected)
        store.answers.set()
        await eventually(lambda: browser.states[-1:] == ["live"])

    assert "closed" not in browser.states


@pytest.mark.parametrize("text", ["nonsense", "[]", update(USDJPY, seq=7).text])
async def test_what_is_damaged_in_the_store_shows_nothing(text: str) -> None:
    async with hub_of(stored(text=text)) as hub, fake_stream() as stream, browsing(hub) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await joined()
        await stream.price(seq=1)
        await eventually(lambda: browser.seqs)

    assert browser.seqs == [1]

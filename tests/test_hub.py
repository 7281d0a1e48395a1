"""One process's fan-out: what browsers get of what the stream says, and what it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any

import pytest
from channels.layers import get_channel_layer

from django_fcs import hub as module
from django_fcs.bus import DEMAND, HUBS, Beat, Bus, Call, RoomNews
from django_fcs.hub import Hub
from django_fcs.messages import Price, ProfileUpdate
from django_fcs.metrics import counts
from django_fcs.protocol import serialise
from django_fcs.rooms import Room
from django_fcs.store import LastBeat, LastValue, MemoryStore, Store
from django_fcs.subscriber import Subscriber
from django_fcs.tasks import running
from django_fcs.updates import Update
from tests.layers import SharedLayer
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("clean_loop", "quick")

EURUSD = Room("FX:EURUSD", "1D")
HOURLY = Room("FX:EURUSD", "60")
USDJPY = Room("FX:USDJPY", "1D")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub that looks at its clock all the time: the tests move that by hand."""
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.005)
    monkeypatch.setattr(module, "RENEW_SECONDS", 0.005)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Browser:
    """Everything that one browser was sent."""

    def __init__(self, *, merge: bool = False, address: str = "") -> None:
        self.heard: list[dict[str, Any]] = []
        self.one = Subscriber(self._send, merge=merge, rate=10_000, address=address)

    async def _send(self, message: dict[str, Any]) -> None:
        frame = json.loads(message["text"])
        self.heard += frame if isinstance(frame, list) else [frame]

    @property
    def prices(self) -> list[tuple[str, str, int]]:
        """Mode, timeframe and seq of each price."""
        return [
            (one["prices"]["mode"], one["timeframe"], one["seq"])
            for one in self.heard
            if one["type"] == "price" and "seq" in one
        ]

    @property
    def seqs(self) -> list[int]:
        return [seq for _, _, seq in self.prices]

    @property
    def states(self) -> list[str]:
        return [one["state"] for one in self.heard if one["type"] == "state"]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.heard if one["type"] == kind]


class Feed:
    """The stream, as a hub knows it: a member of the demand group that says things."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.calls: list[Call] = []

    async def listen(self) -> None:
        async with aclosing(self._bus.events()) as events:
            async for event in events:
                assert isinstance(event, Call)
                self.calls.append(event)

    async def price(self, room: Room = EURUSD, *, seq: int, mode: str = "candle") -> None:
        await self._bus.publish([update(room, seq=seq, mode=mode)])

    async def beat(self, *, epoch: int = 1, online: bool = True, reason: str = "") -> None:
        await self._bus.beat(Beat(epoch, 1000.5, online, reason))

    async def news(self, room: Room = EURUSD, *, profile: str = "", closed: bool = False) -> None:
        await self._bus.tell(RoomNews(room, profile, closed))


@asynccontextmanager
async def feeding() -> AsyncIterator[Feed]:
    async with Bus(DEMAND) as bus:
        feed = Feed(bus)
        async with running(feed.listen()):
            yield feed


@asynccontextmanager
async def hub_of(
    store: Store | None = None, *, clock: Clock | None = None, idle: float = 30
) -> AsyncIterator[Hub]:
    clock = clock or Clock()
    hub = Hub(store or MemoryStore(), idle=idle, clock=clock, monotonic=clock)
    try:
        yield hub
    finally:
        await hub.aclose()


@asynccontextmanager
async def browsing(hub: Hub, *, merge: bool = False, address: str = "") -> AsyncIterator[Browser]:
    browser = Browser(merge=merge, address=address)
    async with browser.one, hub.entered(browser.one):
        yield browser


def update(room: Room = EURUSD, *, seq: int, at: float = 1000.0, mode: str = "candle") -> Update:
    price = Price(
        **{"symbol": room.symbol, "timeframe": room.timeframe, "mode": mode, "t": 60},
        **{"o": 1.5, "h": 1.5, "l": 1.5, "c": 1.5, "seq": seq, "at": at},
    )
    return Update.encode(room, price, epoch=1)


def profile(room: Room = EURUSD, **fields: str) -> str:
    return serialise(
        ProfileUpdate(symbol=room.symbol, timeframe=room.timeframe, profile=dict(fields))
    )


def members(group: str) -> int:
    return len(get_channel_layer().groups.get(group, ()))


async def joined(room: Room = EURUSD) -> None:
    await eventually(lambda: members(room.group) == 1, what=f"a member in {room.group}")


# -- one member for all


async def test_a_process_is_one_member_of_a_rooms_group_however_many_browsers_it_has() -> None:
    async with hub_of() as hub, feeding() as feed, AsyncExitStack() as stack:
        browsers = [await stack.enter_async_context(browsing(hub)) for _ in range(50)]
        for browser in browsers:
            hub.join(browser.one, EURUSD, "1D")
        await joined()
        await feed.price(seq=1)
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
    async with feeding() as feed:
        await feed.price(seq=1)
        await asyncio.sleep(0)
        hub = Hub.of_this_loop(MemoryStore())
        await eventually(lambda: all(feed.update for feed in hub._feeds.values()))
        await eventually(lambda: all(not len(s._mailbox) for s in hub._subscribers))
    over.set()
    await asyncio.wait_for(racing, 5)


async def test_500_rooms_on_the_layer_in_memory_lose_nothing() -> None:
    rooms = [Room(f"FX:PAIR{n}", "1D") for n in range(500)]
    async with hub_of() as hub, Bus(DEMAND) as bus, browsing(hub) as browser:
        for room in rooms:
            hub.join(browser.one, room, "1D")
        await eventually(lambda: all(members(room.group) == 1 for room in rooms), within=20)
        for seq in (1, 2, 3):
            await bus.publish([update(room, seq=seq) for room in rooms])
        await eventually(lambda: browser.seqs.count(3) == 500, within=20)

        firsts = [
            one["symbol"] for one in browser.of("price") if one["prices"]["mode"] == "initial"
        ]
        assert sorted(firsts) == sorted(room.symbol for room in rooms)


# -- joining


async def test_the_first_price_is_initial_whatever_it_was_upstream() -> None:
    async with hub_of() as hub, feeding() as feed, browsing(hub) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await joined()
        for seq, mode in ((1, "askbid"), (2, "candle"), (3, "askbid")):
            await feed.price(seq=seq, mode=mode)
            await eventually(lambda seq=seq: seq in browser.seqs)

    assert browser.prices == [("initial", "1D", 1), ("candle", "1D", 2), ("askbid", "1D", 3)]


async def test_who_joins_later_is_shown_the_last_price_at_once() -> None:
    async with hub_of() as hub, feeding() as feed, browsing(hub) as first:
        hub.join(first.one, EURUSD, "1D")
        await joined()
        await feed.price(seq=1)
        await feed.price(seq=2)
        await eventually(lambda: 2 in first.seqs)
        calls = len(feed.calls)
        async with browsing(hub) as late:
            hub.join(late.one, EURUSD, "1D")
            await eventually(lambda: late.prices == [("initial", "1D", 2)])
            await feed.price(seq=3)
            await eventually(lambda: late.prices[1:] == [("candle", "1D", 3)])

        assert len(feed.calls) == calls


async def test_a_second_join_of_the_same_room_is_shown_the_price_again() -> None:
    async with hub_of() as hub, feeding() as feed, browsing(hub) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await joined()
        await feed.price(seq=1)
        await eventually(lambda: browser.seqs)
        hub.join(browser.one, EURUSD, "1D")
        await eventually(lambda: browser.prices == [("initial", "1D", 1)] * 2)
        await feed.price(seq=2)
        await eventually(lambda: browser.seqs == [1, 1, 2])


async def test_prices_are_spelled_as_the_browser_joined_and_two_spellings_are_two_joins() -> None:
    async with hub_of() as hub, feeding() as feed, browsing(hub) as browser:
        for spelling in ("1h", "60"):
            hub.join(browser.one, HOURLY, spelling)
        await joined(HOURLY)
        for seq in (1, 2):
            await feed.price(HOURLY, seq=seq)
            await eventually(lambda seq=seq: browser.seqs.count(seq) == 2)
        hub.leave(browser.one, HOURLY, "60")
        await feed.price(HOURLY, seq=3)
        await eventually(lambda: 3 in browser.seqs)

    assert [spelling for _, spelling, seq in browser.prices if seq == 3] == ["1h"]
    assert sorted(browser.prices[:4]) == [
        *[("candle", "1h", 2), ("candle", "60", 2)],
        *[("initial", "1h", 1), ("initial", "60", 1)],
    ]


async def test_what_is_not_newer_is_a_repetition() -> None:
    async with hub_of() as hub, feeding() as feed, browsing(hub) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await joined()
        for seq in (5, 5, 4, 6):
            await feed.price(seq=seq)
        await eventually(lambda: 6 in browser.seqs)

    assert 4 not in browser.seqs
    assert browser.seqs.count(5) <= 1


async def test_prices_and_news_of_rooms_that_nobody_joined_are_nothing() -> None:
    async with hub_of() as hub, feeding() as feed, browsing(hub) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await joined()
        layer = get_channel_layer()
        await layer.group_send(HUBS, update(USDJPY, seq=1).event())
        call = {"type": "fcs.demand", "hub": "another", "rooms": ["FX:EURUSD_1D"], "new": []}
        await layer.group_send(HUBS, call)
        await feed.news(USDJPY, profile=profile(USDJPY))
        await feed.price(seq=1)
        await eventually(lambda: browser.seqs)

        assert len(browser.heard) == 1


# -- leaving


async def test_a_room_that_the_last_browser_leaves_is_left_by_the_process() -> None:
    async with hub_of() as hub, feeding() as feed, browsing(hub) as one:
        async with browsing(hub) as other:
            for browser in (one, other):
                hub.join(browser.one, EURUSD, "1D")
            hub.join(other.one, USDJPY, "1D")
            await joined(USDJPY)
        await eventually(lambda: members(USDJPY.group) == 0)
        assert members(EURUSD.group) == 1
        await eventually(lambda: feed.calls[-1].rooms == (EURUSD,))

        hub.leave(one.one, EURUSD, "1D")
        hub.leave(one.one, EURUSD, "1D")
        await eventually(lambda: members(EURUSD.group) == 0)
        await eventually(lambda: feed.calls[-1].rooms == ())


async def test_a_left_room_is_silent_at_once() -> None:
    async with hub_of() as hub, feeding() as feed, browsing(hub) as stays, browsing(hub) as leaves:
        for browser in (stays, leaves):
            hub.join(browser.one, EURUSD, "1D")
        await joined()
        hub.leave(leaves.one, EURUSD, "1D")
        await feed.price(seq=1)
        await eventually(lambda: stays.seqs)

        assert not leaves.heard


async def test_a_hub_works_on_for_a_while_after_its_last_browser_and_again_for_the_next() -> None:
    clock = Clock()
    async with hub_of(clock=clock) as hub, feeding() as feed:
        async with browsing(hub) as browser:
            hub.join(browser.one, EURUSD, "1D")
            await joined()
            await feed.beat()
        clock.now += module.IDLE_SECONDS - 0.1
        await eventually(lambda: members(EURUSD.group) == 0)
        assert members(HUBS) == 1
        clock.now += 0.1
        await eventually(lambda: members(HUBS) == 0)

        # An hour without a hub is no hour without a beat.
        clock.now += 3600
        async with browsing(hub, merge=True) as late:
            hub.join(late.one, EURUSD, "1D")
            await joined()
            await feed.price(seq=1)
            await eventually(lambda: late.seqs)
            assert "offline" not in late.states


async def test_sockets_are_counted_by_their_address() -> None:
    async with hub_of() as hub, browsing(hub, address="::1"), browsing(hub, address="10.0.0.1"):
        async with browsing(hub, address="10.0.0.1"):
            assert hub.sockets_from("10.0.0.1") == 2
        assert [hub.sockets_from(one) for one in ("10.0.0.1", "::1", "x")] == [1, 1, 0]


# -- what the stream is told


async def test_the_stream_is_told_of_new_rooms_at_once_and_of_all_again_and_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "ANNOUNCE_SECONDS", 5)
    clock = Clock()
    async with hub_of(clock=clock) as hub, feeding() as feed, browsing(hub) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await eventually(lambda: feed.calls and feed.calls[-1].new == (EURUSD,))
        hub.join(browser.one, USDJPY, "1D")
        await eventually(lambda: feed.calls[-1].new == (USDJPY,))
        assert feed.calls[-1].rooms == (EURUSD, USDJPY)
        calls = len(feed.calls)
        clock.now += 5
        await eventually(lambda: len(feed.calls) == calls + 1)

        assert feed.calls[-1].rooms == (EURUSD, USDJPY)
        assert feed.calls[-1].new == ()
        assert len({call.hub for call in feed.calls}) == 1


async def test_a_new_stream_is_told_of_every_room_as_new() -> None:
    async with hub_of() as hub, feeding() as feed, browsing(hub) as browser:
        hub.join(browser.one, EURUSD, "1D")
        hub.join(browser.one, USDJPY, "1D")
        await joined(USDJPY)
        for epoch in (1, 2):
            calls = len(feed.calls)
            await feed.beat(epoch=epoch)
            await eventually(lambda calls=calls: len(feed.calls) > calls)
            assert feed.calls[-1].new == (EURUSD, USDJPY)
        calls = len(feed.calls)
        await feed.beat(epoch=2)
        hub.leave(browser.one, USDJPY, "1D")
        await eventually(lambda: len(feed.calls) > calls)

        assert feed.calls[-1].new == ()


# -- profiles, states and beats


async def test_a_profile_comes_before_the_price_and_once_and_to_late_joiners_too() -> None:
    async with hub_of() as hub, feeding() as feed, browsing(hub) as browser:
        hub.join(browser.one, HOURLY, "1h")
        await joined(HOURLY)
        for zone in ("UTC", "UTC", "Etc/UTC"):
            await feed.news(HOURLY, profile=profile(HOURLY, timezone=zone))
        await feed.price(HOURLY, seq=1)
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
        feeding() as feed,
        browsing(hub, merge=True) as merge,
        browsing(hub) as plain,
    ):
        for browser in (merge, plain):
            hub.join(browser.one, EURUSD, "1D")
        await joined()

        async def state(expected: str) -> None:
            await eventually(lambda: merge.states[-1:] == [expected], what=expected)

        await state("waiting")
        await feed.beat()
        await feed.price(seq=1)
        await state("live")
        for _ in range(7):
            clock.now += 9
            await feed.beat()
            beats = len(merge.of("beat"))
            await eventually(lambda beats=beats: len(merge.of("beat")) >= beats)
            await eventually(lambda: hub._beat_at == clock.now)
        await state("stale")
        await feed.news(closed=True)
        await state("closed")
        await feed.beat(online=False, reason="no vendor")
        await state("offline")
        assert merge.of("state")[-1]["reason"] == "no vendor"
        await feed.beat()
        await state("closed")
        clock.now += 10.1
        await state("offline")
        assert "reason" not in merge.of("state")[-1]
        await feed.beat()
        await feed.news(closed=False)
        await state("stale")

        assert not plain.states
        assert not plain.of("beat")
        assert merge.of("beat")[0] == {"type": "beat", "timestamp": 1000500}
        assert merge.of("state")[0]["symbol"] == "FX:EURUSD"


async def test_who_joins_later_is_told_the_state_as_well() -> None:
    async with hub_of() as hub, feeding() as feed, browsing(hub, merge=True) as first:
        hub.join(first.one, HOURLY, "60")
        await joined(HOURLY)
        await feed.price(HOURLY, seq=1)
        await eventually(lambda: first.states[-1:] == ["live"])
        async with browsing(hub, merge=True) as late:
            hub.join(late.one, HOURLY, "1h")
            await eventually(lambda: late.states == ["live"])

    assert late.of("state")[0]["timeframe"] == "1h"


# -- the store, for the first moment


def stored(room: Room = EURUSD, *, text: str = "", closed: bool = False) -> MemoryStore:
    store = MemoryStore()
    value = LastValue(text or update(room, seq=7, at=999.0).text, closed)
    store.save({room: value}, LastBeat(999.0, online=True, reason=""))
    return store


async def test_a_room_of_which_the_stream_said_nothing_yet_shows_what_the_store_has() -> None:
    async with hub_of(stored()) as hub, browsing(hub, merge=True) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await eventually(lambda: browser.prices == [("initial", "1D", 7)])
        await eventually(lambda: browser.states[-1:] == ["live"])


async def test_what_the_stream_says_outweighs_the_store() -> None:
    store = Slow(stored())
    async with hub_of(store) as hub, feeding() as feed, browsing(hub) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await joined()
        await feed.price(seq=9)
        await eventually(lambda: browser.seqs)
        store.answers.set()
        await feed.price(seq=10)
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

    async def aload(self, rooms: list[Room]) -> Any:
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


async def test_a_stored_price_of_a_closed_market_is_closed() -> None:
    store = stored(closed=True)
    async with hub_of(store) as hub, browsing(hub, merge=True) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await eventually(lambda: browser.states[-1:] == ["closed"])


@pytest.mark.parametrize("text", ["nonsense", "[]", update(USDJPY, seq=7).text])
async def test_what_is_damaged_in_the_store_shows_nothing(text: str) -> None:
    async with hub_of(stored(text=text)) as hub, feeding() as feed, browsing(hub) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await joined()
        await feed.price(seq=1)
        await eventually(lambda: browser.seqs)

    assert browser.seqs == [1]


# -- a sick channel layer


async def test_a_sick_layer_is_renewed_and_every_room_asked_for_again(
    shared_layer: type[SharedLayer], caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    async with hub_of(clock=clock) as hub, browsing(hub, merge=True) as browser:
        async with feeding() as feed:
            hub.join(browser.one, EURUSD, "1D")
            await eventually(lambda: feed.calls)
            await feed.price(seq=1)
            await eventually(lambda: browser.states[-1:] == ["live"])
        shared_layer.failures = {"group_add": ConnectionError("sick"), "receive": OSError("sick")}
        hub.join(browser.one, USDJPY, "1D")
        await eventually(lambda: counts().get("hub_renewals", 0) >= 2)
        clock.now += 11
        await eventually(lambda: browser.states[-2:] == ["offline"] * 2)
        shared_layer.failures = {}
        async with feeding() as feed:
            await eventually(lambda: any(set(c.new) == {EURUSD, USDJPY} for c in feed.calls))
            await feed.beat()
            await feed.price(seq=2)
            await eventually(lambda: 2 in browser.seqs)

    assert "channel layer failed, renewing reason=" in caplog.text


async def test_ending_a_hub_that_never_worked_is_nothing() -> None:
    await Hub(MemoryStore()).aclose()

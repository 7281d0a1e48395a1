"""Browsers that ask for odd things, and code of the site that says odd things to the hub."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.test import override_settings
from hypothesis import HealthCheck, given, settings, strategies as st
from msgspec.structs import replace

from django_fcs import embedded
from django_fcs.consumers import MERGE_PROTOCOL, RATE_MIN, Pace
from django_fcs.fanout import hub
from django_fcs.fanout.flow import STEADY
from django_fcs.fanout.subscriber import CLOSE_TOO_SLOW
from django_fcs.fanout.watched import Watched
from django_fcs.layer.bus import DEMAND, HUBS, Bus
from django_fcs.layer.events import Beat, RoomNotice
from django_fcs.prices.paths import PathReport
from django_fcs.prices.states import Expectation
from django_fcs.prices.updates import EPOCH_AHEAD_SECONDS, Update
from django_fcs.protocol import Price
from django_fcs.rooms import Room
from django_fcs.site import site_store
from django_fcs.testing import push_price
from django_fcs.tools.metrics import counts
from django_fcs.tools.tasks import running
from tests.support.hubs import profile, update
from tests.support.layers import SharedLayer
from tests.support.sockets import EURUSD, Browser, browsing, rates_of_the_hub
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("clean_loop", "open_site")


# -- rates

MAD = ["0", "-1", "1e308", "1e999", "-1e999", "NaN", "Infinity", "null", '"fast"', "1e-9", "[4]"]


@pytest.mark.parametrize("wish", [*MAD, "true", "{}", "1e-320", "9" * 400])
async def test_a_mad_rate_is_clamped_or_refused_and_prices_go_on(wish: str) -> None:
    async with browsing(subprotocols=(MERGE_PROTOCOL,)) as browser:
        text = f'{{"type":"rate","frames_per_second":{wish}}}'
        await browser.communicator.send_to(text_data=text)
        answer = await browser.hear()
        assert answer["type"] == "rate" or answer["short"] == "bad_message"
        [granted] = rates_of_the_hub()
        assert RATE_MIN <= granted <= 10
        assert answer.get("frames_per_second", granted) == granted
        await browser.say("rate", frames_per_second=10)

        await assert_prices_flow(browser)


@override_settings(FCS_MAX_FRAMES_PER_SECOND=RATE_MIN)
async def test_a_site_may_grant_the_least_number_of_frames() -> None:
    async with browsing(subprotocols=(MERGE_PROTOCOL,)) as browser:
        await browser.say("rate", frames_per_second=4)
        assert (await browser.hear())["frames_per_second"] == RATE_MIN


async def test_a_flood_of_rates_is_answered_one_by_one_and_the_last_holds() -> None:
    async with browsing(subprotocols=(MERGE_PROTOCOL,)) as browser:
        for number in range(500):
            await browser.say("rate", frames_per_second=1 + number % 7)
        answers = await browser.settle()

        assert len(answers) == 500
        assert rates_of_the_hub() == [answers[-1]["frames_per_second"]] == [1 + 499 % 7]


async def assert_prices_flow(browser: Browser, *, close: float = 1.25) -> None:
    await browser.join(timeframe="1D")
    await browser.until("message", short="joined_room")
    await push_price(EURUSD, close=close)
    while (await browser.until("price"))["prices"].get("c") != close:
        pass


# -- pongs and pings


async def test_pongs_that_nobody_asked_for_are_taken_for_nothing() -> None:
    async with browsing() as browser:
        for timestamp in (1, None, "now", -1, [1]):
            await browser.say("pong", timestamp=timestamp)
        for _ in range(500):
            await browser.say("pong")
        assert {answer["short"] for answer in await browser.settle()} <= {"bad_message"}

        await assert_prices_flow(browser)


@pytest.fixture
def on_daphne(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server that takes everything at once, whether or not the browser reads."""
    monkeypatch.setattr(hub, "server_takes_everything", lambda: True)
    with override_settings(FCS_SLOW_CLIENT_SECONDS=0.2):
        yield


async def outlive(browser: Browser) -> tuple[int, int]:
    """Return how much was sent to a browser before its close, and the code of that."""
    texts, code = await browser.ended()
    return sum(map(len, texts)), code


@pytest.mark.usefixtures("on_daphne")
@pytest.mark.parametrize("subprotocols", [(), (MERGE_PROTOCOL,)])
async def test_a_flood_of_pings_by_one_who_answers_none_ends_with_4408_and_is_bounded(
    subprotocols: tuple[str, ...],
) -> None:
    pace = Pace(burst=100_000)
    async with browsing(subprotocols=subprotocols, pace=pace) as browser, browsing() as other:
        pings = json.dumps([{"type": "ping"}] * 200)
        for _ in range(200):
            await browser.communicator.send_to(text_data=pings)
        sent, code = await outlive(browser)
        assert code == CLOSE_TOO_SLOW
        assert STEADY.window_size - 100 <= sent <= STEADY.window_size + 1000

        await assert_prices_flow(other)


async def push_prices(number: int) -> None:
    """Publish so many, each once the hub has the one before: the layer has room for 100.

    They are those of a leader that follows the stream of this process.
    """
    await embedded.stop()
    watched = hub.Hub.of_this_loop(site_store())._watched
    await eventually(lambda: EURUSD.group in get_channel_layer().groups)
    async with Bus() as bus:
        epoch = max(watched.path.fence + 1, int(time.time() * 1000))
        for seq in range(1, number + 1):
            if seq % 100 == 1:
                await bus.beat(Beat(epoch, PathReport(time.time(), online=True, reason="")))
            price = replace(BARE, c=seq, seq=seq, at=1000.0)
            await bus.publish([Update.encode(EURUSD, price, epoch=epoch)])
            await passes_until(lambda seq=seq: newest(watched) == seq)


def newest(watched: Watched) -> int | None:
    update = its.update if (its := watched.get(EURUSD)) else None
    return update.seq if update else None


async def passes_until(condition: Callable[..., Any]) -> None:
    """Wait as ``eventually`` does, but not 5 ms at a time."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("not within a thousand passes of the loop")


BARE = Price(symbol="FX:EURUSD", timeframe="1D", mode="candle", t=60, o=1, h=1, l=1)


@pytest.mark.usefixtures("on_daphne")
async def test_one_who_never_answers_is_sent_a_window_of_prices_and_then_4408() -> None:
    async with browsing() as browser, browsing() as other:
        await browser.join(timeframe="1D")
        await browser.settle()
        await push_prices(2000)
        sent, code = await outlive(browser)
        assert code == CLOSE_TOO_SLOW
        assert sent <= STEADY.window_size + 1000

        await assert_prices_flow(other)


@pytest.mark.usefixtures("on_daphne")
async def test_one_who_answers_every_ping_is_sent_every_price() -> None:
    async with browsing() as browser:
        await browser.join(timeframe="1D")
        await browser.settle()
        pushing = asyncio.ensure_future(push_prices(2000))
        closes: list[float] = []
        pings = 0
        while not closes or closes[-1] < 2000:
            message = await browser.hear()
            if message["type"] == "ping":
                pings += 1
                await browser.say("pong")
            elif message["type"] == "price":
                closes.append(message["prices"]["c"])
        await pushing

        assert pings >= 3
        assert closes == [*range(1, 2001)]


# -- joins


@override_settings(FCS_MAX_ROOMS_PER_CLIENT=5)
async def test_a_flood_of_joins_is_refused_and_opens_no_more_rooms_than_allowed() -> None:
    async with browsing(pace=Pace(joins=0.001)) as browser:
        for number in range(300):
            await browser.join(f"FX:PAIR{number}", timeframe="1D")
        shorts = [answer["short"] for answer in await browser.settle()]

        assert shorts == ["joined_room"] * 5 + ["rate_limited"] * 295


async def test_who_joins_and_leaves_without_end_leaves_nothing_behind() -> None:
    async with browsing(subprotocols=(MERGE_PROTOCOL,)) as browser:
        for number in range(200):
            await browser.join(f"FX:PAIR{number}", timeframe="1D")
            await browser.say("leave_symbol", symbol=f"FX:PAIR{number}", timeframe="1D")
        await browser.settle()
        its = hub.Hub.of_this_loop(site_store())

        assert not len(its._watched) and not its._needs._new
        assert not its._routes._readers
        assert len(its._cohorts) == 1


# -- messages of anybody's to our groups

PRICE = update(seq=10**6).event()
PROFILE = profile(timezone="UTC")
NEWS = RoomNotice(EURUSD, PROFILE, Expectation()).event()
BEAT = Beat(1, PathReport(1000.5, online=True, reason="")).event()

MALFORMED: dict[str, Any] = {
    "no type": {"text": "x"},
    "type of no one": {"type": "fcs.nonsense"},
    "type that is no text": {"type": ["fcs.price"]},
    "price without a text": {"type": "fcs.price", "room": "FX:EURUSD_1D", "epoch": 1},
    "price of no room": {**PRICE, "room": None},
    "price of a bad room": {**PRICE, "room": "eurusd"},
    "price of a list of rooms": {**PRICE, "room": ["FX:EURUSD_1D"]},
    "price of another room": {**PRICE, "room": "FX:USDJPY_1D"},
    "price without an epoch": {key: PRICE[key] for key in PRICE if key != "epoch"},
    "price of a word's epoch": {**PRICE, "epoch": "now"},
    "price of an endless epoch": {**PRICE, "epoch": math.inf},
    "price in bytes": {**PRICE, "text": PRICE["text"].encode()},
    "price in no JSON": {**PRICE, "text": PRICE["text"][:-1]},
    "price and more": {**PRICE, "text": PRICE["text"] + "]"},
    "price in a list": {**PRICE, "text": f"[{PRICE['text']}]"},
    "price as an object": {**PRICE, "text": json.loads(PRICE["text"])},
    "price without a seq": {**PRICE, "text": PRICE["text"].replace('"seq":1000000', '"s":1')},
    "price without a time": {**PRICE, "text": PRICE["text"].replace('"at":1000.0', '"at":null')},
    "price of an endless time": {**PRICE, "text": PRICE["text"].replace("1000.0", "1e999")},
    "price of no number": {**PRICE, "text": PRICE["text"].replace('"c":1.5', '"c":"x"')},
    "price of half a character": {**PRICE, "text": PRICE["text"].replace("EURUSD", "EUR\ud800")},
    "beat without an epoch": {key: BEAT[key] for key in BEAT if key != "epoch"},
    "beat at no time": {**BEAT, "path": {**BEAT["path"], "at": math.nan}},
    "beat at an endless time": {**BEAT, "path": {**BEAT["path"], "at": math.inf}},
    "beat at a word": {**BEAT, "path": {**BEAT["path"], "at": "noon"}},
    "beat at an odd time": {**BEAT, "path": {**BEAT["path"], "at": 10**400}},
    "beat at an endless time in milliseconds": {**BEAT, "path": {**BEAT["path"], "at": 1e308}},
    "news of no room": {**NEWS, "room": 5},
    "news of a bad room": {**NEWS, "room": "FX:eurusd_1D"},
    "news without an expectation": {key: NEWS[key] for key in NEWS if key != "expected"},
    "news of an endless patience": {**NEWS, "expected": {"patience": math.inf}},
    "news without a profile": {key: NEWS[key] for key in NEWS if key != "profile"},
    "news with a profile that is none": {**NEWS, "profile": "hello"},
    "news with half a profile": {**NEWS, "profile": PROFILE[:-1]},
    "news with a profile of another room": {
        **{**NEWS, "profile": profile(Room("FX:USDJPY", "1D"), timezone="UTC")}
    },
    "demand of nobody": {"type": "fcs.demand", "rooms": [], "new": []},
    "demand for bad rooms": {"type": "fcs.demand", "hub": "x", "rooms": [1], "new": []},
}


@pytest.mark.parametrize("what", MALFORMED)
@pytest.mark.parametrize("subprotocols", [(), (MERGE_PROTOCOL,)])
async def test_a_malformed_group_message_is_counted_and_dropped_and_prices_go_on(
    what: str, subprotocols: tuple[str, ...], shared_layer: type[SharedLayer]
) -> None:
    async with browsing(subprotocols=subprotocols) as browser:
        await assert_prices_flow(browser)
        for group in (EURUSD.group, HUBS):
            await shared_layer.behind.group_send(group, MALFORMED[what])
        await eventually(lambda: counts().get("layer_malformed", 0) == 2)
        await push_price(EURUSD, close=1.375)
        while (price := await browser.until("price"))["prices"].get("c") != 1.375:
            pass

        assert price["symbol"] == "FX:EURUSD"
        assert "hub_layer_reconnects" not in counts()


FIELDS = st.sampled_from(
    [*PRICE, *BEAT, *NEWS, "hub", "rooms", "new", "type", "text", "profile", "at", "epoch", "x"]
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.binary(max_size=20),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.sampled_from(["fcs.price", "fcs.beat", "fcs.room", "fcs.demand", "FX:EURUSD_1D", PROFILE]),
)


@given(
    messages=st.lists(
        st.tuples(
            st.sampled_from([PRICE, BEAT, NEWS, {}]),
            st.dictionaries(FIELDS, VALUES, max_size=3),
            st.sampled_from([EURUSD.group, HUBS, DEMAND]),
        ),
        max_size=20,
    )
)
@settings(
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@pytest.mark.parametrize("merge", [False, True])
async def test_whatever_is_said_to_our_groups_browsers_hear_well_formed_frames(
    merge: bool,
    messages: list[tuple[dict[str, Any], dict[str, Any], str]],
    shared_layer: type[SharedLayer],
) -> None:
    """Nothing of it ends the hub's work: it would say so, and leave its prices behind."""
    subprotocols = (MERGE_PROTOCOL,) if merge else ()
    with override_settings(FCS_MAX_FRAMES_PER_SECOND=1000):
        await assert_all_is_heard(messages, subprotocols, shared_layer)


async def say_again(layer: type[SharedLayer], events: dict[str, dict[str, Any]]) -> None:
    while True:
        for group, event in events.items():
            await layer.behind.group_send(group, event)
        await asyncio.sleep(0.05)


async def assert_all_is_heard(
    messages: list[tuple[dict[str, Any], dict[str, Any], str]],
    subprotocols: tuple[str, ...],
    shared_layer: type[SharedLayer],
) -> None:
    async with browsing(subprotocols=subprotocols) as browser:
        await browser.join(timeframe="1D")
        await browser.until("message", short="joined_room")
        await eventually(lambda: EURUSD.group in shared_layer.behind.groups)
        for base, fields, group in messages:
            await shared_layer.behind.group_send(group, {**base, **fields})
        # A gap makes the hub begin again: what it misses meanwhile a stream says again. Of an
        # epoch above any that a forged beat may have had.
        epoch = int((time.time() + EPOCH_AHEAD_SECONDS - 60) * 1000)
        beat = Beat(epoch, PathReport(1000.5, online=True, reason="")).event()
        last = update(EURUSD, seq=1000 * epoch, at=1000.0, epoch=epoch).event()
        async with running(say_again(shared_layer, {HUBS: beat, EURUSD.group: last})):
            while (await browser.until("price")).get("seq") != 1000 * epoch:
                pass

        assert "hub_layer_reconnects" not in counts()

"""Quotes: the last price as a view reads it, with its age and what it may claim."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import override_settings

from django_fcs import quotes
from django_fcs.exceptions import BadSymbol, BadTimeframe
from django_fcs.prices.paths import PathReport
from django_fcs.prices.recent import SeenRoom
from django_fcs.prices.states import OPENING_SECONDS, Expectation, Outage, State
from django_fcs.prices.store import LastValue, MemoryStore
from django_fcs.protocol import Price, serialise
from django_fcs.quotes import Quote, aget_quote, get_quote
from django_fcs.rooms import Room
from django_fcs.tools.metrics import counts

NOW = 1_700_000_000.0
ROOM = Room("FX:EURUSD", "1D")
OPEN = Expectation()
ONLINE = PathReport(NOW - 1, online=True, reason="")


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    store = MemoryStore()
    monkeypatch.setattr(quotes, "site_store", lambda: store)
    monkeypatch.setattr(quotes, "time", SimpleNamespace(time=lambda: NOW))
    return store


def text_of(room: Room = ROOM, **fields: Any) -> str:
    known = {"mode": "candle", "c": 1.5, "seq": 1, "at": NOW - 2, **fields}
    return serialise(Price(symbol=room.symbol, timeframe=room.timeframe, **known))


def quote_of(
    store: MemoryStore,
    *,
    expected: Expectation = OPEN,
    beat: PathReport = ONLINE,
    **fields: Any,
) -> Quote:
    store.save({ROOM: LastValue(text_of(**fields), expected)}, beat)
    quote = get_quote("FX:EURUSD")
    assert quote is not None
    return quote


def test_a_quote_holds_all_that_is_known_of_a_room(store: MemoryStore) -> None:
    quote = quote_of(
        store,
        t=1699920000,
        o=1.1,
        h=1.6,
        l=1.05,
        c=1.5,
        v=7,
        a=1.51,
        b=1.49,
        update=NOW - 5,
        pc=1.2,
        ch=0.3,
        chp=25.0,
        digits=5,
        delay=900,
    )

    assert quote == Quote(
        room=ROOM,
        open=1.1,
        high=1.6,
        low=1.05,
        close=1.5,
        volume=7,
        ask=1.51,
        bid=1.49,
        previous_close=1.2,
        change=0.3,
        change_percent=25.0,
        spread=0.02,
        digits=5,
        t=1699920000,
        updated=datetime.fromtimestamp(NOW - 5, timezone.utc),
        at=NOW - 2,
        age=2.0,
        state=State.LIVE,
        delay=900,
    )


def test_a_quote_has_the_name_of_its_instrument(store: MemoryStore) -> None:
    quote = quote_of(store)

    assert quote.name == quote.as_dict()["name"] == "Euro / US dollar"
    with override_settings(FCS_NAMES={"FX:EURUSD": "The euro"}):
        assert quote.name == quote.as_dict()["name"] == "The euro"


def test_what_is_not_known_is_none_and_not_zero(store: MemoryStore) -> None:
    quote = quote_of(store)
    unknown = {name for name, value in dataclasses.asdict(quote).items() if value is None}

    assert unknown == {
        *("open", "high", "low", "volume", "ask", "bid", "spread", "t", "delay", "until"),
        *("previous_close", "change", "change_percent"),
    }
    assert quote.digits == 5


def test_without_decimals_of_the_feed_those_of_the_market_are_taken(store: MemoryStore) -> None:
    apple = Room("NASDAQ:AAPL", "1D")
    store.save({apple: LastValue(text_of(apple))}, ONLINE)
    quote = get_quote("NASDAQ:AAPL")

    assert quote is not None and quote.digits == 0
    assert quote_of(store, digits=0).digits == 0


def test_a_room_of_which_nothing_is_known_has_no_quote() -> None:
    assert get_quote("FX:EURUSD") is None


def test_timeframes_are_rooms_of_their_own_whatever_their_spelling(store: MemoryStore) -> None:
    hour = Room("FX:EURUSD", "60")
    store.save({hour: LastValue(text_of(hour))}, ONLINE)

    assert get_quote("FX:EURUSD") is None
    for spelling in ("60", "1h", "1H"):
        quote = get_quote("FX:EURUSD", spelling)
        assert quote is not None and quote.room == hour
    with override_settings(FCS_TIMEFRAME="1h"):
        assert get_quote("FX:EURUSD") is not None


async def test_an_async_view_gets_the_same_quote(store: MemoryStore) -> None:
    quote = quote_of(store)

    assert await aget_quote("FX:EURUSD") == quote
    assert await aget_quote("FX:EURUSD", "60") is None


async def test_a_bad_symbol_or_timeframe_is_an_error_of_the_caller() -> None:
    with pytest.raises(BadSymbol, match="'eurusd'"):
        get_quote("eurusd")
    with pytest.raises(BadTimeframe, match="'2h'"):
        get_quote("FX:EURUSD", "2h")
    with pytest.raises(BadSymbol, match="'eurusd'"):
        await aget_quote("eurusd")


@override_settings(CHANNEL_LAYERS={})
async def test_a_site_without_a_channel_layer_has_pages_without_prices(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()

    assert get_quote("FX:EURUSD") is None
    assert await aget_quote("FX:EURUSD") is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "junk", "[]", '{"type":"ping"}'),
        '{"type":"price","symbol":"FX:EURUSD","timeframe":"1D","prices":{"c":1.5}}',
    ],
)
def test_a_text_that_is_no_price_is_no_quote(store: MemoryStore, text: str) -> None:
    store.save({ROOM: LastValue(text)}, ONLINE)

    assert get_quote("FX:EURUSD") is None


# -- time


def test_the_time_of_a_quote_is_the_feeds_own(store: MemoryStore) -> None:
    quote = quote_of(store, update=NOW - 900)

    assert quote.updated == datetime.fromtimestamp(NOW - 900, timezone.utc)
    assert (quote.at, quote.age) == (NOW - 2, 2)


def test_where_the_feed_names_no_time_it_is_that_of_the_arrival(store: MemoryStore) -> None:
    assert quote_of(store).updated == datetime.fromtimestamp(NOW - 2, timezone.utc)


@pytest.mark.parametrize(
    "fields",
    [
        *({"update": odd} for odd in (NOW * 1000, -1e20, 1e300, 253402300799.0)),
        *({"at": odd} for odd in (NOW * 1000, 1e300, -1e300)),
        *({name: odd} for name in ("c", "a", "pc", "ch", "chp", "v") for odd in (1e29, 1e300)),
        *({"digits": odd} for odd in (99, -1)),
        {"delay": 10**18},
        {"seq": 2**62},
        {"at": None},
        {"seq": None},
    ],
)
def test_a_text_out_of_bounds_is_no_quote(store: MemoryStore, fields: dict[str, Any]) -> None:
    usdjpy = Room("FX:USDJPY", "1D")
    store.save({ROOM: LastValue(text_of(**fields)), usdjpy: LastValue(text_of(usdjpy))}, ONLINE)

    assert get_quote("FX:EURUSD") is None
    assert get_quote("FX:USDJPY") is not None
    assert counts()["store_malformed"] == 1


@pytest.mark.parametrize("other", [Room("FX:USDJPY", "1D"), Room("FX:EURUSD", "60")])
def test_the_text_of_another_room_is_no_quote(store: MemoryStore, other: Room) -> None:
    store.save({ROOM: LastValue(text_of(other))}, ONLINE)

    assert get_quote("FX:EURUSD") is None


def test_a_stream_whose_clock_is_ahead_gives_no_negative_age(store: MemoryStore) -> None:
    quote = quote_of(store, at=NOW + 5)

    assert (quote.age, quote.state) == (0, State.LIVE)


def test_what_comes_from_the_future_is_not_live_until_that_is_here(store: MemoryStore) -> None:
    """The clock was put back, and nothing has come since."""
    beat = PathReport(NOW + 3600, online=True, reason="")

    assert quote_of(store, at=NOW + 3600).state is State.STALE
    assert quote_of(store, at=NOW - 1, beat=beat).state is State.OFFLINE


# -- state


def test_a_price_from_before_a_break_is_not_live_until_its_room_is_heard_again(
    store: MemoryStore,
) -> None:
    short, long = (
        PathReport(NOW, online=True, reason="", outage=Outage(NOW - length, NOW - 2))
        for length in (12, 14)
    )
    closed = Expectation(closed=True)

    assert quote_of(store, at=NOW - 3, beat=short).state is State.LIVE
    assert quote_of(store, at=NOW - 3, beat=long).state is State.OFFLINE
    assert quote_of(store, at=NOW - 3, beat=long, expected=closed).state is State.CLOSED
    assert quote_of(store, at=NOW - 1, beat=long).state is State.LIVE


@pytest.mark.parametrize(
    ("age", "closed", "beat", "state"),
    [
        (2, False, ONLINE, State.LIVE),
        (61, False, ONLINE, State.STALE),
        (61, True, ONLINE, State.CLOSED),
        (2, True, ONLINE, State.CLOSED),
        (2, False, PathReport(NOW - 11, online=True, reason=""), State.OFFLINE),
        (2, True, PathReport(NOW - 1, online=False, reason="x"), State.OFFLINE),
        (2, False, PathReport(NOW - 1, online=True, reason="", silence=12), State.LIVE),
        (2, False, PathReport(NOW - 1, online=True, reason="", silence=12.1), State.OFFLINE),
    ],
)
def test_a_quote_claims_no_more_than_is_known(
    store: MemoryStore, age: float, closed: bool, beat: PathReport, state: State
) -> None:
    expected = Expectation(closed=closed)

    assert quote_of(store, at=NOW - age, expected=expected, beat=beat).state is state


@pytest.mark.parametrize(
    ("age", "expected", "state"),
    [
        (300, Expectation(patience=300), State.LIVE),
        (301, Expectation(patience=300), State.STALE),
        (1, Expectation(overdue=True), State.STALE),
        # It opened 30 s ago, and then 61: the price of the last session, then one that is missed.
        (9000, Expectation(since=NOW - 30, until=NOW + 999), State.CLOSED),
        (9000, Expectation(since=NOW - 61, until=NOW + 999), State.STALE),
    ],
)
def test_the_rooms_own_rate_and_its_markets_hours_count(
    store: MemoryStore, age: float, expected: Expectation, state: State
) -> None:
    quote = quote_of(store, at=NOW - age, expected=expected)

    assert (quote.state, quote.until) == (state, None)


@pytest.mark.parametrize(
    ("expected", "state"),
    [
        (Expectation(patience=300), State.STALE),
        (Expectation(closed=True, until=NOW + 1), State.CLOSED),
        (Expectation(closed=True, until=NOW), State.STALE),
        # Nobody will hear of its opening.
        (Expectation(closed=True), State.STALE),
    ],
)
def test_a_room_that_is_streamed_no_longer_is_not_live(
    store: MemoryStore, expected: Expectation, state: State
) -> None:
    assert quote_of(store, at=NOW - 1, expected=expected.left()).state is state


def test_a_market_that_should_have_opened_long_ago_is_not_closed(store: MemoryStore) -> None:
    """No stream says anything of the room."""
    states = [
        quote_of(
            store, at=NOW - 9000, expected=Expectation(True, 9999, NOW - 9100, NOW - late)
        ).state
        for late in (OPENING_SECONDS - 1, OPENING_SECONDS)
    ]

    assert states == [State.CLOSED, State.STALE]


def test_a_closed_market_says_when_it_opens_and_a_broken_path_does_not(store: MemoryStore) -> None:
    expected = Expectation(closed=True, until=NOW + 3600)
    gone = PathReport(NOW - 1, online=False, reason="x")

    assert quote_of(store, expected=expected).until == NOW + 3600
    assert quote_of(store, expected=expected, beat=gone).until is None


def test_a_price_without_any_sign_of_life_is_not_live() -> None:
    value = LastValue(text_of())

    assert quotes._quote(ROOM, SeenRoom(value, None, None), NOW).state is State.OFFLINE


@override_settings(FCS_STALE_AFTER_SECONDS=5, FCS_OFFLINE_AFTER_SECONDS=100)
def test_the_site_says_how_old_is_stale_and_how_long_a_silence_is_offline(
    store: MemoryStore,
) -> None:
    late = PathReport(NOW - 99, online=True, reason="")

    assert quote_of(store, at=NOW - 6, beat=late).state is State.STALE


# -- direction and spread


@pytest.mark.parametrize(
    ("change", "direction"), [(0.1, "up"), (-0.1, "down"), (0.0, None), (-0.0, None), (None, None)]
)
def test_the_direction_is_the_sign_of_the_change(
    store: MemoryStore, change: float | None, direction: str | None
) -> None:
    assert quote_of(store, ch=change).direction == direction


def test_the_spread_is_free_of_the_noise_of_binary_numbers(store: MemoryStore) -> None:
    assert quote_of(store, a=1.12172, b=1.1212, digits=5).spread == 0.00052
    assert quote_of(store, a=1.17517, b=1.17514, digits=4).spread == 0.00003
    assert quote_of(store, a=1.12172).spread is None
    assert quote_of(store, b=1.1212).spread is None


def test_a_quote_cannot_be_changed_by_who_shows_it(store: MemoryStore) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        quote_of(store).close = 2  # type: ignore[misc]

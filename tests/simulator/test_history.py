"""The simulator's REST history without a network: rows, pages, forms, keys and faults."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, strategies as st

from django_fcs.recording import read
from django_fcs.rooms import TIMEFRAMES, Room
from django_fcs.simulator import Faults, RandomWalk, Replay
from django_fcs.simulator.bounds import candle_bounds
from django_fcs.simulator.history import Desk, Reply
from django_fcs.simulator.sources import Source
from django_fcs.values.timeframes import REST_PERIODS
from tests.support.recordings import DATA

NOON = 1766577600  # 24 December 2025
NOW = NOON + 450.25
BTCUSDT = Room("BINANCE:BTCUSDT", "1")


class Shop:
    """A desk with a clock and faults that a test sets."""

    def __init__(self, source: Source | None = None, **faults: Any) -> None:
        self.now = NOW
        self.faults = Faults(**faults)
        self.keys: set[str] | None = None
        self.source = source or RandomWalk(seed=1)

    @property
    def desk(self) -> Desk:
        return Desk(self.source, faults=lambda: self.faults, keys=self.keys, clock=lambda: self.now)

    def reply(self, **parameters: Any) -> Reply:
        return self.get("/forex/history", **parameters)

    def get(self, path: str, **parameters: Any) -> Reply:
        given = {"access_key": "test", "symbol": "BINANCE:BTCUSDT", "period": "1m", **parameters}
        return self.desk.answer(path, {name.strip("_"): str(v) for name, v in given.items()})

    def ask(self, **parameters: object) -> Any:
        return json.loads(self.reply(**parameters).body)

    def rows(self, **parameters: object) -> Any:
        return self.ask(is_chart=1, **parameters)["response"]

    def times(self, **parameters: object) -> list[int]:
        return [row[0] for row in self.rows(**parameters)]


# -- the vendor's forms


def test_candles_come_as_an_object_by_their_times() -> None:
    answer = Shop().ask(symbol="NASDAQ:AAPL", period="1D", length=2)

    day = NOON - 43_200
    assert list(answer["response"]) == [str(day - 86_400), str(day)]
    row = answer["response"][str(day)]
    assert list(row) == ["t", "o", "h", "l", "c", "v", "tm"]
    assert (row["t"], row["tm"]) == (day, "2025-12-24 00:00:00")
    assert answer == {
        **{"status": True, "code": 200, "msg": "Successfully", "response": answer["response"]},
        "info": {
            **{"server_time": int(NOW), "credit_count": 1, "ticker": "NASDAQ:AAPL"},
            **{"period": "1D", "meta": {"pricescale": 100, "minmov": 1}},
        },
    }


@pytest.mark.parametrize("flag", [{"is_chart": 1}, {"candle": "chart"}])
def test_candles_come_as_arrays_if_a_chart_asks(flag: dict[str, object]) -> None:
    as_object = Shop().ask(length=3)["response"]

    assert Shop().ask(length=3, **flag)["response"] == [
        [row[name] for name in "tohlcv"] for row in as_object.values()
    ]


@pytest.mark.parametrize("market", ["forex", "crypto", "stock"])
def test_each_market_answers_for_any_symbol(market: str) -> None:
    assert Shop().get(f"/{market}/history").status == 200


@pytest.mark.parametrize(
    ("timeframe", "periods"),
    [("1", ["1m", "1"]), ("60", ["1h", "60"]), ("240", ["4h", "240"]), ("1M", ["1M"])],
)
def test_periods_have_the_vendors_two_spellings(timeframe: str, periods: list[str]) -> None:
    start, _ = candle_bounds(timeframe, NOW)

    for period in periods:
        answer = Shop().ask(period=period, is_chart=1)
        assert answer["response"][-1][0] == start
        assert answer["info"]["period"] == period


@pytest.mark.parametrize(
    "parameters",
    [
        *({"period": "2h"}, {"period": "1Min"}, {"period": "0"}, {"symbol": "EURUSD"}),
        *({"symbol": ""}, {"length": 0}, {"length": "many"}, {"length": -5}, {"page": 0}),
        *({"from_": "yesterday"}, {"to": "2025-13-01"}, {"to": str(NOON * 1000)}, {"page": "²"}),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_reason(parameters: dict[str, object]) -> None:
    shop = Shop()

    reply = shop.reply(**parameters)

    answer = json.loads(reply.body)
    assert (reply.status, answer["status"], answer["code"]) == (200, False, 400)
    assert answer["msg"]
    assert answer["response"] is None


def test_other_paths_are_not_found() -> None:
    assert Shop().get("/forex/latest").status == 404


@given(
    st.dictionaries(
        st.sampled_from(["symbol", "period", "length", "from", "to", "page"]), st.text()
    )
)
def test_any_parameters_get_an_answer(parameters: dict[str, str]) -> None:
    answer = json.loads(
        Shop().desk.answer("/forex/history", {"access_key": "x", **parameters}).body
    )

    assert answer["status"] in (True, False)


# -- which candles


def test_the_last_candle_still_forms() -> None:
    shop = Shop()
    before, forming = shop.rows(length=2)
    assert forming[0] <= NOW < forming[0] + 60

    shop.now += 60

    after, _ = shop.rows(length=2)
    assert after[0] == forming[0]
    assert after[5] > forming[5]
    assert before[0] == forming[0] - 60


def test_a_request_without_a_length_gets_300_and_none_more_than_10_000() -> None:
    assert [len(Shop().rows(**it)) for it in ({}, {"length": 10**9})] == [300, 10_000]
    assert Shop().ask(length=250)["info"]["credit_count"] == 3


def test_the_free_key_gets_300() -> None:
    assert len(Shop().rows(access_key="free", length=1000)) == 300


def test_pages_go_back_in_time_without_a_gap_or_a_double() -> None:
    shop = Shop()

    times = [t for page in (3, 2, 1) for t in shop.times(length=50, page=page)]

    assert times == shop.times(length=150)
    assert times == list(range(times[0], times[0] + 150 * 60, 60))


def test_history_ends_with_the_year_2000_and_then_pages_are_empty() -> None:
    days = Shop().times(period="1D", length=10_000)

    assert days[0] == 946_684_800
    answer = Shop().ask(period="1D", length=10_000, page=2)
    assert (answer["status"], answer["response"]) == (True, [])
    assert answer["info"]["credit_count"] == 0


def test_a_range_may_be_unix_times_or_dates() -> None:
    shop = Shop()
    hours = shop.times(period="1h", from_=NOON - 7200, to=NOON)
    assert hours == [NOON - 7200, NOON - 3600, NOON]

    dates = shop.times(period="1h", from_="2025-12-23", to="2025-12-23")
    assert len(dates) == 24
    assert dates[0] == NOON - 43_200 - 86_400

    assert shop.times(from_=NOON, to=NOON - 60) == []
    assert shop.times(from_=NOON + 86_400) == []
    assert shop.times(from_="9999-12-31") == []
    assert shop.times(from_=NOON, to=NOON + 3600, length=2) == shop.times(length=2)


@pytest.mark.parametrize("timeframe", TIMEFRAMES)
def test_a_part_is_the_same_as_in_the_whole(timeframe: str) -> None:
    spelling = REST_PERIODS[timeframe]
    rows = Shop().rows(period=spelling, length=60)

    start, end = rows[10][0], rows[20][0]

    assert Shop().rows(period=spelling, from_=start, to=end) == rows[10:21]


def test_what_a_socket_was_told_of_candles_that_ended_is_what_history_says() -> None:
    source = RandomWalk(seed=1, rate=3)
    rooms = [Room(symbol, tf) for symbol in ("FX:EURUSD", "NASDAQ:AAPL") for tf in ("1", "5")]
    told: dict[tuple[Room, int], list[Any]] = {}
    for room in rooms:
        source.open(room, NOW)
    while (due := source.due() or 0) < NOW + 900:
        for room, prices in source.advance(due):
            if prices["mode"] == "candle":
                told[room, prices["t"]] = [prices[name] for name in "tohlcv"]

    shop = Shop(source)
    shop.now = NOW + 900
    for room in rooms:
        ended = shop.rows(symbol=room.symbol, period=room.timeframe)[:-1]
        known = [candle for (where, _), candle in told.items() if where == room][:-1]
        assert known == ended[-len(known) :]
        assert len(known) >= 3


# -- recordings


def test_the_history_of_a_recording_grows_with_its_replay() -> None:
    room = Room("FX:EURUSD", "1")
    replay = Replay(read(DATA / "fx-eurusd-2020-01-01.jsonl"), speed=0)
    shop = Shop(replay)
    asked = {"symbol": "FX:EURUSD", "period": "1m", "length": 10_000}
    assert shop.rows(**asked) == []

    replay.open(room, NOON)
    shop_before = shop.rows(**asked)
    while replay.due() is not None:
        replay.advance(NOON)
    rows = shop.rows(**asked)

    assert [row[0] for row in shop_before] == [1577898000]
    assert rows == [[*row] for row in recorded(room)]
    assert shop.ask(**asked)["info"]["meta"]["pricescale"] == 100_000
    assert shop.times(**asked, from_=rows[5][0], to=rows[9][0]) == [row[0] for row in rows[5:10]]
    assert shop.times(**{**asked, "length": 3, "page": 2}) == [row[0] for row in rows[-6:-3]]
    assert shop.ask(symbol="FX:EURUSD", period="1h")["status"] is False


def recorded(room: Room) -> list[list[float]]:
    """Return the last candle of each minute in the recording."""
    candles: dict[int, list[float]] = {}
    for frame in read(DATA / "fx-eurusd-2020-01-01.jsonl"):
        prices = json.loads(frame.text).get("prices", {})
        if prices.get("mode") in ("initial", "candle"):
            candles[prices["t"]] = [prices[name] for name in "tohlcv"]
        elif prices.get("mode") == "askbid":
            candles[prices["t"]][4] = prices["c"]
    return [candles[t] for t in sorted(candles)]


# -- keys, and what was asked


def test_keys_are_those_of_the_socket() -> None:
    shop = Shop()
    for key in ("", "bad_key"):
        reply = shop.reply(access_key=key)
        assert reply.status == 401
        assert json.loads(reply.body)["status"] is False

    shop.keys = {"good"}
    assert [shop.reply(access_key=key).status for key in ("good", "test")] == [
        200,
        401,
    ]


def test_requests_are_remembered_also_those_that_are_refused() -> None:
    shop = Shop(rest_status=429)
    desk = shop.desk
    parameters = {"symbol": "FX:EURUSD", "period": "1h", "from": "2025-12-24", "to": f"{NOON}"}

    desk.answer("/forex/history", {**parameters, "page": "2", "is_chart": "1"})

    [asked] = desk.asked
    assert asked._asdict() == {
        **{"at": NOW, "symbol": "FX:EURUSD", "period": "1h", "length": 300},
        **{"start": NOON - 43_200, "end": NOON, "page": 2, "is_array": True},
    }


# -- faults


def test_the_order_of_candles_can_change_and_the_candles_do_not() -> None:
    rows = Shop().rows(length=20)

    assert Shop(rest_order="descending").rows(length=20) == rows[::-1]
    shuffled = Shop(rest_order="shuffled").rows(length=20)
    assert shuffled != rows == sorted(shuffled)


def test_pages_can_overlap() -> None:
    shop = Shop(rest_overlap=3)

    pages = [shop.times(length=10, page=page) for page in (1, 2, 3)]

    assert pages[1][-3:] == pages[0][:3]
    assert pages[2][-3:] == pages[1][:3]
    assert shop.times(length=2, page=2) != shop.times(length=2, page=3)


def test_the_candle_that_forms_can_be_left_out() -> None:
    assert Shop(rest_forming=False).times(length=5)[-1] == candle_bounds("1", NOW)[0] - 60


def test_the_form_can_be_another_than_asked_for() -> None:
    assert isinstance(Shop(rest_form="object").rows(), dict)
    assert isinstance(Shop(rest_form="array").ask()["response"], list)


def test_numbers_can_be_strings() -> None:
    rows = Shop(rest_strings=True).rows(symbol="BINANCE:SHIBUSDT")

    assert all(isinstance(value, str) and "e" not in value for row in rows for value in row)


def test_the_end_of_a_range_can_be_exclusive() -> None:
    asked = {"period": "1h", "from_": NOON - 7200, "to": NOON}

    assert Shop(rest_to="exclusive").times(**asked) == [NOON - 7200, NOON - 3600]


def test_half_a_day_can_be_missing() -> None:
    shop = Shop(rest_missing_from=NOON - 43_200, rest_missing_to=NOON)

    hours = shop.times(period="1h", from_=NOON - 86_400)

    assert hours == [*range(NOON - 86_400, NOON - 43_200, 3600), NOON]


@pytest.mark.parametrize("form", ["array", "object"])
def test_an_answer_can_be_empty(form: str) -> None:
    answer = Shop(rest_empty=True, rest_form=form).ask()

    assert (answer["status"], answer["response"]) == (True, [])


@pytest.mark.parametrize("retry_after", ["", "30"])
def test_requests_can_be_refused_with_a_status(retry_after: str) -> None:
    reply = Shop(rest_status=429, rest_retry_after=retry_after).reply()

    assert (reply.status, reply.retry_after) == (429, retry_after)
    assert json.loads(reply.body)["msg"] == "Too many requests"


def test_requests_can_be_refused_with_a_message() -> None:
    shop = Shop(rest_message="Your plan does not include this")

    assert shop.reply().status == 200
    assert shop.ask()["status"] is False
    assert shop.ask()["msg"] == "Your plan does not include this"


def test_an_answer_can_be_cut_in_three_places() -> None:
    shop = Shop()
    whole = shop.reply()

    shop.faults = replace(shop.faults, rest_cut="json")
    assert shop.reply().length == len(shop.reply().body) == len(whole.body) // 2
    shop.faults = replace(shop.faults, rest_cut="body")
    assert len(shop.reply().body) < shop.reply().length == len(whole.body)
    shop.faults = replace(shop.faults, rest_cut="connection")
    assert shop.reply().is_cut


def test_unknown_symbols_have_no_history() -> None:
    assert Shop(unknown=("BINANCE:*",)).ask()["status"] is False

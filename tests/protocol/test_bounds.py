"""The bounds at the door: what is out of them never gets in, by either reader."""

from __future__ import annotations

import json
import math
from datetime import datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import msgspec
import pytest
from hypothesis import example, given, settings, strategies as st

from django_fcs.exceptions import ProtocolError
from django_fcs.protocol import Price, Unusable, bounds, frames as protocol, parse
from django_fcs.protocol.ticks import read_head, read_tick

CANDLE: dict[str, Any] = {
    **{"mode": "candle", "t": 1766361600, "o": 1.1, "h": 1.2, "l": 1.0, "c": 1.15},
    **{"v": 10, "a": 1.16, "b": 1.15, "update": 1766411426},
}


def text_of(**changed: Any) -> str:
    prices = {**CANDLE, **changed}
    frame = {"type": "price", "symbol": "FX:EURUSD", "timeframe": "1D", "prices": prices}
    return json.dumps(frame)


def price_of(text: str) -> Price:
    price = parse(text)[0]
    assert isinstance(price, Price)
    return price


@pytest.mark.parametrize("name", ["o", "h", "l", "c", "a", "b"])
@pytest.mark.parametrize("value", [1e29, -1e29, 1e300, -1e300, 1.1e15, 1e-300, -1e-16, "1e29"])
def test_a_number_that_can_be_no_price_makes_the_price_unusable(name: str, value: object) -> None:
    text = text_of(**{name: value})

    assert read_tick(text) is None
    with pytest.raises(ProtocolError, match=f"{name}=.* is not a price"):
        parse(text)


@pytest.mark.parametrize("value", [0, 1e15, -1e15, 1e-15, -37.63, 1.234e-10, 0.000012395678])
def test_every_price_that_has_ever_been_quoted_is_within_the_bounds(value: float) -> None:
    assert price_of(text_of(c=value)).c == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("v", 1e41), ("v", -1), ("v", 1e300), ("v", "nan")),
        *(("update", 1766361600123), ("update", 9e12), ("update", 253402300799)),
        *(("update", -1), ("update", 1e300), ("update", 32503680001), ("update", "inf")),
        *(("digits", 21), ("digits", -1), ("digits", 5.5), ("digits", 99), ("digits", 10**400)),
        *(("delay", 86_401), ("delay", -5), ("delay", "soon"), ("v", "n/a"), ("v", [])),
        *(("ch", 1e29), ("chp", 1e29), ("chp", "inf"), ("pc", 1e29), ("pc", 1e-300)),
        *(("history", [{"c": "nan"}]), ("history", [{"c": "inf"}]), ("history", [{"h": "-inf"}])),
        *(("history", [{"c": 1e29}]), ("history", [{"c": 1, "t": 9 * 10**12}, {"c": 1}])),
    ],
)
def test_without_an_extra_that_is_out_of_bounds_the_price_counts(name: str, value: object) -> None:
    price, left_out = parse(text_of(**{name: value}))

    assert price == price_of(text_of(**{name: None}))
    assert isinstance(left_out, Unusable) and left_out.reason.startswith(name)
    assert left_out.reason.isprintable()


@pytest.mark.parametrize(
    "extra",
    [
        *({"seq": 1766361600123456789}, {"seq": -1}, {"seq": "first"}, {"seq": 1.5}),
        *({"at": 1766361600123}, {"at": "now"}),
    ],
)
def test_without_a_number_or_an_arrival_out_of_bounds_the_price_counts(
    extra: dict[str, object],
) -> None:
    price, left_out = parse(json.dumps({**json.loads(text_of()), **extra}))

    assert price == price_of(text_of())
    assert isinstance(left_out, Unusable) and left_out.reason.split()[0] in extra


@pytest.mark.parametrize("t", [1766361600000, -1, 9e12, 1e300, "nan", 1.5, 1766361600.5])
def test_a_price_that_opens_at_no_possible_time_is_unusable(t: object) -> None:
    with pytest.raises(ProtocolError):
        parse(text_of(t=t))


def test_one_price_out_of_bounds_takes_no_other_of_its_array_along() -> None:
    first, unusable, last = parse(f"[{text_of()},{text_of(c=1e29)},{text_of(c=1.17)}]")

    assert isinstance(first, Price) and isinstance(last, Price)
    assert (first.c, last.c) == (1.15, 1.17)
    assert unusable == Unusable(reason="c=1e+29 is not a price")


@pytest.mark.parametrize(
    "candle",
    [{"c": 1e29}, {"c": 1e-300}, {"c": 1, "t": 9 * 10**12}, {"c": 1, "t": 10**400}, {"v": 1e41}],
)
def test_a_history_out_of_bounds_is_no_history(candle: dict[str, float]) -> None:
    assert price_of(text_of(history=[candle])).history is None


def test_what_a_hub_hands_on_is_within_the_same_bounds() -> None:
    def head_of(*, seq: object = 1, at: object = 1766411426.5, **changed: object) -> None:
        frame = json.loads(text_of(**changed))
        read_head(json.dumps({**frame, "seq": seq, "at": at}))

    head_of(digits=20, delay=900, ch=0.1, chp=1.5, pc=1.05)
    for out_of_bounds in (
        *({"seq": 2**53}, {"seq": -1}, {"at": 1e300}, {"at": 9e12}, {"c": 1e29}, {"c": 1e-300}),
        *({"v": 1e41}, {"v": -1}, {"update": 9e12}, {"t": -1}, {"t": 4e10}, {"digits": 99}),
        *({"delay": 10**12}, {"ch": 1e300}, {"chp": 1e300}, {"pc": 1e300}),
    ):
        with pytest.raises(ProtocolError):
            head_of(**out_of_bounds)


wild = st.one_of(
    st.floats(),
    st.floats(-2, 2),
    st.integers(-(2**80), 2**80),
    st.sampled_from([bounds.PRICE_MAX, bounds.PRICE_MIN, bounds.VOLUME_MAX, bounds.TIME_MAX]),
    st.sampled_from([1e-300, 5e-324, -0.0, 1e41, 9e12, 1766361600123, 253402300799, 4102444800]),
)


@given(st.dictionaries(st.sampled_from("tohlcvab"), wild) | st.fixed_dictionaries({"update": wild}))
@example({"t": bounds.TIME_MAX, "update": 0, "c": 0})
@settings(deadline=None, max_examples=200)
def test_both_readers_agree_on_the_bounds_and_all_that_is_read_can_be_used(
    changed: dict[str, float],
) -> None:
    text = text_of(**changed)
    try:
        slowly = protocol._parse_any(text)
    except ProtocolError:
        slowly = []
    quickly = read_tick(text)

    has_faults = not slowly or len(slowly) > 1
    is_whole = isinstance(json.loads(text)["prices"]["t"], int)
    assert (quickly is None) == (has_faults or not is_whole)
    assert quickly is None or slowly == [quickly]
    for price in slowly:
        if isinstance(price, Price):
            assert_usable(price)


def assert_usable(price: Price) -> None:
    numbers = [price.o, price.h, price.l, price.c, price.a, price.b]
    known = [number for number in numbers if number is not None]
    for one in known:
        for other in known:
            assert math.isfinite(one - other) and math.isfinite(one + other)
            assert not other or math.isfinite((one - other) / other * 100)
    for seconds in (price.t, price.update):
        if seconds is not None:
            datetime.fromtimestamp(seconds, timezone.utc)


@pytest.mark.parametrize("seconds", [-bounds.TIME_MAX, 0, bounds.TIME_MAX])
def test_every_time_within_the_bounds_can_be_shown_in_every_time_zone(seconds: int) -> None:
    moment = datetime.fromtimestamp(seconds, timezone.utc)

    assert abs(seconds) * 1000 < 8.64e15  # the last date of a browser
    for name in ("Asia/Tokyo", "Pacific/Kiritimati", "Etc/GMT+12", *sorted(available_timezones())):
        assert moment.astimezone(ZoneInfo(name)).isoformat()


def test_times_and_durations_of_the_layer_and_the_cache_are_bounded() -> None:
    for kind in (bounds.UnixTime, bounds.Seconds):
        assert msgspec.convert(bounds.TIME_MAX, kind) == bounds.TIME_MAX
        for value in (1e300, -1e300, 9e12, math.inf, math.nan):
            with pytest.raises(msgspec.ValidationError):
                msgspec.convert(value, kind)

"""The protocol: whatever comes does no harm, and what is written is read back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st

from django_fcs.exceptions import ProtocolError
from django_fcs.protocol import (
    PRICE_MODES,
    Candle,
    Heartbeat,
    Join,
    Joined,
    Leave,
    Message,
    Notice,
    Ping,
    Pong,
    Price,
    ProfileUpdate,
    Rate,
    Refusal,
    RemoveAll,
    RoomState,
    Token,
    Unknown,
    Unusable,
    Welcome,
    bounds,
    frames as protocol,
    parse,
    serialise,
)
from django_fcs.protocol.ticks import read_tick
from tests.protocol.test_frames import ASKBID, CANDLE, CONFIRMATION, PROFILE
from tests.support.recordings import DATA

RECORDINGS = [
    *("crypto-btcusdt-2021-01-08.jsonl", "fx-eurusd-2020-01-01.jsonl"),
    *("fx-usdjpy-2013-01-01.jsonl", "stock-goog-daily.jsonl"),
]

FRAMES = [
    *(CONFIRMATION, PROFILE, CANDLE, ASKBID),
    *('{"type":"welcome"}', '{"type":"ping","timestamp":1766411426000}'),
    '{"type":"error","short":"authentication_failed","message":"no"}',
    '{"type":"join_symbol","symbol":"FX:EURUSD","timeframe":"60","token":"x"}',
    '{"type":"rate","frames_per_second":4}',
    f"[{CANDLE},{ASKBID}]",
]

# -- whatever comes

text_or_bytes = st.text() | st.binary()
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
wild_objects = st.fixed_dictionaries(
    {"type": st.sampled_from(sorted(protocol._READERS) + ["price", "price", "other"])},
    optional={
        **dict.fromkeys(("symbol", "timeframe", "timestamp", "short", "message"), json_values),
        **dict.fromkeys(("history", "success", "frames_per_second", "seq", "at"), json_values),
        "prices": st.dictionaries(
            st.sampled_from([*"tohlcvab", "mode", "update", "digits", "profile", "history"]),
            json_values | st.floats(0, 10).map(str) | st.floats(0, 10),
        ),
    },
)


@st.composite
def mutated_frames(draw: st.DrawFn) -> bytes:
    """Valid frames with something cut out, put in or written over."""
    frame = draw(st.sampled_from(FRAMES)).encode()
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(frame)))
        end = draw(st.integers(start, min(start + 8, len(frame))))
        filling = draw(st.sampled_from([b"", b"9" * 400, b"null", b'"', b"-", b"e9", b"[[["]))
        frame = frame[:start] + draw(st.just(filling) | st.binary(max_size=4)) + frame[end:]
    return frame


def read_safely(text: str | bytes) -> list[Message]:
    """Read what may be no frame; anything but a ``ProtocolError`` is a failure."""
    try:
        return parse(text)
    except ProtocolError as error:
        assert "\n" not in str(error)
        return []


@given(text_or_bytes)
@settings(deadline=None)
def test_no_text_raises_anything_but_a_protocol_error(text: str | bytes) -> None:
    read_safely(text)


@given(mutated_frames() | wild_objects.map(json.dumps))
@example("[" * 100_000)
@example('{"type":"welcome","deep":' + "[" * 100_000)
@settings(deadline=None, max_examples=150)
def test_whatever_is_read_of_a_damaged_frame_can_be_written_and_read_again(
    text: str | bytes,
) -> None:
    for message in read_safely(text):
        if not isinstance(message, (Unknown, Unusable)):
            assert parse(serialise(message)) == [message]


@given(mutated_frames() | wild_objects.map(json.dumps).map(str.encode))
@example(CANDLE.replace('"type":"price",', "").encode())
@example(CANDLE.replace('"type"', '"typ"').encode())
@settings(deadline=None)
def test_what_the_short_way_reads_the_long_way_reads_alike(text: bytes) -> None:
    tick = read_tick(text)

    assert tick is None or protocol._parse_any(text) == [tick]


def test_a_history_of_nothing_is_none() -> None:
    [price] = parse(CANDLE.replace('"prices":{', '"history":[],"prices":{"history":[],'))

    assert isinstance(price, Price) and price.history is None


# The outer reader and that of the history have stacks of different heights.
@pytest.mark.parametrize("field", ["history", "profile"])
def test_nesting_of_any_depth_raises_nothing_but_a_protocol_error(field: str) -> None:
    for depth in [*range(900, 1020), 10_000, 100_000]:
        nested = '{"x":' + "[" * depth + "]" * depth + "}"
        value = f"[{nested}]" if field == "history" else nested
        head = '{"type":"price","symbol":"A:B","timeframe":"1","prices":{"c":1'
        read_safely(f'{head},"{field}":{value}}}}}')


# -- what is written

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
names = texts.filter(bool)
numbers = st.floats(-bounds.PRICE_MAX, bounds.PRICE_MAX).filter(bounds.is_price)
volumes = st.floats(0, bounds.VOLUME_MAX)
# Beyond it a browser's numbers have gaps.
whole = st.integers(-bounds.SEQ_MAX, bounds.SEQ_MAX)
stamps = st.none() | whole
openings = st.integers(0, bounds.TIME_MAX)
moments = st.integers(-bounds.TIME_MAX, bounds.TIME_MAX)
candles = st.builds(
    Candle,
    t=st.none() | moments,
    v=st.none() | volumes,
    **dict.fromkeys("ohlc", st.none() | numbers),
)
extras: dict[str, Any] = {
    **dict.fromkeys(("a", "b", "pc"), st.none() | numbers),
    "v": st.none() | volumes,
    "update": st.none() | st.floats(0, bounds.TIME_MAX),
    "at": st.none() | st.floats(-bounds.TIME_MAX, bounds.TIME_MAX),
    "ch": st.none() | st.floats(-2 * bounds.PRICE_MAX, 2 * bounds.PRICE_MAX),
    "chp": st.none() | st.floats(-bounds.PERCENT_MAX, bounds.PERCENT_MAX),
    "digits": st.none() | st.integers(0, bounds.DIGITS_MAX),
    "delay": st.none() | st.integers(0, bounds.DELAY_MAX),
    "seq": st.none() | st.integers(0, bounds.SEQ_MAX),
    "history": st.none() | st.lists(candles, min_size=1, max_size=3),
}
room = {"symbol": names, "timeframe": texts}
full_prices = st.builds(
    Price,
    **{**room, **extras, **dict.fromkeys("ohlc", numbers)},
    t=openings,
    mode=st.sampled_from(PRICE_MODES),
)
askbids = st.builds(
    Price,
    **{**room, **extras, **dict.fromkeys("ohl", st.none() | numbers)},
    t=st.none() | openings,
    c=numbers,
    mode=st.just("askbid"),
)
profiles = st.dictionaries(
    texts, st.none() | st.booleans() | texts | numbers | st.lists(texts, max_size=2), max_size=4
)
all_messages = st.one_of(
    st.builds(Welcome, timestamp=stamps),
    st.builds(Ping, timestamp=stamps),
    st.builds(Pong, timestamp=stamps),
    st.builds(Join, symbol=texts, timeframe=st.none() | texts, token=st.none() | texts),
    st.builds(Leave, symbol=texts, timeframe=st.none() | texts),
    st.just(RemoveAll()),
    st.builds(Joined, symbol=texts, timeframe=texts, room=names, message=texts),
    st.builds(Joined, symbol=names, timeframe=texts, success=st.booleans()),
    st.builds(Notice, short=texts.filter(lambda short: short != "joined_room"), message=texts),
    st.builds(Refusal, short=texts, message=texts),
    st.builds(ProfileUpdate, **room, profile=profiles),
    full_prices,
    askbids,
    st.builds(Rate, frames_per_second=st.floats(0, 1e300, exclude_min=True)),
    st.builds(
        RoomState,
        **dict.fromkeys(["symbol", "timeframe", "state", "reason"], texts),
        until=st.none() | moments,
    ),
    st.builds(Heartbeat, timestamp=whole),
    st.builds(Token, symbol=texts, token=texts),
)


@given(all_messages)
@settings(deadline=None, max_examples=150)
def test_every_message_that_is_written_is_read_back(message: Message) -> None:
    text = serialise(message)

    assert parse(text) == [message]
    assert parse(text.encode()) == [message]
    assert parse(f"[{text},{text}]") == [message, message]
    assert "\n" not in text


@given(full_prices | askbids)
@settings(deadline=None)
def test_a_written_price_begins_as_documented_and_holds_no_unknowns(price: Price) -> None:
    frame = json.loads(serialise(price))

    assert list(frame)[:4] == ["type", "symbol", "timeframe", "prices"]
    assert list(frame["prices"])[0] == "mode"
    assert None not in frame.values() and None not in frame["prices"].values()


@pytest.mark.parametrize("name", RECORDINGS)
def test_every_frame_of_a_recording_survives_reading_and_writing(name: str) -> None:
    if not (DATA / name).exists():
        pytest.skip("this recording is not part of the project")
    lines = (DATA / name).read_text().splitlines()[:1000]
    frames = [json.loads(line)["text"] for line in lines if line.endswith("}")]

    for frame in frames:
        assert [parse(serialise(message)) for message in parse(frame)] == [parse(frame)]

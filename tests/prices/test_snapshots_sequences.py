"""Snapshots: what long runs of frames add up to, recorded ones and random ones."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from django_fcs.prices.snapshots import Snapshot
from django_fcs.protocol import Candle, Message, Price, ProfileUpdate, parse, serialise
from django_fcs.rooms import Room
from tests.support.recordings import DATA

RECORDINGS = [
    *("crypto-btcusdt-2021-01-08.jsonl", "fx-eurusd-2020-01-01.jsonl"),
    *("fx-usdjpy-2013-01-01.jsonl", "stock-goog-daily.jsonl"),
]
ROOM = Room("FX:EURUSD", "1")


def frames_of(name: str) -> Iterator[str]:
    """Yield the texts of a recording; its last line may be cut off."""
    if not (DATA / name).exists():
        pytest.skip("this recording is not part of the project")
    for line in (DATA / name).read_text().splitlines():
        if line.endswith("}"):
            yield json.loads(line)["text"]


def learn(snapshot: Snapshot, message: Message) -> None:
    if isinstance(message, ProfileUpdate):
        snapshot.describe(message.profile)
    elif isinstance(message, Price):
        snapshot.merge(message)


def straightforward(state: dict[str, Any], prices: dict[str, Any]) -> dict[str, Any]:
    """Merge as one would on paper, from the vendor's page alone."""
    mode, t = prices["mode"], prices["t"]
    if t < state.get("t", t):
        return state
    if t > state.get("t", t):
        previous = {"pc": state["c"]} if mode != "initial" else {}
        state = {**{name: state[name] for name in "cab" if name in state}, **previous}
    taken = {name: prices[name] for name in "tcab" if name in prices}
    if mode != "askbid":
        taken |= {name: prices[name] for name in "ohl"}
        if "v" in prices and not (mode == "initial" and state.get("volume_of") == t):
            taken |= {"v": prices["v"]} | ({"volume_of": t} if mode != "initial" else {})
    state.pop("update", None)
    return {**state, **taken, **({"update": prices["update"]} if "update" in prices else {})}


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recording_adds_up_to_what_a_straightforward_merge_gives(name: str) -> None:
    fields = ("t", "o", "h", "l", "c", "v", "a", "b", "update", "pc")
    state: dict[str, Any] = {}
    snapshot = Snapshot(ROOM)
    merged = 0
    for text in frames_of(name):
        (message,) = parse(text)
        learn(snapshot, message)
        if isinstance(message, Price):
            merged += 1
            state = straightforward(state, json.loads(text)["prices"])
            assert {field: getattr(snapshot, field) for field in fields} == {
                field: state.get(field) for field in fields
            }

    assert merged > 900


@pytest.mark.parametrize(
    ("name", "digits", "delay"),
    [
        ("crypto-btcusdt-2021-01-08.jsonl", 2, None),
        ("fx-eurusd-2020-01-01.jsonl", 5, None),
        ("fx-usdjpy-2013-01-01.jsonl", 3, None),
        ("stock-goog-daily.jsonl", 2, 900),
    ],
)
def test_a_recording_teaches_digits_and_delay(name: str, digits: int, delay: int | None) -> None:
    snapshot = Snapshot(ROOM)
    for text in frames_of(name):
        (message,) = parse(text)
        learn(snapshot, message)

    assert (snapshot.digits, snapshot.delay) == (digits, delay)


times = st.none() | st.integers(0, 5).map(lambda minute: minute * 60)
prices = st.integers(1, 10**7).map(lambda number: number / 10**5)
wild_frames = st.builds(
    Price,
    symbol=st.just(ROOM.symbol),
    timeframe=st.just(ROOM.timeframe),
    mode=st.sampled_from(["initial", "candle", "askbid", "close"]),
    t=times,
    **dict.fromkeys(("o", "h", "l", "c", "v", "a", "b", "update"), st.none() | prices),
    history=st.none() | st.lists(st.builds(Candle, c=st.none() | prices), max_size=2),
)


@given(st.lists(wild_frames, max_size=20))
@settings(deadline=None)
def test_whatever_comes_no_room_goes_back_in_time_and_every_text_can_be_read(
    frames: list[Price],
) -> None:
    snapshot = Snapshot(ROOM)
    before = -1
    for price in frames:
        snapshot.merge(price)
        assert snapshot.t is None or snapshot.t >= before
        before = before if snapshot.t is None else snapshot.t
        assert snapshot.change is None or math.isfinite(snapshot.change)
        if snapshot.c is not None:
            (read,) = parse(serialise(snapshot.price("askbid", seq=1, at=2)))
            assert read == snapshot.price("askbid", seq=1, at=2)

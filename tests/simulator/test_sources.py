"""What the simulator streams, without a clock: the times are the tests'."""

from __future__ import annotations

import json
from typing import Any

import pytest

from django_fcs.recording import read
from django_fcs.rooms import Room
from django_fcs.simulator import RandomWalk, Replay
from django_fcs.simulator.market import Prices
from django_fcs.simulator.sources import Opening, Tick, filled, merged
from tests.support.recordings import DATA

NOON = 1766577600.0
EURUSD = Room("FX:EURUSD", "1D")
USDJPY = Room("FX:USDJPY", "1")


def price(room: Room = EURUSD, **prices: Any) -> str:
    frame = {"type": "price", "symbol": room.symbol, "timeframe": room.timeframe, "prices": prices}
    return json.dumps(frame)


def candle(t: int, c: float, **more: Any) -> Prices:
    return {"mode": "candle", "t": t, "o": 1.0, "h": 9.0, "l": 0.5, "c": c, "v": 3, **more}


def everything(source: RandomWalk | Replay, *, until: float) -> list[Tick]:
    """Let time pass up to a moment, as the simulator does."""
    ticks: list[Tick] = []
    while (due := source.due()) is not None and due <= until:
        ticks += source.advance(max(due, NOON))
    return ticks


# -- the random walk


def test_nothing_moves_before_a_join() -> None:
    assert RandomWalk(rate=5).due() is None


def test_a_joined_symbol_moves_at_its_rate() -> None:
    source = RandomWalk(rate=10)
    source.open(EURUSD, NOON)

    ticks = everything(source, until=NOON + 60)

    assert 540 < len(ticks) < 660
    assert {tick.room for tick in ticks} == {EURUSD}


def test_the_rate_is_each_symbols_own() -> None:
    source = RandomWalk(rate=10)
    for room in (EURUSD, USDJPY):
        source.open(room, NOON)

    ticks = everything(source, until=NOON + 60)

    for room in (EURUSD, USDJPY):
        assert 540 < sum(tick.room == room for tick in ticks) < 660


def test_a_rate_of_nothing_leaves_the_first_price() -> None:
    source = RandomWalk(rate=0)

    opening = source.open(EURUSD, NOON)

    assert opening.initial is not None
    assert source.due() is None


def test_all_timeframes_of_a_symbol_show_one_market() -> None:
    source = RandomWalk(rate=10)
    hour = Room(EURUSD.symbol, "60")
    openings = [source.open(room, NOON) for room in (EURUSD, hour)]

    assert openings[0].initial is not None
    assert openings[1].initial is not None
    assert openings[0].initial["c"] == openings[1].initial["c"]
    ticks = everything(source, until=NOON + 10)
    closes = {room: [t.prices["c"] for t in ticks if t.room == room] for room in (EURUSD, hour)}
    assert closes[EURUSD] == closes[hour]


def test_a_room_that_was_closed_is_silent_and_the_others_go_on() -> None:
    source = RandomWalk(rate=10)
    hour = Room(EURUSD.symbol, "60")
    for room in (EURUSD, hour, USDJPY):
        source.open(room, NOON)

    source.close(EURUSD)
    assert {tick.room for tick in everything(source, until=NOON + 5)} == {hour, USDJPY}

    source.close(hour)
    assert {tick.room for tick in everything(source, until=NOON + 10)} == {USDJPY}

    source.close(USDJPY)
    assert source.due() is None


def test_a_join_too_many_changes_nothing() -> None:
    source = RandomWalk(rate=10)
    for _ in range(3):
        source.open(EURUSD, NOON)

    assert 80 < len(everything(source, until=NOON + 10)) < 120


def test_a_walk_that_was_held_up_does_not_catch_up_for_ever() -> None:
    source = RandomWalk(rate=10)
    source.open(EURUSD, NOON)

    late: list[Tick] = []
    while source.due() is not None and (source.due() or 0) <= NOON + 3600:
        late += source.advance(NOON + 3600)

    assert len(late) < 30


def test_a_crowd_moves_in_batches() -> None:
    source = RandomWalk(rate=1)
    for number in range(500):
        source.open(Room(f"NYSE:N{number}", "1D"), NOON)

    assert len(source.advance(NOON + 2)) == 100


# -- replays


def opened(replay: Replay, room: Room, now: float = NOON) -> Opening:
    opening = replay.open(room, now)
    assert opening is not None
    return opening


def test_a_room_that_was_not_recorded_does_not_exist() -> None:
    replay = Replay([(1.0, price(**candle(60, 1.1)))])

    assert replay.rooms == [EURUSD]
    assert replay.open(USDJPY, NOON) is None


def test_the_first_join_is_told_what_was_recorded_of_a_join() -> None:
    opening = opened(Replay(read(DATA / "fx-usdjpy-2013-01-01.jsonl")), USDJPY)

    assert opening.profile is not None
    assert opening.profile["timezone"] == "America/New_York"
    assert opening.initial == {
        **{"mode": "initial", "t": 1357077600, "o": 86.655, "h": 86.655, "l": 86.655},
        **{"c": 86.655, "v": 0},
    }


def test_every_recorded_price_comes_once_and_unchanged() -> None:
    path = DATA / "fx-usdjpy-2013-01-01.jsonl"
    replay = Replay(read(path), speed=0)
    opened(replay, USDJPY)

    played = [tick.prices for tick in everything(replay, until=NOON)]

    recorded = [json.loads(frame.text).get("prices") for frame in read(path)]
    assert played == [
        prices for prices in recorded if prices and prices["mode"] in ("candle", "askbid")
    ]
    assert replay.due() is None


@pytest.mark.parametrize("speed", [0.5, 1, 10])
def test_the_recorded_waits_are_kept_at_its_speed(speed: float) -> None:
    frames = [(100.0 + second, price(**candle(60, second))) for second in (0, 1, 3, 7)]
    replay = Replay(frames, speed=speed)
    opened(replay, EURUSD)

    dues = []
    while (due := replay.due()) is not None:
        dues.append(due - NOON)
        assert len(replay.advance(due)) == 1

    assert dues == pytest.approx([second / speed for second in (0, 1, 3, 7)], abs=1e-6)


def test_nothing_is_played_before_the_first_join() -> None:
    assert Replay([(1.0, price(**candle(60, 1.1)))], speed=0).due() is None


def test_each_room_starts_at_its_own_first_join() -> None:
    frames = []
    for second in range(3):
        frames.append((100.0 + second, price(**candle(60, second))))
        frames.append((200.0 + second, price(USDJPY, **candle(60, second))))
    replay = Replay(frames)
    opened(replay, EURUSD, NOON)
    assert {tick.room for tick in everything(replay, until=NOON + 10)} == {EURUSD}

    opened(replay, USDJPY, NOON + 60)

    assert replay.due() == NOON + 60
    assert {tick.room for tick in everything(replay, until=NOON + 99)} == {USDJPY}


def test_a_later_join_is_told_the_last_state() -> None:
    frames = [
        (1.0, price(mode="profile", profile={"timezone": "Etc/UTC"})),
        (1.0, price(mode="initial", t=60, o=1.0, h=1.0, l=1.0, c=1.0, v=77)),
        (2.0, price(**candle(60, 1.5, a=1.6, b=1.5))),
        (3.0, price(mode="askbid", update=63, c=1.7, a=1.8, b=1.7, t=60)),
    ]
    replay = Replay(frames, speed=0)
    opened(replay, EURUSD)
    everything(replay, until=NOON)

    replay.close(EURUSD)
    opening = opened(replay, EURUSD, NOON + 3600)

    assert opening.profile == {"timezone": "Etc/UTC"}
    assert opening.initial == {
        **{"mode": "initial", "t": 60, "o": 1.0, "h": 9.0, "l": 0.5, "c": 1.7},
        **{"v": 3, "a": 1.8, "b": 1.7},
    }
    assert replay.due() is None


def test_a_replay_remembers_the_candles_that_ended() -> None:
    frames = [(float(n), price(**candle(60 * n, n))) for n in range(1, 10)]
    replay = Replay(frames, speed=0)
    opened(replay, EURUSD)
    everything(replay, until=NOON)

    assert [past["c"] for past in opened(replay, EURUSD).history] == [4, 5, 6, 7, 8]


def test_a_recorded_clock_that_went_back_waits_for_nothing() -> None:
    frames = [(at, price(**candle(60, at))) for at in (100.0, 105.0, 50.0, 106.0)]
    replay = Replay(frames)
    opened(replay, EURUSD)

    assert [t.prices["c"] for t in everything(replay, until=NOON + 5)] == [100.0, 105.0, 50.0]
    assert replay.due() == NOON + 6


def test_a_long_replay_without_waits_comes_in_batches() -> None:
    replay = Replay(((float(n), price(**candle(60, n))) for n in range(250)), speed=0)
    opened(replay, EURUSD)

    assert [len(replay.advance(NOON)) for _ in range(4)] == [100, 100, 50, 0]


def test_what_is_no_price_is_left_to_the_server_itself() -> None:
    texts = [
        '{"type":"welcome"}',
        '{"type":"message","short":"joined_room","symbol":"EURUSD","timeframe":"1D"}',
        '{"type":"pong","timestamp":1}',
        "not JSON",
        "[1, 2]",
        "[",
        '{"type":"price","symbol":"EURUSD","timeframe":"1D","prices":{"c":1}}',
        '{"type":"price","symbol":"FX:EURUSD","timeframe":"2h","prices":{"c":1}}',
        '{"type":"price","symbol":"FX:EURUSD","timeframe":"1D","prices":5}',
        '{"type":"price","symbol":"FX:EURUSD","timeframe":"1D","prices":{"t":"soon"}}',
        '{"type":"price","symbol":"FX:EURUSD","timeframe":"1D","prices":{"t":' + "9" * 400 + "}}",
        '{"type":"price","symbol":"FX:EURUSD","timeframe":"1D","prices":{"t":"nan"}}',
        '{"type":"price","symbol":"FX:EURUSD","timeframe":"1D","prices":{"t":"1e999"}}',
        '{"type":"price","symbol":"FX:EURUSD","timeframe":"1D"}',
    ]

    assert Replay((1.0, text) for text in texts).rooms == []


def test_frames_with_several_prices_and_any_spelling_are_played() -> None:
    one = price(Room("FX:EURUSD", "1h"), **candle(60, 1.1))
    two = '{"type":"price","symbol":"FX:USDJPY","timeframe":1,"prices":{"t":"60","c":"1.5"}}'

    replay = Replay([(1.0, f"[{one},{two}]")], speed=0)

    assert replay.rooms == [Room("FX:EURUSD", "60"), USDJPY]
    opened(replay, USDJPY)
    assert everything(replay, until=NOON) == [Tick(USDJPY, {"t": "60", "c": "1.5"})]


# -- the last state


def test_quotes_and_candles_are_merged() -> None:
    state = merged({}, candle(60, 1.5, a=1.6, b=1.4))

    state = merged(state, {"mode": "askbid", "t": 60, "update": 61, "c": 1.7, "a": 1.8})

    assert state == {
        **{"t": 60, "o": 1.0, "h": 9.0, "l": 0.5, "c": 1.7},
        **{"v": 3, "a": 1.8, "b": 1.4},
    }


def test_a_late_price_changes_nothing() -> None:
    state = merged({}, candle(120, 1.5))

    assert merged(state, candle(60, 99.0)) == state


def test_a_new_candle_keeps_nothing_of_the_old_but_ask_and_bid() -> None:
    state = merged({}, candle(60, 1.5, a=1.6, b=1.4))

    assert merged(state, {"mode": "askbid", "t": 120, "c": 1.7}) == {
        **{"t": 120, "c": 1.7, "a": 1.6, "b": 1.4}
    }


def test_the_volume_of_an_initial_does_not_replace_the_candles() -> None:
    state = merged(merged({}, candle(60, 1.5)), {**candle(60, 1.6, v=0.1), "mode": "initial"})

    assert (state["v"], state["c"]) == (3, 1.6)


def test_a_price_is_filled_up_from_the_one_before() -> None:
    last = merged({}, candle(60, 1.5, a=1.6, b=1.4))

    assert filled(last, {"mode": "candle", "c": 12.0}) == {
        **{"mode": "candle", "t": 60, "o": 1.0, "h": 12.0, "l": 0.5, "c": 12.0},
        **{"v": 3, "a": 1.6, "b": 1.4},
    }
    assert filled(last, {"mode": "askbid", "a": 2.0, "update": 61}) == {
        **{"mode": "askbid", "t": 60, "c": 1.5, "a": 2.0, "b": 1.4, "update": 61}
    }
    assert filled(last, {"mode": "candle", "t": 120, "c": 2.0}) == {
        **{"mode": "candle", "t": 120, "o": 2.0, "h": 2.0, "l": 2.0, "c": 2.0},
        **{"a": 1.6, "b": 1.4},
    }
    assert filled({}, {"mode": "candle", "v": 1}) == {"mode": "candle", "v": 1}

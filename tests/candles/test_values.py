"""Candles as a site's code gets them."""

from __future__ import annotations

import dataclasses
import json

import pytest

from django_fcs.candles import Candle, Candles
from django_fcs.rooms import Room

ROOM = Room("FX:EURUSD", "60")
CANDLES = (
    Candle(3600, 1.1, 1.3, 1.0, 1.2, None, True),
    Candle(7200, 1.2, 1.2, 0.00000123, 1.2, 5.5, True),
    Candle(10_800, 1.2, 1.4, 1.2, 1.3, 2.0, False),
)
WHOLE = Candles(
    ROOM, CANDLES, missing=((0, 3600),), repaired=((7200, 9000),), more=True, note="x", since=9.5
)


def test_candles_are_a_sequence_whose_slices_are_tuples() -> None:
    assert (len(WHOLE), WHOLE[-1].close, list(WHOLE)) == (3, 1.3, list(CANDLES))
    assert WHOLE[1:] == CANDLES[1:]
    assert [candle.t for candle in reversed(WHOLE)] == [10_800, 7200, 3600]
    assert CANDLES[0] in WHOLE
    assert repr(WHOLE) == "<Candles FX:EURUSD_60: 3>"
    assert not Candles(ROOM)


def test_candles_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        WHOLE.note = ""  # type: ignore[misc]
    assert hash(WHOLE) == hash(dataclasses.replace(WHOLE))


def test_as_json_a_candle_is_its_numbers_and_the_last_final_one_is_named() -> None:
    assert json.loads(json.dumps(WHOLE.as_dict(), allow_nan=False)) == {
        "symbol": "FX:EURUSD",
        "timeframe": "60",
        "candles": [
            [3600, 1.1, 1.3, 1.0, 1.2, None],
            [7200, 1.2, 1.2, 0.00000123, 1.2, 5.5],
            [10_800, 1.2, 1.4, 1.2, 1.3, 2.0],
        ],
        "final": 7200,
        "more": True,
        "missing": [[0, 3600]],
        "repaired": [[7200, 9000]],
        "note": "x",
        "since": 9.5,
    }
    assert Candles(ROOM, CANDLES[2:]).as_dict()["final"] is None

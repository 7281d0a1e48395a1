"""A series in the cache: what is written can be read, and nothing else is believed."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st

from django_fcs.candles.bars import Rank, is_sound
from django_fcs.candles.columns import BYTES_OF_A_BAR, Columns
from django_fcs.candles.holes import HOLES_MAX
from django_fcs.candles.kept import BARS_MAX, NOTE_MAX, Kept
from django_fcs.candles.series import Series
from django_fcs.candles.spans import SPANS_MAX
from django_fcs.prices.updates import TICK_AHEAD_SECONDS
from django_fcs.protocol.bounds import PRICE_MAX, TIME_MAX
from django_fcs.tools.metrics import counts
from tests.candles.making import at, bar, series_of

NOON = at("2026-03-05 12:00")


def whole() -> Series:
    series = series_of("1", NOON, NOON + 60)
    page = [bar(NOON - 60, 1.1, 7.5), bar(NOON), bar(NOON + 60, 9.9)]
    series.take_page(page, fetched_at=NOON + 99.5)
    series.put(bar(NOON + 60), rank=Rank.LIVE, at=NOON + 120, is_final=True)
    series.joined.add(NOON, NOON + 120)
    series.answered.add(NOON - 600, NOON + 60)
    series.repaired.add(NOON - 60, NOON)
    series.since = NOON - 0.25
    series.is_exhausted = True
    return series


def kept(**changes: Any) -> bytes:
    """Return what is kept of a series, with other values in it."""
    text = Kept.of(whole(), saved_at=NOON + 120.5, missing=((NOON - 900, NOON - 600),), note="x")
    return msgspec.msgpack.encode({**msgspec.msgpack.decode(text.encode()), **changes})


def test_all_of_a_series_comes_back() -> None:
    before = whole()
    found = Kept.decode(kept(), "1")
    assert found is not None
    series = found.series(600)

    assert (found.saved_at, found.missing) == (NOON + 120.5, ((NOON - 900, NOON - 600),))
    assert found.note == "x"
    assert series.bars() == before.bars()
    assert [is_final for _, is_final in series.bars()] == [True] * 3
    assert (series.joined, series.answered) == (before.joined, before.answered)
    assert (series.repaired, series.since) == (before.repaired, before.since)
    assert series.is_exhausted
    assert Kept.of(series, saved_at=NOON + 120.5, missing=found.missing, note="x") == found
    assert "store_malformed" not in counts()


def test_what_counts_for_more_is_still_known() -> None:
    found = Kept.decode(kept(), "1")
    assert found is not None
    series = found.series(600)

    assert not series.put(bar(NOON, 9.9), rank=Rank.LIVE, at=NOON + 999)
    assert not series.put(bar(NOON + 60, 9.9), rank=Rank.LIVE, at=NOON + 119)
    assert series.put(bar(NOON + 60, 9.9), rank=Rank.LIVE, at=NOON + 121)


def test_where_fewer_candles_are_wanted_the_newest_are_read() -> None:
    found = Kept.decode(kept(), "1")
    assert found is not None
    series = found.series(1)

    assert series.times() == [NOON, NOON + 60]
    assert not series.is_exhausted


def test_a_candle_takes_57_bytes_and_what_is_kept_is_bounded() -> None:
    series = Series("1", keep=BARS_MAX - 1)
    series.take_page((bar(60 * n) for n in range(BARS_MAX + 5)), fetched_at=NOON)
    for spans in (series.joined, series.answered, series.repaired):
        for n in range(SPANS_MAX + 5):
            spans.add(NOON + 2 * n, NOON + 2 * n + 1)
    holes = tuple((NOON + 2 * n, NOON + 2 * n + 1) for n in range(HOLES_MAX))
    text = Kept.of(series, saved_at=NOON, missing=holes, note="\u20ac" * 999).encode()

    assert len(text) < BARS_MAX * 57 + 8192
    found = Kept.decode(text, "1")
    assert found is not None
    assert (len(found.series(10**6)), len(found.note)) == (BARS_MAX, NOTE_MAX)


def test_a_missing_entry_is_no_fault() -> None:
    assert Kept.decode(None, "1") is None
    assert "store_malformed" not in counts()


def packed(**columns: list[Any]) -> bytes:
    """Return bars of which some columns are others."""
    found = Columns()
    for n in range(3):
        found.insert(n, bar(NOON + 60 * n), Rank.LIVE, float(NOON))
    for name, values in columns.items():
        for index, value in enumerate(values):
            getattr(found, name)[index] = value
    return found.pack()


LATEST = NOON + 120.5 + TICK_AHEAD_SECONDS
ODD_TIMES: tuple[Any, ...] = (math.nan, math.inf, 1e300, 2 * TIME_MAX, "soon", [], None)
ODD_SPANS: tuple[Any, ...] = (
    *(None, 5, "x", [5], [[1, 2, 3]], [[2, 1]], [[1, 1]], [[1, 3], [2, 4]], [[1, 2], [2, 3]]),
    *([[0, 1e300]], [[0, 2**63]], [[2 * n, 2 * n + 1] for n in range(SPANS_MAX + 1)]),
)
ODD_BARS: tuple[Any, ...] = (None, "x", [], 5, b"x", packed()[:-1], packed() * 3334)
ODD_FORMS: tuple[Any, ...] = (0, 2, "1", None)
ODD_FRAMES: tuple[Any, ...] = ("5", "2h", "", 1, None)
ODD: tuple[Any, ...] = (
    *({"form": odd} for odd in ODD_FORMS),
    *({"timeframe": odd} for odd in ODD_FRAMES),
    *({"saved_at": odd} for odd in (*ODD_TIMES, NOON - TICK_AHEAD_SECONDS)),
    *({"since": odd} for odd in ODD_TIMES[:-1]),
    *({name: odd} for name in ("joined", "answered", "repaired", "missing") for odd in ODD_SPANS),
    {"note": "x" * (NOTE_MAX + 1)},
    *({"bars": odd} for odd in ODD_BARS),
    *({"bars": packed(t=odd)} for odd in ([-1], [NOON + 60], [NOON + 61], [0, 0], [0, 0, 0])),
    {"bars": packed(t=[0, 1, int(LATEST) + 1])},
    *({"bars": packed(c=[odd])} for odd in (math.nan, math.inf, -math.inf, 1.4, 1.0, 1e-300)),
    *({"bars": packed(o=[odd])} for odd in (math.nan, math.inf, 1.4)),
    *({"bars": packed(l=[-1], c=[odd])} for odd in (1e-300, math.nan)),
    *({"bars": packed(l=[odd])} for odd in (-math.inf, -2 * PRICE_MAX)),
    {"bars": packed(h=[2 * PRICE_MAX])},
    {"more": bytes(10**6)},
    *({"bars": packed(h=[odd])} for odd in (math.nan, math.inf, 1.1)),
    *({"bars": packed(v=[odd])} for odd in (-1, math.inf, 1e300)),
    *({"bars": packed(at=[odd])} for odd in (math.nan, math.inf, -1e300)),
    *({"bars": packed(rank=[odd])} for odd in (-1, 3)),
)


@pytest.mark.parametrize("changes", ODD, ids=lambda changes: repr(changes)[:40])
def test_a_malformed_entry_counts_as_missing(
    changes: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    assert Kept.decode(kept(**changes), "1") is None
    assert counts()["store_malformed"] == 1
    assert len(caplog.messages[0]) < 1000


def test_candles_of_another_timeframe_count_as_missing() -> None:
    assert Kept.decode(kept(), "5") is None
    assert Kept.decode(kept(), "x") is None
    assert Kept.decode(kept(timeframe="x"), "x") is None


@pytest.mark.parametrize(
    "data",
    [b"", b"junk", "text", 5, [], object(), memoryview(b"x"), b"\x91" * 100_000, bytes(10**7)],
    ids=lambda data: type(data).__name__,
)
def test_anything_else_counts_as_missing_too(data: object) -> None:
    assert Kept.decode(data, "1") is None


def check(data: bytes) -> None:
    """Read junk: nothing is raised, and what is believed is a series."""
    found = Kept.decode(data, "1")
    if found is None:
        return
    series = found.series(600)
    bars = [bar for bar, _ in series.bars()]
    assert all(map(is_sound, bars))
    assert series.times() == sorted({bar.t for bar in bars})
    assert len(series) <= 601
    assert Kept.decode(found.encode(), "1") == found


@given(st.binary(max_size=400))
def test_random_bytes_raise_nothing(data: bytes) -> None:
    check(data)


@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=9), st.integers(0, 9))
def test_bytes_that_were_changed_raise_nothing(place: int, junk: bytes, lost: int) -> None:
    text = kept()
    place %= len(text)

    check(text[:place] + junk + text[place + lost :])
    check(text[:place])


def test_a_bar_takes_as_many_bytes_as_are_said() -> None:
    assert len(packed()) == 3 * BYTES_OF_A_BAR

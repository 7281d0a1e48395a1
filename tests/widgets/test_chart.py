"""The tag ``fcs_chart``: what a server can print of a chart, in every state."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone as zones, translation

from django_fcs import widgets
from django_fcs.candles import Candle, Candles
from django_fcs.exceptions import BadOption
from django_fcs.prices.states import State
from django_fcs.rooms import Room
from django_fcs.values.timeframes import LENGTHS
from django_fcs.widgets.bars import COPIES_MAX, COPY_SECONDS, RecentCandles
from tests.widgets.test_html import Known, Parts, a_quote, known

pytestmark = pytest.mark.versions

__all__ = ["known"]

EUR, APPLE = "FX:EURUSD", "NASDAQ:AAPL"
T = 1_766_361_600  # 2025-12-22 00:00 UTC, a Monday

Kept = Callable[..., Candles]


def bar(number: int, period: int, base: float, digits: int, count: int) -> Candle:
    part = base / 1000
    open, close = base + number % 17 * part / 10, base + number * 7 % 19 * part / 10
    values = (open, max(open, close) + part / 10, min(open, close) - part / 10, close)
    o, high, low, c = (round(value, digits) for value in values)
    return Candle(T + number * period, o, high, low, c, 100.0 + number % 9, number < count - 1)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Kept:
    """Make the site have candles: ``kept(200)``, or others."""

    def keep(
        count: int, symbol: str = EUR, timeframe: str = "5", *, base: float = 1.08, **more: Any
    ) -> Candles:
        digits, period = more.pop("digits", 5), LENGTHS[timeframe]
        skipped = more.pop("skipped", range(0))
        bars = [bar(n, period, base, digits, count) for n in range(count) if n not in skipped]
        found = Candles(Room(symbol, timeframe), tuple(bars), **more)
        monkeypatch.setattr("django_fcs.widgets.bars._recent", RecentCandles(lambda *room: found))
        return found

    keep(200)
    return keep


def plot(html: str) -> str:
    return html[html.index("<svg") : html.index("</svg>")]


def texts(html: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)<", plot(html))


def part(html: str, name: str) -> str:
    """Return the text of a part."""
    found = re.search(rf'<(\w+) data-part="{name}"[^>]*>(.*?)</\1>', html, re.DOTALL)
    assert found, name
    return re.sub(r"[ \n]+", " ", re.sub(r"<[^>]+>", " ", found[2])).strip()


def test_a_chart_stands_in_the_page_before_any_script(known: Known, kept: Kept) -> None:
    html = widgets.chart(EUR, "5")
    host = Parts(html).host

    assert (host["symbol"], host["timeframe"], host["timeframes"]) == (EUR, "5", "1 5 15 60 240 1D")
    assert (host["type"], host["range"], host["zone"], host["height"]) == (
        *("candles", "200", "viewer", "320"),
    )
    assert host["data-from"] == "server" and host["token"] and "volume" in host
    assert 'class="body up"' in html and 'class="body forming ' in html and 'class="vol up"' in html
    assert part(html, "readout").startswith("22 Dec 10:35 O ")
    assert part(html, "caption") == "EUR/USD, candles of 5 minutes"
    assert part(html, "source") == "Data: FCS API"
    assert "live<" not in html and "style=" not in html and " id=" not in html


def test_two_hundred_bars_with_volume_are_at_most_5_kb_gzipped(known: Known, kept: Kept) -> None:
    html = widgets.chart(EUR, "5", announce=True, lines=[1.081])

    assert "".join(re.findall('class="body[^"]*" d="([^"]*)"', html)).count("M") == 200
    assert len(gzip.compress(html.encode())) <= 5000


def test_the_image_is_one_sentence_for_who_does_not_see_it(known: Known, kept: Kept) -> None:
    known()
    label = re.search(r'role="img" aria-label="([^"]*)"', widgets.chart(EUR, "5"))

    assert label and re.fullmatch(
        r"EUR/USD, candles of 5 minutes, 1.08412, \+0.21\N{THIN SPACE}%,"
        r" as of 12/22/2025 07:50:26 CST",
        label[1],
    )


def test_the_date_is_printed_only_if_all_bars_have_it(kept: Kept) -> None:
    kept(20)
    assert part(widgets.chart(EUR, "5"), "date") == "21 Dec"
    kept(300)
    assert part(widgets.chart(EUR, "5"), "date") == ""
    kept(3, timeframe="1D")
    assert part(widgets.chart(EUR, "1D"), "date") == "2025"


def test_the_change_is_that_since_the_previous_close_of_the_day_or_its_open(
    monkeypatch: pytest.MonkeyPatch, kept: Kept
) -> None:
    known_of: dict[str, dict[str, Any]] = {
        "5": {"previous_close": 1.084, "change": 0.00012},
        "1D": {"previous_close": 1.08},
    }
    monkeypatch.setattr(
        "django_fcs.quotes.quote_to_show",
        lambda room: a_quote(room.symbol, room.timeframe, **known_of[room.timeframe]),
    )
    html = widgets.chart(EUR, "5")

    assert Parts(html).host["data-previous"] == "1.08000"
    assert part(html, "quote") == "1.08412 +0.00412 +0.38\N{THIN SPACE}%"
    assert "Previous close" in texts(html) and 'class="prev"' in html
    kept(30, timeframe="1D")
    assert "Previous close" not in texts(widgets.chart(EUR, "1D"))

    known_of["1D"] = {"previous_close": None, "open": 1.09}
    html = widgets.chart(EUR, "5")
    assert "data-previous" not in Parts(html).host
    assert part(html, "quote") == "1.08412 \N{MINUS SIGN}0.00588 \N{MINUS SIGN}0.54\N{THIN SPACE}%"


STATES: list[tuple[dict[str, Any], str, str]] = [
    ({}, "live", "as of 12/22/2025 07:50:26 CST"),
    ({"state": State.CLOSED}, "closed", "closed"),
    ({"delay": 900}, "live", "15 min delayed"),
    ({"state": State.STALE}, "stale", "as of 12/22/2025 07:50:26 CST"),
    ({"state": State.OFFLINE}, "offline", "as of 12/22/2025 07:50:26 CST"),
]


@pytest.mark.parametrize(("changes", "state", "status"), STATES)
def test_a_chart_says_in_words_how_its_price_stands(
    known: Known, kept: Kept, changes: dict[str, Any], state: str, status: str
) -> None:
    known(**changes)
    html = widgets.chart(EUR, "5")

    assert Parts(html).host["data-state"] == state
    assert part(html, "status") == status
    assert part(html, "note") == "Last price 12/22/2025 07:50:26 CST"


def test_without_price_and_candles_it_says_so_once(known: Known, kept: Kept) -> None:
    known(None)
    kept(0, note=f"no candles of {Room(EUR, '5')} are known")
    html = widgets.chart(EUR, "5")

    assert html.count("No data for EUR/USD") == 1 and part(html, "status") == "waiting"
    assert part(html, "note") == "No price has come yet"
    assert part(html, "readout") == "" and "<text" not in html


def test_a_price_without_candles_waits_for_them(known: Known, kept: Kept) -> None:
    kept(0)

    assert part(widgets.chart(EUR, "5"), "over") == "No bars yet"


def test_refused_history_has_its_reason_where_it_is_missing(known: Known, kept: Kept) -> None:
    kept(12, note="history is paused: <b>credits</b>")
    html = widgets.chart(EUR, "5")

    assert "No history before 21 Dec 18:00" in html and "paused: &lt;b&gt;credits" in html
    kept(200, note="history is paused")
    assert "No history" not in widgets.chart(EUR, "5")


def test_one_bar_stands_at_the_right_and_is_the_first(known: Known, kept: Kept) -> None:
    kept(1)
    html = widgets.chart(EUR, "5")

    assert part(html, "over") == "First bar at 21 Dec 18:00"
    assert html.count('class="body') == 1


def test_a_hole_is_hatched_and_a_repaired_one_has_a_bracket(known: Known, kept: Kept) -> None:
    hole = ((T + 180 * 300, T + 183 * 300),)
    kept(200, skipped=range(180, 183), missing=hole)
    html = widgets.chart(EUR, "5", zone="UTC")
    assert "".join(re.findall('class="body[^"]*" d="([^"]*)"', html)).count("M") == 197
    assert 'class="hole"' in html and {"no data", "15:00–15:15"} <= set(texts(html))

    kept(200, repaired=hole)
    html = widgets.chart(EUR, "5")
    assert 'class="mended"' in html and "repaired" in texts(html)


@pytest.mark.parametrize(
    ("symbol", "base", "digits", "label"),
    [
        ("BINANCE:SHIBUSDT", 0.00001234, 8, r"0\.000012\d\d"),
        ("BINANCE:BTCIDR", 1_424_310_000.0, 0, r"1,42\d\.\d+\N{THIN SPACE}M"),
        ("NASDAQ:AAPL", 271.0, 2, r"271\.\d\d"),
    ],
)
def test_an_axis_has_the_decimals_of_its_market_and_room_for_its_labels(
    known: Known, kept: Kept, symbol: str, base: float, digits: int, label: str
) -> None:
    known(close=base, digits=digits, previous_close=None)
    kept(50, symbol, base=base, digits=digits)
    html = widgets.chart(symbol, "5")
    labels = [text for text in texts(html) if re.fullmatch(label, text)]
    right, width = re.search(r"H(\d+)", plot(html)), re.search(r'viewBox="(\d+) 0 (\d+)', html)

    assert labels and right and width
    assert int(width[1]) + int(width[2]) - int(right[1]) >= 64 + 8 * (max(map(len, labels)) - 7)


@pytest.mark.parametrize(
    ("zone", "expected"),
    [("UTC", "16:35"), ("exchange", "11:35"), ("Asia/Tokyo", "01:35"), ("viewer", "17:35")],
)
def test_times_are_in_the_zone_that_is_asked_for(
    known: Known, kept: Kept, zone: str, expected: str
) -> None:
    kept(200, APPLE)
    with zones.override("Europe/Berlin"):
        html = widgets.chart(APPLE, "5", zone=zone)

    assert expected in part(html, "readout")


def test_day_bars_have_the_date_of_their_middle_at_the_exchange(known: Known, kept: Kept) -> None:
    kept(30, APPLE, "1D")
    with zones.override("Pacific/Auckland"):
        html = widgets.chart(APPLE, "1D")

    # The 30th bar opens on 20 January at 00:00 UTC, which is still the 19th in New York.
    assert part(html, "readout").startswith("20 Jan 2026")


def test_types_volume_and_lines_are_drawn(known: Known, kept: Kept) -> None:
    lines = [{"price": 1.0805, "label": "Stop <1>"}, SimpleNamespace(price=0.5, label=""), "1.081"]
    html = widgets.chart(EUR, "5", type="area", volume=False, lines=lines)

    assert 'class="area"' in html and 'class="line"' in html and "vol" not in plot(html)
    assert "volume" not in Parts(html).host
    assert "Stop &lt;1&gt;" in texts(html) and "0.50000\N{THIN SPACE}↓" in texts(html)
    assert Parts(html).host["lines"] == (
        '[{"price":1.0805,"label":"Stop <1>"},{"price":0.5,"label":""},{"price":1.081,"label":""}]'
    )
    assert 'class="stem up"' in widgets.chart(EUR, "5", type="bars")


WRONG: list[tuple[str, Any, str]] = [
    ("type", "pie", "candles bars line area"),
    ("range", 5, "10 to 1000"),
    ("height", 20, "160 to 800"),
    ("zone", "Mars/Olympus", "viewer, exchange, UTC or a zone"),
    ("timeframes", "1 7", "7"),
    ("timeframes", [], "1 5 60 1D"),
    ("timeframes", 5.5, "1 5 60 1D"),
    ("lines", object(), "list of prices"),
    ("lines", ["high"], "high.* is not a price"),
    ("lines", [float("nan")], "not a price"),
    ("lines", [True], "not a price"),
    ("lines", [(1, "x" * 41)], "40 characters"),
    ("lines", [1] * 21, "more than 20"),
    ("theme", "sepia", "light dark"),
    ("width", "wide", "160 to 1200"),
]


@pytest.mark.parametrize(("name", "value", "choices"), WRONG)
def test_a_wrong_option_names_the_choices_and_takes_no_page_down(
    known: Known, kept: Kept, name: str, value: Any, choices: str
) -> None:
    is_static = name in ("theme", "width")
    with override_settings(DEBUG=True), pytest.raises(BadOption, match=choices):
        widgets.chart(EUR, "5", static=is_static, **{name: value})
    html = widgets.chart(EUR, "5", static=is_static, **{name: value})
    assert html == widgets.chart(EUR, "5", static=is_static)


def test_a_static_chart_is_an_image_with_its_colours(known: Known, kept: Kept) -> None:
    html = widgets.chart(EUR, "5", static=True, theme="dark", width=320, lines="1.0805")

    assert html.startswith("<svg ") and 'width="320"' in html and "#41cf90" in html
    assert "fcs-chart" not in html and "class=" not in html and "style=" not in html
    assert "token" not in html


def test_the_words_are_those_of_the_language(known: Known, kept: Kept) -> None:
    with translation.override("de"):
        html = widgets.chart(EUR, "5")

    assert 'aria-label="EUR/USD, Kerzen zu 5 Minuten"' in html and "Daten: FCS API" in html
    assert "1,08412\N{THIN SPACE}↑" in texts(html)


def test_candles_that_cannot_be_drawn_leave_the_chart_without_them(
    known: Known, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Candles(Room(EUR, "5"), (Candle(T, 1.0, 2.0, 0.5, float("nan"), None, True),))
    monkeypatch.setattr("django_fcs.widgets.bars._recent", RecentCandles(lambda *room: broken))
    html = widgets.chart(EUR, "5")

    assert part(html, "over") == "No bars yet" and "1.08412" in html
    assert "cannot draw candles" in caplog.text


def test_candles_are_read_again_after_a_moment_and_few_are_kept() -> None:
    asked: list[tuple[Room, int]] = []
    now = 100.0

    def read(room: Room, limit: int) -> Candles:
        asked.append((room, limit))
        return Candles(room)

    recent, room = RecentCandles(read, monotonic=lambda: now), Room(EUR, "5")
    assert recent.get(room, 10) is recent.get(room, 10)
    now += COPY_SECONDS
    recent.get(room, 10)
    assert len(asked) == 2

    for limit in range(20, 20 + COPIES_MAX):
        recent.get(room, limit)
    assert len(recent) == COPIES_MAX
    recent.clear()
    assert not len(recent)

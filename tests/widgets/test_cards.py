"""The parts of cards and tags: sizes, units, links, placeholders and the bar of the day."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timezone

import pytest
from django.test import override_settings
from django.utils import translation

from django_fcs import widgets
from django_fcs.exceptions import BadOption
from django_fcs.widgets.shapes import place_in_day, shapes_of
from django_fcs.widgets.tags import TAGS
from tests.widgets.test_html import Known, Parts, a_quote, known

__all__ = ["known"]

BTC = "BINANCE:BTCUSDT"


def parts_of(html: str) -> list[str]:
    """Return the ``data-part`` of each element that has one."""
    found = (attrs.get("data-part") for _, attrs in Parts(html).elements)
    return [name for name in found if name]


def shapes_in(html: str) -> Iterator[str]:
    return (attrs["data-shape"] or "" for _, attrs in Parts(html).elements if "data-shape" in attrs)


def test_no_value_stands_twice_in_a_card(known: Known) -> None:
    html = widgets.ticker("FX:EURUSD")
    names = re.findall(r'data-field="(\w+)"', html)
    assert len(names) == len(set(names))


def test_a_name_that_is_the_symbol_is_not_repeated(known: Known) -> None:
    assert 'data-field="name"' in widgets.ticker("FX:EURUSD")
    assert 'data-field="name"' not in widgets.ticker("NASDAQ:AAPL")


def test_a_compact_card_says_so_and_a_regular_one_does_not(known: Known) -> None:
    assert Parts(widgets.ticker(BTC, item_size="compact")).host["item-size"] == "compact"
    for size in (None, "regular"):
        assert "item-size" not in Parts(widgets.ticker(BTC, item_size=size)).host


def test_a_line_is_drawn_in_regular_cards_or_where_it_is_asked_for(known: Known) -> None:
    assert "sparkline" in parts_of(widgets.ticker(BTC))
    assert "sparkline" not in parts_of(widgets.ticker(BTC, sparkline=False))
    assert "sparkline" not in parts_of(widgets.ticker(BTC, item_size="compact"))
    assert "sparkline" in parts_of(widgets.ticker(BTC, item_size="compact", sparkline=True))
    assert "sparkline" not in parts_of(widgets.tag(BTC))
    assert "sparkline" in parts_of(widgets.tag(BTC, sparkline=True))


def test_the_line_ends_at_the_last_price(known: Known) -> None:
    known(recent=(1.0, 2.0), close=1.0)
    html = widgets.ticker("FX:EURUSD")
    (line,) = (attrs for _, attrs in Parts(html).elements if attrs.get("data-part") == "line")
    assert (line["d"] or "").endswith("L68 17")
    known(None)
    assert "circle" not in widgets.tag("FX:EURUSD", sparkline=True)


@pytest.mark.parametrize(
    ("symbol", "given", "unit"),
    [
        ("FX:EURUSD", None, "USD"),
        (BTC, None, "USDT"),
        ("NASDAQ:AAPL", None, ""),
        ("NASDAQ:AAPL", "US$", "US$"),
        ("FX:EURUSD", "", ""),
        ("FX:EURUSD", "<b>", "&lt;b&gt;"),
    ],
)
def test_a_price_has_the_unit_of_its_pair_or_of_the_page(
    known: Known, symbol: str, given: str | None, unit: str
) -> None:
    html = widgets.ticker(symbol, unit=given)
    assert f'data-part="unit">{unit}</span>' in html
    assert ('unit="' in html.partition(">")[0]) == (given is not None)


@pytest.mark.parametrize("widget", [widgets.ticker, widgets.tag])
@pytest.mark.parametrize(
    ("pattern", "address"),
    [
        ("/m/{symbol}/", "/m/FX%3AEURUSD/"),
        ("?s={symbol}#{symbol}", "?s=FX%3AEURUSD#FX%3AEURUSD"),
        ("https://example.org/", "https://example.org/"),
        ("HTTP://example.org/{symbol}", "HTTP://example.org/FX%3AEURUSD"),
        ("{symbol}", "FX%3AEURUSD"),
        ("/a:b", "/a:b"),
        ("{0}", "{0}"),
    ],
)
def test_a_widget_links_to_the_address_of_its_symbol(
    known: Known, widget: Callable[..., str], pattern: str, address: str
) -> None:
    parts = Parts(widget("FX:EURUSD", href=pattern))
    (link,) = (attrs for tag, attrs in parts.elements if tag == "a")
    assert link["href"] == address
    assert parts.host["href"] == pattern


def test_a_symbol_in_an_address_is_percent_encoded(known: Known) -> None:
    html = widgets.ticker("NYSE:A/B&C", href="/m/{symbol}/")
    assert 'href="/m/NYSE%3AA%2FB%26C/"' in html


BAD_ADDRESSES = [
    *("javascript:alert(1)", " javascript:alert(1)", "JavaScript:alert(1)", "java\nscript:x"),
    *(
        "\x01javascript:x",
        "data:text/html,x",
        "vbscript:x",
        "mailto:a@b",
        "file:///etc",
        "x" * 2001,
    ),
    *(5.5, ["/"], object()),
]


@pytest.mark.parametrize("href", BAD_ADDRESSES)
def test_what_is_no_address_of_a_page_is_no_link(known: Known, href: object) -> None:
    html = widgets.ticker("FX:EURUSD", href=href)  # type: ignore[arg-type]
    assert "href" not in html
    with override_settings(DEBUG=True), pytest.raises(BadOption, match="href"):
        widgets.tag("FX:EURUSD", href=href)  # type: ignore[arg-type]


def test_a_wrong_option_in_a_variable_is_the_default_with_one_log_line(
    known: Known, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        html = widgets.ticker("FX:EURUSD", item_size="tiny-of-test", unit="u" * 17)
        assert "item-size" not in html
        assert 'data-part="unit">USD<' in html
    lines = [line.getMessage() for line in caplog.records if "tiny-of-test" in line.getMessage()]
    assert len(lines) == 1
    assert "regular compact" in lines[0]


def test_a_wrong_size_in_a_literal_lists_the_choices() -> None:
    with pytest.raises(BadOption, match="regular compact"):
        TAGS["fcs_ticker"].check({"item_size": "huge"})


@pytest.mark.parametrize(
    ("symbol", "price"),
    [
        *(("FX:EURUSD", "0.00000"), ("FX:USDJPY", "000.000"), ("FX:XAUUSD", "0,000.00")),
        *((BTC, "00,000.00"), ("NASDAQ:AAPL", "000.00"), ("SP:SPX", "00,000.00")),
    ],
)
def test_before_the_first_price_zeros_have_its_shape(known: Known, symbol: str, price: str) -> None:
    known(None)
    shapes = list(shapes_in(widgets.ticker(symbol)))
    digits = len(price.partition(".")[2])
    assert shapes[0] == price
    assert set(shapes) == {price, f"+0.{'0' * digits}", "+0.00\N{THIN SPACE}%"}
    assert set(shapes_in(widgets.price(symbol))) == {price}
    assert set(shapes_in(widgets.price(symbol, field="volume"))) == set()


def test_a_shape_has_the_decimals_of_the_site_and_the_spelling_of_the_language() -> None:
    assert shapes_of("FX:EURUSD", {"FX:*": 4})["close"] == "0.0000"
    with translation.override("de"):
        assert shapes_of(BTC, {"BINANCE:*": 1})["close"] == "00.000,0"


def test_a_known_price_needs_no_shape(known: Known) -> None:
    assert list(shapes_in(widgets.ticker("FX:EURUSD"))) == []
    assert list(shapes_in(widgets.price("FX:EURUSD"))) == []


@pytest.mark.parametrize(
    ("low", "close", "high", "place"),
    [
        *((1.0, 1.5, 2.0, "50.0%"), (1.0, 1.0, 2.0, "0.0%"), (1.0, 2.0, 2.0, "100.0%")),
        *((1.0, 0.5, 2.0, "0.0%"), (1.0, 9.0, 2.0, "100.0%"), (-1e20, 1.0, 1e20, "50.0%")),
        *((1.0, 1.0, 1.0, ""), (2.0, 1.0, 1.0, ""), (None, 1.0, 2.0, ""), (1.0, None, 2.0, "")),
    ],
)
def test_the_bar_says_where_the_price_stands_between_low_and_high(
    known: Known, low: float | None, close: float | None, high: float | None, place: str
) -> None:
    assert place_in_day(a_quote(low=low, close=close, high=high)) == place
    known(low=low, close=close, high=high)
    html = widgets.ticker("FX:EURUSD")
    (dot,) = (attrs for tag, attrs in Parts(html).elements if tag == "circle" and "r" not in attrs)
    assert dot.get("cx", "") == place


def test_a_tag_says_in_words_what_is_not_live(known: Known) -> None:
    html = widgets.tag("FX:EURUSD")
    assert Parts(html).texts == {
        **{"symbol": "EUR/USD", "close": "1.08412"},
        "change_percent": "+0.21\N{THIN SPACE}%",
    }
    assert "\n" not in html
    assert (Parts(html).host["title"] or "").startswith("Euro / US dollar, ")


@pytest.mark.parametrize("field", [None, "updated"])
def test_the_title_of_a_time_is_the_time_at_the_exchange(known: Known, field: str | None) -> None:
    known(updated=datetime(2026, 1, 5, 15, 30, 5, tzinfo=timezone.utc))

    def times(symbol: str) -> list[dict[str, str | None]]:
        html = widgets.price(symbol, field=field) if field else widgets.ticker(symbol)
        parts = Parts(html)
        zone = {"zone": parts.host.get("data-zone"), "title": ""}
        return [{**zone, **attrs} for tag, attrs in parts.elements if tag == "time"]

    [apple] = times("NASDAQ:AAPL")
    assert apple["zone"] == "America/New_York"
    assert (apple["title"] or "").endswith("10:30:05 EST")
    [euro] = times("FX:EURUSD")
    assert (euro["zone"], euro["title"]) == (None, "")

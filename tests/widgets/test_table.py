"""The watch list: what its table holds, and what its arguments may be."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import override_settings
from django.utils.functional import SimpleLazyObject
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from django_fcs import widgets
from django_fcs.exceptions import BadOption, BadRows, BadTimeframe, RoomError
from django_fcs.prices.states import State
from django_fcs.quotes import Quote
from django_fcs.rooms import Room
from django_fcs.widgets.columns import COLUMNS, as_columns, as_sort, ranks_of
from django_fcs.widgets.rows import ROWS_MAX
from tests.widgets.test_html import Known, a_quote, known

pytestmark = pytest.mark.versions

__all__ = ["known"]

EUR, GBP, YEN = "FX:EURUSD", "FX:GBPUSD", "FX:USDJPY"
BTC, APPLE = "BINANCE:BTCUSDT", "NASDAQ:AAPL"


def symbols_of(html: str) -> list[str]:
    return re.findall(r'data-symbol="([^"]*)"', html)


def row_of(html: str, symbol: str) -> str:
    found = re.search(rf'<tr role="row" data-symbol="{symbol}".*?</tr>', html)
    assert found
    return found[0]


def market_of(html: str) -> str:
    return re.findall(r'data-part="market"[^>]*>([^<]*)<', html)[0]


@pytest.fixture
def prices(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """By symbol, what is known of it; a symbol that is missing has no price."""
    given: dict[str, dict[str, Any]] = {}

    def quote_to_show(room: Room) -> Quote | None:
        if room.symbol not in given:
            return None
        return a_quote(room.symbol, room.timeframe, **given[room.symbol])

    monkeypatch.setattr("django_fcs.quotes.quote_to_show", quote_to_show)
    return given


def test_a_table_has_a_head_and_a_row_for_each_symbol(known: Known) -> None:
    html = widgets.table(f"{EUR} {BTC}", "1h", href="/m/{symbol}/")

    assert html.startswith('<fcs-table timeframe="60" columns="sparkline close change change_perc')
    assert re.findall(r'<th scope="col"[^>]*data-column="(\w+)"', html) == [
        *("symbol", "sparkline", "close", "change", "change_percent"),
    ]
    assert symbols_of(html) == [EUR, BTC]
    row = row_of(html, EUR)
    assert 'data-timeframe="60" data-token="' in row
    assert 'data-state="live" data-direction="up" data-digits="5" data-decimal="."' in row
    assert 'href="/m/FX%3AEURUSD/"' in row
    assert "Euro / US dollar" in row
    assert '<td role="cell" translate="no" data-field="close">1.08412</td>' in row
    assert row.count("<td") == 4 and "<svg" in row
    assert "style" not in html


def test_the_column_of_changes_is_wide_if_one_of_them_is_long(known: Known) -> None:
    known(change=-1120.4, digits=2)
    assert 'data-figures="wide"' not in widgets.table(BTC)
    known(change=-0.0000002, digits=8)
    assert 'data-figures="wide"' in widgets.table("BINANCE:SHIBUSDT")


def test_a_row_without_a_price_keeps_its_cells(known: Known) -> None:
    known(None)
    row = row_of(widgets.table(EUR, columns="close updated change"), EUR)

    assert 'data-state="waiting"' in row and "data-direction" not in row
    assert 'data-field="close" data-shape="0.00000">–</td>' in row
    assert '<span translate="no" data-field="updated">–</span>' in row


@pytest.mark.parametrize(
    "columns",
    [
        *("close bid", "close,bid", " close ,\nbid,close", ["close", "bid"]),
        *(iter(["symbol", "close", "bid"]), gettext_lazy("close bid"), mark_safe("close bid")),
        {"close": 1, "bid": 2}.keys(),
    ],
)
def test_columns_are_a_text_or_a_list_without_repeats(columns: object) -> None:
    assert as_columns(columns) == ("close", "bid")


@pytest.mark.parametrize(
    "columns", ["", "price", "close price", [None], 5, ["close", ["bid"]], b"close", "symbol", []]
)
def test_a_wrong_column_is_named_with_the_choices(known: Known, columns: object) -> None:
    with pytest.raises(BadOption, match="sparkline name close open high"):
        as_columns(columns)
    with override_settings(DEBUG=True), pytest.raises(BadOption):
        widgets.table(EUR, columns=columns)
    assert 'columns="sparkline close change change_percent"' in widgets.table(EUR, columns=columns)


@pytest.mark.parametrize("sort", ["price", "-price", "--close", "sparkline", "-", 5, ["close"]])
def test_a_wrong_order_is_named_with_the_choices(known: Known, sort: Any) -> None:
    with pytest.raises(BadOption, match="symbol name close open high"):
        as_sort(sort)
    assert symbols_of(widgets.table(f"{GBP} {EUR}", sort=sort)) == [GBP, EUR]


def test_every_column_has_a_head_and_a_cell(known: Known) -> None:
    html = widgets.table(EUR, columns=COLUMNS)

    assert len(re.findall('<th scope="col"', html)) == 1 + len(COLUMNS)
    assert all(re.findall(r'<th scope="col"[^>]*>([^<]*)</th>', html))
    assert html.count("<td") == len(COLUMNS)
    assert '<time translate="no" data-field="updated" datetime="2025-12-22T13:50:26Z">' in html


def test_a_narrow_table_keeps_price_and_percent_and_loses_the_change_first() -> None:
    ranks = ranks_of(["sparkline", "close", "change", "change_percent"])

    assert ranks == {"sparkline": "3", "change": "4"}
    assert ranks_of(["bid"]) == {} and len(ranks_of(COLUMNS)) == len(COLUMNS) - 2


def test_rows_are_sorted_within_their_group_and_unknown_ones_are_last(
    prices: dict[str, dict[str, Any]],
) -> None:
    for symbol, change in ((EUR, 0.5), (GBP, -2.0), (YEN, 1.5), (APPLE, float("nan"))):
        prices[symbol] = {"change_percent": change}
    given = [("A", [EUR, BTC, GBP, APPLE, YEN]), ("B", [GBP, EUR])]

    assert symbols_of(widgets.table(given, sort="-change_percent")) == [
        *(YEN, EUR, GBP, BTC, APPLE),
        *(EUR, GBP),
    ]
    html = widgets.table(given, sort="change_percent")
    assert symbols_of(html) == [GBP, EUR, YEN, BTC, APPLE, GBP, EUR]
    assert re.findall(r'data-column="(\w+)"[^>]* aria-sort="(\w+)"', html) == [
        ("change_percent", "ascending")
    ]
    assert symbols_of(widgets.table([YEN, EUR, GBP], sort="symbol")) == [EUR, GBP, YEN]
    assert symbols_of(widgets.table([EUR, YEN], sort="-updated")) == [EUR, YEN]


def test_a_spread_is_sorted_as_it_is_shown(prices: dict[str, dict[str, Any]]) -> None:
    prices.update({EUR: {"spread": 0.0008}, APPLE: {"spread": 0.5}, YEN: {"spread": 0.02}})

    html = widgets.table([EUR, APPLE, YEN], columns="spread", sort="spread")
    assert symbols_of(html) == [APPLE, YEN, EUR]  # 0.50, 2.0 pips, 8.0 pips


def test_a_group_says_in_words_how_its_market_stands(prices: dict[str, dict[str, Any]]) -> None:
    group = [("Mine", [EUR, APPLE])]
    assert market_of(widgets.table(group)) == ""
    prices.update({EUR: {}, BTC: {}, APPLE: {"state": State.CLOSED, "until": 4070908800}})
    assert re.fullmatch(r"as of \d\d:\d\d:\d\d \w+", market_of(widgets.table(group)))
    assert market_of(widgets.table([("Coins", [BTC])])) == "always open"
    html = widgets.table([("Nasdaq", [APPLE])])
    assert market_of(html).startswith("closed · opens ")
    assert '<tbody role="rowgroup" data-state="closed">' in html
    prices[APPLE] = {"state": State.CLOSED}
    assert market_of(widgets.table([("Nasdaq", [APPLE])])) == "closed"


def test_an_old_price_says_from_when_it_is(known: Known) -> None:
    for old in (State.STALE, State.OFFLINE):
        known(state=old)
        row = row_of(widgets.table(EUR), EUR)
        assert re.search(r'data-part="status">22 Dec \d\d:50 ', row)
    known(state=State.LIVE)
    assert 'data-part="status"></span>' in widgets.table(EUR)
    known(state=State.LIVE, delay=900)
    assert "15 min delayed" in widgets.table(EUR)


def test_names_and_headings_with_html_are_text(known: Known) -> None:
    bad = "<script>alert('x')</script>&"
    with override_settings(FCS_NAMES={EUR: bad}):
        html = widgets.table([(bad, [EUR])], columns="name", href='/"><i>{symbol}')
    assert "<script" not in html and "<i>" not in html
    assert html.count("&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;&amp;") == 3


def test_rows_may_be_any_objects_with_a_symbol(known: Known) -> None:
    thing = SimpleLazyObject(lambda: SimpleNamespace(symbol=GBP))
    things = [SimpleNamespace(symbol=EUR), {"symbol": BTC}, thing]
    assert symbols_of(widgets.table(iter(things))) == [EUR, BTC, GBP]


@pytest.mark.parametrize(
    "rows", [[SimpleNamespace(name="x")], iter(()), [("", [EUR])], [("x" * 200, [EUR])], 5, None]
)
def test_rows_that_cannot_be_shown_are_named(known: Known, rows: object) -> None:
    with pytest.raises(BadRows):
        widgets.table(rows)


def test_a_wrong_timeframe_is_refused_once_for_all_rows(known: Known) -> None:
    with pytest.raises(BadTimeframe):
        widgets.table([EUR, BTC], "2h")


def test_a_long_list_is_shown_up_to_its_limit(
    known: Known, caplog: pytest.LogCaptureFixture
) -> None:
    assert len(symbols_of(widgets.table([EUR] * 5000, columns="close"))) == ROWS_MAX
    widgets.table([EUR] * 5000, columns="close")
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("wrong", [{"href": "javascript:x"}, {"item_size": "huge"}])
def test_a_wrong_option_has_its_default(known: Known, wrong: dict[str, Any]) -> None:
    assert widgets.table(EUR, **wrong) == widgets.table(EUR)
    with override_settings(DEBUG=True), pytest.raises(RoomError):
        widgets.table(EUR, **wrong)


def test_options_are_attributes_of_the_element(known: Known) -> None:
    html = widgets.table(EUR, filter=True, item_size="compact", href="/m/")
    start = html.partition(">")[0]
    assert start.endswith(' href="/m/" item-size="compact"')
    assert '<div data-part="tools"></div>' in html
    assert 'data-part="tools"' not in widgets.table(EUR)


def test_an_empty_list_is_a_table_that_a_script_can_fill(known: Known) -> None:
    html = widgets.table([], 60)
    assert 'timeframe="60"' in html and "<thead" in html and "data-symbol" not in html

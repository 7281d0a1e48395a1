"""The list of symbols of a widget: what it may be, and what is left out of it."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import override_settings
from django.utils.translation import gettext_lazy

from django_fcs.exceptions import BadRows, BadSymbol, RoomError
from django_fcs.widgets.rows import ROWS_MAX, as_rows, groups_of

EUR, BTC = "FX:EURUSD", "BINANCE:BTCUSDT"


def shown(symbols: object, **options: Any) -> list[tuple[str, list[str]]]:
    """Return the headings and the symbols below each."""
    groups = groups_of(symbols, **options)
    return [(group.heading, [row.room.symbol for row in group.rows]) for group in groups]


@pytest.mark.parametrize(
    "symbols",
    [
        "FX:EURUSD BINANCE:BTCUSDT",
        "FX:EURUSD,BINANCE:BTCUSDT",
        " FX:EURUSD ,\n BINANCE:BTCUSDT,",
        [EUR, BTC],
        (one for one in (EUR, BTC)),
        {EUR: 1, BTC: 2}.keys(),
        [SimpleNamespace(symbol=EUR), SimpleNamespace(symbol=BTC)],
        [{"symbol": EUR}, {"symbol": BTC, "weight": 3}],
        [gettext_lazy("FX:EURUSD"), BTC],
    ],
)
def test_a_list_may_be_a_text_symbols_or_things_with_a_symbol(symbols: object) -> None:
    assert shown(symbols) == [("", [EUR, BTC])]


def test_groups_keep_their_order_and_stand_beside_rows_without_one() -> None:
    given = [("Coins", [BTC]), EUR, ("Forex", "FX:GBPUSD FX:USDJPY"), [gettext_lazy("More"), [EUR]]]

    assert shown(given) == [
        ("Coins", [BTC]),
        ("", [EUR]),
        ("Forex", ["FX:GBPUSD", "FX:USDJPY"]),
        ("More", [EUR]),
    ]


def test_rows_keep_what_named_them_and_the_timeframe_of_the_widget() -> None:
    thing = SimpleNamespace(symbol=EUR, weight=3)
    [group] = groups_of([thing], 60)

    assert group.rows[0].thing is thing
    assert group.rows[0].room.timeframe == "60"


Named = namedtuple("Named", "symbol weight")


class Broken:
    @property
    def symbol(self) -> str:
        raise ZeroDivisionError("of the site")


WRONG: dict[str, list[Any]] = {
    "has no symbol": [SimpleNamespace(name="x")],
    "has no symbol: ": [{"name": "x"}],
    "cannot be read: ZeroDivisionError": [Broken()],
    "needs a heading": [("", [EUR])],
    "needs a heading of": [(None, [EUR])],
    "needs a heading of 1": [("x" * 101, [EUR])],
    "are no pair": [(EUR, BTC, EUR)],
    "is no list of symbols": [("Forex", 5)],
}
EMPTY: dict[str, Any] = {
    "is no list": 5,
    "is no list of": {"Forex": [EUR]},
    "no symbols to show": iter(()),
    "pass a list": ["eurusd"],
}


@pytest.mark.parametrize("words", [*WRONG, "is no list", "is no list of", "no symbols to show"])
def test_with_debug_a_list_that_cannot_be_shown_is_named(words: str) -> None:
    with override_settings(DEBUG=True), pytest.raises(BadRows, match=words) as caught:
        groups_of({**WRONG, **EMPTY}[words])

    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("words", WRONG)
def test_a_wrong_row_or_group_takes_no_other_away(
    words: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert shown([*WRONG[words], BTC]) == [("", [BTC])]
    assert words in caplog.text


@pytest.mark.parametrize("words", EMPTY)
def test_where_nothing_is_left_to_show_it_is_named(words: str) -> None:
    with pytest.raises(BadRows, match=words):
        groups_of(EMPTY[words])


@pytest.mark.parametrize("symbols", ["", [], (), [("Forex", [])]])
def test_an_empty_list_has_no_rows(symbols: object) -> None:
    assert shown(symbols) == []


def test_named_tuples_with_a_symbol_are_rows() -> None:
    assert shown([Named(EUR, 3), Named(BTC, 5)]) == [("", [EUR, BTC])]


def test_a_wrong_row_takes_no_other_row_away(caplog: pytest.LogCaptureFixture) -> None:
    given = [EUR, "eurusd", SimpleNamespace(name="x"), SimpleNamespace(name="y"), None, BTC]

    assert shown(given) == [("", [EUR, BTC])]
    assert len(caplog.messages) == 3  # one for each reason, not for each page
    shown(given)
    assert len(caplog.messages) == 3


def test_with_debug_a_wrong_row_is_an_error() -> None:
    with override_settings(DEBUG=True), pytest.raises(BadSymbol):
        groups_of([EUR, "eurusd"])


def test_a_list_without_end_is_shown_up_to_its_limit(caplog: pytest.LogCaptureFixture) -> None:
    def endless() -> Iterator[str]:
        while True:
            yield EUR

    assert [len(symbols) for _, symbols in shown(endless())] == [ROWS_MAX]
    assert [len(symbols) for _, symbols in shown([("All", endless())], most=3)] == [3]
    assert [len(symbols) for _, symbols in shown([EUR] * ROWS_MAX)] == [ROWS_MAX]
    assert len(caplog.messages) == 2


@pytest.mark.parametrize("literal", ["", "eurusd", "FX:EURUSD,,x", 5, None])
def test_a_literal_is_checked_when_the_template_is_compiled(literal: object) -> None:
    if literal == "":
        assert as_rows(literal) == ""
        return
    with pytest.raises(RoomError):
        as_rows(literal)

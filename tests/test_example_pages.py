"""What the pages of the example project show."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client, override_settings

from django_fcs.rooms import Room
from example_project.markets import BOARDS, MAP, MARKETS, TAPE, WATCH_LIST
from tests.test_example_project import client, settings_of

__all__ = ["client", "settings_of"]

pytestmark = pytest.mark.versions


def test_a_page_has_fewer_rooms_than_a_socket_may_have() -> None:
    rows = [*TAPE, *(row for _, group in (*WATCH_LIST, *MAP) for row in group)]
    symbols = {row.symbol for row in rows} | set(BOARDS)
    assert 20 < len(symbols) < 60
    assert all(Room.parse(symbol, "1D") for symbol in symbols)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", 'symbol="NASDAQ:AAPL" timeframe="5"'),
        ("?symbol=FX:EURUSD&timeframe=1W", 'symbol="FX:EURUSD" timeframe="1W"'),
        ("?symbol=FX:NOTHING&timeframe=7", 'symbol="NASDAQ:AAPL" timeframe="5"'),
    ],
)
def test_the_address_of_the_dashboard_says_what_its_chart_shows(
    client: Client, query: str, shown: str
) -> None:
    page = client.get(f"/dashboard/{query}").content.decode()
    assert re.findall(r"<fcs-chart (symbol=\S+ timeframe=\S+)", page) == [shown]


def test_each_row_of_the_watch_list_is_a_link_to_its_chart(client: Client) -> None:
    page = client.get("/dashboard/").content.decode()
    rows = page.split('id="watch"')[1].split("</section>")[0]
    links = [
        html.unescape(link) for link in re.findall(r'<a data-part="link" href="([^"]*)"', rows)
    ]
    symbols = [row.symbol for _, group in WATCH_LIST for row in group]
    assert links == [f"?symbol={quote(symbol, safe='')}#chart" for symbol in symbols]


def test_the_tiles_of_each_group_fill_rows_of_four_six_and_eight(client: Client) -> None:
    page = client.get("/dashboard/").content.decode()
    tiles = page.split("<fcs-heatmap")[1].split("</fcs-heatmap>")[0]
    areas = {"1": 1, "2": 2, "3": 4, "4": 6}
    groups = [re.findall(r'data-size="(\d)"', group) for group in re.split(r"<ul\b", tiles)[1:]]
    assert [sum(areas[size] for size in sizes) for sizes in groups] == [24, 24]


def test_the_front_page_links_to_the_plain_pages_too(client: Client) -> None:
    text = client.get("/").content.decode()
    assert all(f'href="/{slug}/plain/"' in text for slug in MARKETS)


@pytest.mark.parametrize("market", MARKETS.values(), ids=list(MARKETS))
def test_a_market_shows_its_four_instruments_with_tags_and_without(
    client: Client, market: Any
) -> None:
    tagged = client.get(f"/{market.slug}/").content.decode()
    plain = client.get(f"/{market.slug}/plain/").content.decode()
    assert len(market.instruments) == 4
    for instrument in market.instruments:
        assert f'<fcs-ticker symbol="{instrument.symbol}" timeframe="1D"' in tagged
        assert f'data-symbol="{instrument.symbol}"' in plain
    assert "fcs-elements" not in plain
    assert "<fcs-" not in plain


def test_only_a_listed_instrument_has_an_exchange(client: Client) -> None:
    assert "Exchange</dt>" in client.get("/stocks/").content.decode()
    forex = client.get("/forex/").content.decode()
    assert "Exchange" not in forex
    assert forex.count("Source</dt>") == 4


def test_a_market_that_is_not_there_is_not_found(client: Client) -> None:
    assert client.get("/bonds/").status_code == 404


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ws://127.0.0.1:9780", "Simulated prices"),
        ("wss://ws-v4.fcsapi.com/ws", "Prices from the FCS API"),
    ],
)
def test_the_page_says_whether_its_prices_are_real(client: Client, url: str, words: str) -> None:
    with override_settings(FCS_URL=url):
        assert words in client.get("/").content.decode()

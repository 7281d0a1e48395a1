"""Numbers: the script writes them as the server does, in every language of Django."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import global_settings
from django.test import override_settings
from django.utils import translation
from django.utils.formats import reset_format_cache
from playwright.async_api import expect

from django_fcs import widgets
from django_fcs.prices.snapshots import spread_of
from django_fcs.widgets import formats
from tests.browser.element_page import EURUSD, Site, a_full_ticker, euro, site, with_more_fields
from tests.browser.scripted_server import price
from tests.support.waiting import eventually
from tests.widgets.test_html import Known, known

__all__ = ["known", "site"]

LANGUAGES = [code for code, _ in global_settings.LANGUAGES]
FIELDS = ["close", "open", "high", "low", "change", "change_percent", "volume", "spread"]
VALUES = {
    **{"close": 1234567.125, "open": 1.17521, "high": 987.5, "low": -1234.5},
    **{"change": -37632.63, "change_percent": 1240.5, "volume": 8192.7},
    **{"ask": 1.17517, "bid": 1.17514},
}
SPREAD = spread_of(VALUES["ask"], VALUES["bid"])
KEYS = {
    **{"close": "c", "open": "o", "high": "h", "low": "l"},
    **{"change": "ch", "change_percent": "chp", "volume": "v"},
    **{"ask": "a", "bid": "b"},
}
TEXTS = """() => [...document.querySelectorAll("fcs-ticker")].map((ticker) =>
  Object.fromEntries([...ticker.querySelectorAll("[data-field]")]
    .map((field) => [field.dataset.field, field.textContent])))"""
MARK = """document.querySelectorAll("[data-field]")
  .forEach((field) => { if (field.dataset.field !== "symbol") field.textContent = "?"; })"""
#: Elements are written in several frames, those out of view later.
WRITTEN = """(names) => [...document.querySelectorAll("[data-field]")]
  .every((field) => field.textContent !== "?" || !names.includes(field.dataset.field))"""

NUMBERS = [0.0, 1.005, -37.63, 0.0049, 812.0, 999_500.0, 8192.7, 1_234_567.891, 2.25e12, 8.51e-06]
NUMBERS += [1.234e-10, 0.1 + 0.2, 1e15, -1e-15]
DIGITS = [*range(10), 13, 1, 20, 20]
SYMBOLS = [
    *("FX:EURUSD", "FX:USDJPY", "FX:XAUUSD", "BINANCE:BTCUSDT", "CRYPTO:BTCUSD"),
    *("ONA:US30USD", "NASDAQ:AAPL", "NYSE:BRK.B", "AMEX:USD", "BINANCE:1000SHIBUSDC", "FX:EURVND"),
    *("FX:EURHUF", "FX:USDKRW", "FX:VNDJPY"),
]


def a_message(seq: int) -> dict[str, object]:
    prices: dict[str, Any] = {KEYS[name]: value for name, value in VALUES.items()}
    return euro(seq, digits=2, **prices)


async def shown_by_the_script(site: Site, seq: int = 1) -> list[dict[str, str]]:
    """Let the script write every number of the page, whatever the server wrote; return them."""
    await site.joined("FX:EURUSD_1D")
    await site.run(MARK)
    await site.send(a_message(seq))
    await site.page.wait_for_function(WRITTEN, arg=FIELDS)
    texts: list[dict[str, str]] = await site.run(TEXTS)
    return [{name: text[name] for name in FIELDS} for text in texts]


def shown_by_the_server() -> dict[str, str]:
    """Write the same numbers in Python, in the active language."""
    plain = {name: formats.number(VALUES[name], 2) for name in FIELDS[:4]}
    return plain | {
        "change": formats.signed(VALUES["change"], 2),
        "change_percent": formats.percent(VALUES["change_percent"]),
        "volume": formats.compact(VALUES["volume"]),
        "spread": formats.spread(SPREAD, EURUSD, 2),
    }


async def test_a_number_keeps_its_spelling_in_every_language_of_django(
    site: Site, known: Known
) -> None:
    known(digits=2, spread=SPREAD, **VALUES)
    body, expected = "", []
    for code in LANGUAGES:
        with translation.override(code):
            body += f'<section lang="{code}">{with_more_fields(widgets.ticker(EURUSD))}</section>'
            expected.append(shown_by_the_server())
    await site.open(body)
    assert len(expected) >= 100
    own = [name for name in FIELDS if name not in ("open", "volume", "spread")]
    for shown, wanted in zip(await site.run(TEXTS), expected, strict=True):
        assert {name: shown[name] for name in own} == {name: wanted[name] for name in own}
    assert await shown_by_the_script(site) == expected


@pytest.mark.parametrize("code", ["ar", "zh-hans"])
async def test_an_element_of_the_pages_own_is_written_in_the_language_of_the_scripts(
    site: Site, code: str
) -> None:
    with translation.override(code):
        await site.open(f'<main lang="ja">{a_full_ticker(EURUSD)}</main>', html=f'lang="{code}"')
        expected = shown_by_the_server()
    assert await shown_by_the_script(site) == [expected]


async def test_a_tag_in_another_language_than_the_scripts_has_its_own_separators(
    site: Site, known: Known
) -> None:
    known(digits=2, **VALUES)
    with translation.override("de"):
        german, expected = with_more_fields(widgets.ticker(EURUSD)), shown_by_the_server()
    await site.open(a_full_ticker(EURUSD) + german)
    english = shown_by_the_server()
    assert english["close"] == "1,234,567.13" and expected["close"] == "1.234.567,13"
    assert await shown_by_the_script(site) == [english, expected]
    await site.run("document.querySelectorAll('fcs-ticker')[1].dataset.thousand = '_'")
    await site.send(a_message(2))
    await expect(site.field("close").last).to_have_text("1_234_567,13")


@pytest.fixture
def own_formats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the site have formats of its own: 12'34'567~13."""
    for package in ("own_formats", "own_formats/en"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    (tmp_path / "own_formats" / "en" / "formats.py").write_text(
        "DECIMAL_SEPARATOR = '~'\nTHOUSAND_SEPARATOR = '\\''\nNUMBER_GROUPING = (3, 2, 0)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    with override_settings(FORMAT_MODULE_PATH="own_formats"):
        reset_format_cache()
        yield
    reset_format_cache()


@pytest.mark.usefixtures("own_formats")
async def test_the_sites_own_formats_are_those_of_the_script(site: Site) -> None:
    await site.open(a_full_ticker(EURUSD))
    expected = shown_by_the_server()
    assert expected["close"] == "12'34'567~13"
    assert await shown_by_the_script(site) == [expected]


@override_settings(USE_THOUSAND_SEPARATOR=True)
async def test_a_setting_for_other_numbers_changes_nothing(site: Site) -> None:
    await site.open(a_full_ticker(EURUSD))
    expected = shown_by_the_server()
    assert expected["close"] == "1,234,567.13"
    assert await shown_by_the_script(site) == [expected]


async def test_halves_are_rounded_as_on_the_server(site: Site) -> None:
    dice = random.Random(5)
    values = [
        1.005,
        2.675,
        1.115,
        0.5,
        1.5,
        2.5,
        0.000012395678,
        1.234e-10,
        0.1 + 0.2,
        1e20,
        5e-324,
    ]
    values += [round(dice.uniform(0, 10**power), 7) for power in range(7) for _ in range(20)]
    await site.open(a_full_ticker(EURUSD))
    await site.joined("FX:EURUSD_1D")
    for seq, value in enumerate(values):
        digits = seq % 9
        await site.send(euro(seq + 1, c=value, digits=digits))
        await expect(site.field("close")).to_have_text(formats.number(value, digits))


async def test_the_page_writes_everything_as_the_server_does(site: Site) -> None:
    await site.open("".join(map(a_full_ticker, SYMBOLS)))
    await site.joined(*(f"{symbol}_1D" for symbol in SYMBOLS))
    pairs = list(zip(SYMBOLS, NUMBERS, DIGITS, strict=True))
    for symbol, n, digits in pairs:
        message = price(symbol, digits=digits, c=n, v=abs(n), a=n + 0.001, b=n, ch=n, chp=n)
        await site.send({**message, "seq": 1})
    read = """() => [...document.querySelectorAll("fcs-ticker")].map((ticker) =>
      ["symbol", "close", "volume", "spread", "change", "change_percent"].map((name) =>
        ticker.querySelector(`[data-field=${name}]`).textContent))"""
    expected = [
        [
            formats.name(symbol),
            formats.number(n, digits),
            formats.compact(abs(n)),
            formats.spread(spread_of(n + 0.001, n), symbol, digits),
            formats.signed(n, digits),
            formats.percent(n),
        ]
        for symbol, n, digits in pairs
    ]
    is_written = f"(({read})()).every(([, close]) => close && close !== '–')"
    await eventually(lambda: site.run(is_written))
    assert await site.run(read) == expected


SPREADS = [
    *((1.17517, 1.17514, 4), (1.000022, 1.000007, 6), (1.1, 1.1, 5), (1.0, 1.5, 2)),
    *((1.12172, 1.1212, 5), (1.00035, 1.0003, 5), (1.000035, 1.00003, 6), (1e-7, 3e-8, 9)),
]


@pytest.mark.parametrize("symbol", [EURUSD, "FX:EURVND"])
async def test_a_spread_keeps_its_spelling_whatever_the_digits(site: Site, symbol: str) -> None:
    await site.open(a_full_ticker(symbol))
    await site.joined(f"{symbol}_1D")
    for seq, (ask, bid, digits) in enumerate(SPREADS):
        message = price(symbol, a=ask, b=bid, c=seq, digits=digits)
        await site.send({**message, "seq": seq + 1})
        await expect(site.field("close")).to_have_text(formats.number(seq, digits))
        expected = formats.spread(spread_of(ask, bid), symbol, digits)
        await expect(site.field("spread")).to_have_text(expected)


async def test_a_spread_of_what_is_no_number_is_not_known(site: Site) -> None:
    await site.open(a_full_ticker(EURUSD))
    await site.joined("FX:EURUSD_1D")
    for seq, (ask, bid) in enumerate([(None, 1.1), (1.1, None), (None, None), ("1.5", 1)]):
        await site.send(euro(2 * seq + 1, c=1.2))
        await expect(site.field("spread")).to_have_text("0.8 pips")
        await site.send(euro(2 * seq + 2, a=ask, b=bid))
        await expect(site.field("spread")).to_have_text("–")

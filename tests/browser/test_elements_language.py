"""The data block: the words and separators of a page, which may change while prices run."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.utils import translation
from playwright.async_api import expect

from django_fcs import widgets
from django_fcs.widgets.page import data_block
from django_fcs.widgets.texts import texts
from tests.browser.element_page import EURUSD, STATUS, TICKER, Site, euro, site, state
from tests.browser.scripted_server import Behaviour
from tests.support.waiting import eventually
from tests.widgets.test_html import Known, known
from tests.widgets.test_page import BLOCK

__all__ = ["known", "site"]

MOVE = """(block) => {
  const next = document.createRange().createContextualFragment(block).firstChild;
  document.querySelector("#fcs-page").replaceWith(next);
}"""


async def show(site: Site, seq: int = 1, **prices: Any) -> None:
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(seq, **prices), state("live"))


def block(code: str) -> str:
    with translation.override(code):
        return str(data_block())


def scripts_with(text: str) -> str:
    """Return what the tag prints, with another text in the data block."""
    html = widgets.scripts()
    (data,) = BLOCK.findall(html)
    return html.replace(data, text)


async def test_a_new_data_block_changes_words_and_numbers_of_elements_that_stay(
    site: Site, known: Known
) -> None:
    known()
    await site.open(widgets.ticker(EURUSD) + TICKER + widgets.status())
    await show(site, c=1234.5, digits=1)
    await expect(site.field("close").last).to_have_text("1,234.5")
    await site.run("document.querySelectorAll('fcs-ticker').forEach((e, i) => { e.mine = i; })")

    await site.page.evaluate(MOVE, block("de"))

    for index in range(2):
        ticker = site.find("fcs-ticker").nth(index)
        await expect(ticker.locator("[data-field=close]")).to_have_text("1.234,5")
        await expect(ticker.locator("[data-part=label]", has_text="Tief")).to_have_count(1)
    await site.send(state("closed"))
    await expect(site.find(STATUS).first).to_have_text("geschlossen")
    await expect(site.find(f"fcs-status {STATUS}")).to_have_text("Märkte geschlossen")
    assert await site.run("[...document.querySelectorAll('fcs-ticker')].map((e) => e.mine)") == [
        0,
        1,
    ]


async def test_a_new_data_block_changes_the_words_that_the_scripts_of_the_family_write(
    site: Site, known: Known
) -> None:
    known()
    symbols = [EURUSD, *(f"NASDAQ:A{index}" for index in range(9))]
    table = widgets.table([("All", [EURUSD])], filter=True)
    await site.open(widgets.tape(symbols) + table + widgets.movers([EURUSD]))
    await site.send(euro(1), state("live"))
    await expect(site.find("[data-part=pause]")).to_have_attribute("aria-label", "Pause")
    await expect(site.find("[data-part=market]")).to_have_text("open")
    await expect(site.find("[data-part=note]")).to_have_text("of 1")

    await site.page.evaluate(MOVE, block("es"))

    with translation.override("es"):
        words = texts()
        await expect(site.find("[data-part=pause]")).to_have_attribute("aria-label", words["pause"])
        field = site.find("fcs-table input")
        await expect(field).to_have_attribute("placeholder", words["filter"])
        await expect(field).to_have_attribute("aria-label", words["filter"])
        await expect(site.find("[data-part=market]")).to_have_text(words["market_open"])
        await expect(site.find("[data-part=heading]").last).to_have_text(words["down"])
        note = words["of"].replace("{n}", "1")
        await expect(site.find("[data-part=note]")).to_have_text(note)


async def test_a_tag_in_another_language_keeps_its_own_separators(site: Site, known: Known) -> None:
    known()
    with translation.override("fr"):
        french = widgets.ticker(EURUSD)
    await site.open(french)
    await show(site, c=1234.5, digits=1)
    await expect(site.field("close")).to_have_text("1\u202f234,5")

    await site.page.evaluate(MOVE, block("de"))
    await show(site, 2, c=2234.5, digits=1)

    await expect(site.field("close")).to_have_text("2\u202f234,5")


async def test_the_block_of_the_pages_language_counts_and_without_one_the_last(site: Site) -> None:
    await site.open(TICKER, scripts=block("de") + widgets.scripts() + block("fr"))
    await show(site)
    await expect(site.find(STATUS)).to_have_text("live")
    await site.send(state("closed"))

    for language, word in (("de", "geschlossen"), ("FR", "fermé"), ("ja", "fermé")):
        await site.run(f"document.documentElement.lang = '{language}'")
        await expect(site.find(STATUS)).to_have_text(word)


async def test_a_new_lang_of_an_ancestor_changes_the_language_of_times(site: Site) -> None:
    await site.open(f"<main>{TICKER}</main>")
    await site.joined("FX:EURUSD_1D")
    await site.send(state("closed", until=1_900_000_000))
    before = await site.find(STATUS).text_content()

    await site.run("document.querySelector('main').lang = 'ja'")

    await expect(site.find(STATUS)).to_contain_text("3月")
    assert before is not None and "3月" not in before


BROKEN = ["{", "", "null", "&quot;{}&quot;"]


@pytest.mark.parametrize("text", BROKEN)
async def test_a_broken_data_block_leaves_english_and_one_warning(site: Site, text: str) -> None:
    await site.open(TICKER * 2, scripts=scripts_with(text))
    await show(site, c=1234.5, digits=1)

    await expect(site.find(STATUS).first).to_have_text("live")
    await expect(site.field("close").first).to_have_text("1,234.5")
    assert site.problems == ["fcs-elements.js: cannot read the data block"]
    site.problems.clear()


WRONG = [1, True, [], "x", {"texts": 1, "numbers": [1], "modules": 1, "language": {}}] + [
    {"texts": {"live": 5}, "numbers": {"decimal": {}, "grouping": None}, "timeframe": []},
    {"numbers": {"grouping": "x"}, "texts": {"constructor": "x"}, "modules": {"b": []}},
]


@pytest.mark.parametrize("data", WRONG)
async def test_wrong_values_in_a_data_block_count_as_missing(site: Site, data: Any) -> None:
    await site.open(TICKER, scripts=scripts_with(json.dumps(data)))
    await show(site, c=1.5)

    await expect(site.find(STATUS)).to_have_text("live")
    await expect(site.field("close")).to_have_text("1.50000")


async def test_a_selector_that_css_does_not_know_gives_one_warning(site: Site) -> None:
    await site.open(TICKER * 2, scripts=scripts_with('{"modules": {"[": "/a.js"}}'))
    await show(site)

    await expect(site.find(STATUS).last).to_have_text("live")
    assert site.problems == ["fcs-elements.js: unknown selector ["]
    site.problems.clear()


async def test_a_page_without_a_data_block_is_english(site: Site) -> None:
    await site.open(TICKER, scripts=BLOCK.sub("", widgets.scripts()))
    await show(site, c=1234.5, digits=1)

    await expect(site.field("close")).to_have_text("1,234.5")
    await expect(site.find(STATUS)).to_have_text("live")


# What the feed does not deliver


@pytest.mark.parametrize("code", ["en", "de"])
async def test_a_symbol_that_the_feed_does_not_confirm_says_no_data(site: Site, code: str) -> None:
    with translation.override(code):
        scripts = widgets.scripts()
    await site.open('<fcs-ticker symbol="FX:XPTUSD"></fcs-ticker>', scripts=scripts)
    await site.joined("FX:XPTUSD_1D")
    reason = "the feed does not confirm this symbol"
    await site.send({**state("waiting", "FX:XPTUSD"), "reason": reason})

    words = {"en": "No data for XPT/USD", "de": "Keine Daten für XPT/USD"}
    await expect(site.find(STATUS)).to_have_text(words[code])


async def test_a_symbol_of_which_nothing_comes_says_no_data_after_a_while(site: Site) -> None:
    scripts = widgets.scripts().replace('offline-after="10"', 'offline-after="0.2"')
    site.server.behaviour = Behaviour(pong=True)
    await site.open(TICKER, scripts=scripts)
    await site.joined("FX:EURUSD_1D")
    await site.send(state("waiting"))

    await expect(site.find(STATUS)).to_have_text("No data for EUR/USD")
    await expect(site.find("fcs-ticker")).to_have_attribute("data-state", "waiting")
    await site.send(euro(1), state("live"))
    await expect(site.find(STATUS)).to_have_text("live")


async def test_a_symbol_that_has_to_wait_for_a_place_is_waiting(site: Site) -> None:
    await site.open(TICKER)
    await site.joined("FX:EURUSD_1D")
    await site.send({**state("waiting"), "reason": "too many symbols are watched"})

    await expect(site.find(STATUS)).to_have_text("waiting")


# What is wrong in the page's own HTML


async def test_wrong_names_in_html_give_one_warning_each(site: Site) -> None:
    await site.open(
        f'<main data-palette="pink">{TICKER * 3}</main>'
        f'<fcs-ticker symbol="{EURUSD}" item-size="huge"></fcs-ticker>'
        f'<fcs-price symbol="{EURUSD}" field="last"></fcs-price>' * 2
    )
    await show(site)
    await expect(site.find(STATUS).first).to_have_text("live")
    await eventually(lambda: len(site.problems) == 3)  # the last one may come in a later frame

    problems, site.problems = site.problems, []
    assert problems == [
        "fcs-elements.js: unknown data-palette pink",
        "fcs-elements.js: unknown item-size huge",
        "fcs-elements.js: unknown field last",
    ]


async def test_right_names_in_html_give_no_warning(site: Site) -> None:
    fields = "".join(
        f'<fcs-price symbol="{EURUSD}" field="{name}"></fcs-price>' for name in widgets.FIELDS
    )
    await site.open(
        f'<main data-palette="red-up">{fields}<p data-palette="colour-blind">{TICKER}</p></main>'
    )
    await show(site)
    await expect(site.find(f"fcs-ticker {STATUS}")).to_have_text("live")

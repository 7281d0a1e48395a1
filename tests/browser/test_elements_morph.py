"""What other scripts make of an element: a DOM morph, a translator, a visitor who selects."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

import pytest
from playwright.async_api import expect

from django_fcs import widgets
from django_fcs.prices.states import State
from tests.browser.element_page import EURUSD, STATUS, TICKER, Site, euro, site, state
from tests.widgets.test_html import Known, known

__all__ = ["known", "site"]

MORPH = (Path(__file__).parent / "morph.js").read_text()
FRAMES = """new Promise((done) =>
  requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done))))"""
COUNT = """() => {
  globalThis.writes = 0;
  new MutationObserver((all) => { writes += all.length; }).observe(document.body,
    { subtree: true, childList: true, characterData: true, attributes: true });
}"""


async def open_told(site: Site, body: str, *, now: str) -> None:
    """Open a page with one price, which the socket has sent, and a state."""
    site.server.pages["/morph.js"] = MORPH
    await site.open(f"{body}<script src='/morph.js'></script>")
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(1), state(now))
    await expect(site.find(f"[data-state={now}]").first).to_be_attached()
    await site.run(FRAMES)


async def morph(site: Site, html: str) -> None:
    """Morph the body into other HTML, and wait for the next frames."""
    await site.run(f"morph(document.body, {json.dumps(html)})")
    await site.run(FRAMES)


def rendered(known: Known, now: State, **changes: object) -> str:
    """Render what a server says that knows another price, of another state."""
    moment = datetime(2025, 12, 22, 13, 50, 26, tzinfo=timezone.utc)
    known(state=now, updated=moment, close=1.01, high=1.02, **changes)
    return widgets.ticker(EURUSD) + widgets.price(EURUSD)


OUTLINE = """() => [...document.querySelectorAll("fcs-ticker, fcs-ticker *")].map((it) =>
  [it.localName, it.firstChild?.data, [...it.attributes].map((a) => a.name + a.value).sort()])"""


@pytest.mark.parametrize(
    ("told", "rendered_as"),
    [
        ("stale", State.LIVE),
        ("offline", State.LIVE),
        ("closed", State.LIVE),
        ("live", State.CLOSED),
    ],
)
async def test_what_the_element_was_told_outlives_a_morph(
    site: Site, known: Known, told: str, rendered_as: State
) -> None:
    await open_told(site, rendered(known, State.LIVE), now=told)
    words = await site.find(f"fcs-ticker {STATUS}").inner_text()
    await morph(site, rendered(known, rendered_as, change=-0.5, delay=890))
    for tag in ("fcs-ticker", "fcs-price"):
        element = site.find(tag)
        await expect(element).to_have_attribute("data-state", told)
        await expect(element.locator("[data-field=close]")).to_have_text("1.08412")
        await expect(element).to_have_attribute("data-direction", "up")
        assert await element.get_attribute("data-delay") is None
    if told != "stale":  # whose age grows
        await expect(site.find(f"fcs-ticker {STATUS}")).to_have_text(words)
    await expect(site.field("high")).to_have_text("1.08455")
    await expect(site.field("updated")).not_to_have_attribute("datetime", "2025-12-22T13:50:26Z")


@pytest.mark.parametrize("name", ["token", "data-decimal"])
@pytest.mark.parametrize("delay", [None, 890])
async def test_a_morph_that_changes_an_attribute_of_the_element_first_changes_no_words(
    site: Site, known: Known, name: str, delay: int | None
) -> None:
    await open_told(site, rendered(known, State.LIVE), now="offline")
    fresh = rendered(known, State.LIVE, delay=delay)
    for tag in ("fcs-ticker", "fcs-price"):
        fresh = fresh.replace(f"<{tag} ", f'<{tag} {name}="_" ')
    await morph(site, fresh)
    for status in await site.find(STATUS).all():
        await expect(status).to_have_text("offline")
    await expect(site.find("fcs-price")).to_have_attribute("title", "EUR/USD, offline")


async def test_a_morph_that_changes_words_alone_is_no_translator(site: Site, known: Known) -> None:
    known(state=State.OFFLINE)
    await open_told(site, widgets.price(EURUSD), now="offline")
    known(state=State.OFFLINE, delay=890)
    await morph(site, widgets.price(EURUSD))
    await expect(site.find(STATUS)).to_have_text("offline")
    await expect(site.find("fcs-price")).to_have_attribute("title", "EUR/USD, offline")


async def test_a_lost_connection_is_not_made_live_by_one_attribute(site: Site) -> None:
    await open_told(site, TICKER, now="live")
    site.server.behaviour.welcome = False
    site.peer.abort()
    ticker = site.find("fcs-ticker")
    await expect(ticker).to_have_attribute("data-state", "offline")
    await site.run("document.querySelector('fcs-ticker').setAttribute('data-state', 'live')")
    await site.run(FRAMES)
    await expect(ticker).to_have_attribute("data-state", "offline")
    await site.run("document.querySelector('fcs-ticker').removeAttribute('data-state')")
    await site.run(FRAMES)
    await expect(ticker).to_have_attribute("data-state", "offline")
    await expect(site.find(STATUS)).to_have_text("offline")


async def test_a_morph_into_an_empty_element_takes_nothing_away(site: Site) -> None:
    await open_told(site, TICKER, now="closed")
    before = await site.run(OUTLINE)
    await morph(site, f"{TICKER}<script src='/morph.js'></script>")
    assert await site.run(OUTLINE) == before


async def test_a_morph_before_the_socket_has_spoken_is_the_servers_word(
    site: Site, known: Known
) -> None:
    site.server.behaviour.confirm = None
    site.server.pages["/morph.js"] = MORPH
    await site.open(f"{rendered(known, State.LIVE)}<script src='/morph.js'></script>")
    await site.joined("FX:EURUSD_1D")
    await morph(site, rendered(known, State.STALE))
    await expect(site.find("fcs-ticker")).to_have_attribute("data-state", "stale")
    await expect(site.field("close").first).to_have_text("1.01000")


async def test_a_morph_that_changes_the_symbol_shows_no_price_of_the_old_one(
    site: Site, known: Known
) -> None:
    await open_told(site, widgets.ticker(EURUSD), now="live")
    known(close=154.2, digits=3, state=State.LIVE)
    await morph(site, widgets.ticker("FX:USDJPY"))
    await expect(site.field("close")).to_have_text("–")
    await expect(site.field("symbol")).to_have_text("USD/JPY")
    await site.send(euro(2, c=1.5))
    await site.run(FRAMES)
    await expect(site.field("close")).to_have_text("–")


async def test_an_element_writes_nothing_where_nothing_has_changed(
    site: Site, known: Known
) -> None:
    await open_told(site, rendered(known, State.LIVE), now="live")
    await site.run(COUNT)
    await site.run(FRAMES)
    await site.run(FRAMES)
    assert await site.run("writes") == 0


async def test_two_scripts_that_contradict_each_other_do_not_stop_the_page(site: Site) -> None:
    await open_told(site, TICKER, now="stale")
    await site.run("""() => {
      globalThis.fights = 0;
      const ticker = document.querySelector("fcs-ticker");
      new MutationObserver(() => {
        if (ticker.dataset.state === "live") return;
        fights += 1;
        ticker.dataset.state = "live";
      }).observe(ticker, { attributes: true });
      ticker.dataset.state = "live";
    }""")
    for _ in range(5):
        await site.run(FRAMES)
    assert 0 < await site.run("fights") < 1000


# A translator

TRANSLATE = """() => {
  for (const place of document.querySelectorAll("[data-part=status], [data-part=label]")) {
    const font = document.createElement("font");
    font.append(`«${place.textContent}»`);
    place.replaceChildren(font);
  }
}"""


async def test_a_translators_words_stay_until_the_words_change(site: Site) -> None:
    await open_told(site, TICKER, now="live")
    await site.run(TRANSLATE)
    await site.send(euro(2, c=1.09))
    await expect(site.field("close")).to_have_text("1.09000")
    await expect(site.find(STATUS)).to_have_text("«live»")
    await expect(site.find("[data-part=label]").first).to_have_text("«Low»")
    await site.send(state("closed"))
    await expect(site.find(STATUS)).to_have_text("closed")
    await expect(site.find("[data-part=label]").first).to_have_text("«Low»")


@pytest.mark.parametrize("is_rendered", [True, False])
async def test_a_number_is_not_for_translators_and_a_word_is(
    site: Site, known: Known, is_rendered: bool
) -> None:
    own = f'<fcs-ticker symbol="{EURUSD}"><b data-field="close"></b> <i data-part="status"></i>'
    await open_told(site, widgets.ticker(EURUSD) if is_rendered else TICKER + own, now="live")
    read = """(selector) => [...document.querySelectorAll(selector)].map((it) => it.translate)"""
    assert set(await site.page.evaluate(read, "[data-field]")) == {False}
    assert set(await site.page.evaluate(read, "[data-part=status], [data-part=label]")) == {True}


# A selection

SELECTED = "getSelection().toString()"


async def test_a_price_that_is_double_clicked_can_be_copied_after_the_next_one(site: Site) -> None:
    await open_told(site, TICKER, now="live")
    await site.field("close").dblclick()
    assert (await site.run(SELECTED)).strip() == "1.08412"
    await site.send(euro(2, c=12.09))
    await expect(site.field("close")).to_have_text("12.09000")
    assert (await site.run(SELECTED)).strip() == "12.09000"
    await site.send(euro(3, c=9.5))
    await expect(site.field("close")).to_have_text("9.50000")
    assert (await site.run(SELECTED)).strip() == "9.50000"


async def test_a_selection_across_a_card_stays_while_its_prices_change(site: Site) -> None:
    await open_told(site, f"<p id='before'>before</p>{TICKER}", now="live")
    await site.run("""() => {
      const close = document.querySelector("[data-field=close]").firstChild;
      getSelection().setBaseAndExtent(document.querySelector("#before").firstChild, 2, close, 4);
    }""")
    await site.send(euro(2, c=1.25))
    await expect(site.field("close")).to_have_text("1.25000")
    words = (await site.run(SELECTED)).split()
    assert words[0] == "fore" and words[-1] == "1.25"


async def test_a_number_keeps_its_text_node(site: Site) -> None:
    await open_told(site, TICKER, now="live")
    await site.run(
        "void (globalThis.node = document.querySelector('[data-field=close]').firstChild)"
    )
    await site.send(euro(2, c=1.25))
    await expect(site.field("close")).to_have_text("1.25000")
    assert await site.run("node === document.querySelector('[data-field=close]').firstChild")

"""What fcs.css makes of the elements: boxes, contrast, themes, flashes."""

from __future__ import annotations

import time
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from django_fcs import widgets
from django_fcs.prices.states import State
from tests.browser.element_page import BTC, EURUSD, STATUS, TICKER, Site, euro, site, state
from tests.browser.scripted_server import ScriptedServer, price
from tests.support.waiting import eventually
from tests.widgets.test_html import Known, known

__all__ = ["known", "site"]

THEMES = {"light": ("#fbfbfa", "#16181d"), "dark": ("#101216", "#e8eaee")}

# The least contrast of any text on the page with the colour behind it.
CONTRAST = """(ground) => {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const light = (...colours) => {
    for (const colour of colours) {
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
    }
    const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  const texts = "[data-field], [data-part=status], [data-part=label]";
  const seen = [...document.querySelectorAll(texts)]
    .filter((node) => node.offsetWidth && node.textContent.trim());
  return Math.min(...seen.map((node) => {
    const [one, other] = [light(ground), light(ground, getComputedStyle(node).color)];
    return Math.max(one, other) / Math.min(one, other);
  }));
}"""


@pytest.mark.parametrize("width", [280, 300, 360, 1200])
async def test_the_box_is_the_same_before_and_after_the_price_and_nothing_wraps(
    site: Site, known: Known, width: int
) -> None:
    known(None)
    await site.page.set_viewport_size({"width": width, "height": 700})
    await site.open(widgets.ticker(BTC), style="body { margin: 0; font: 15px sans-serif }")
    await site.joined(f"{BTC}_1D")
    box = "document.querySelector('fcs-ticker').getBoundingClientRect().toJSON()"
    before = await site.run(box)
    values = {"o": 91083.01, "h": 91590.23, "l": 87900.0, "c": 89962.61, "v": 8192.7}
    moves = {"ch": -1120.4, "chp": -1.23, "a": 89962.62, "b": 89962.61, "digits": 2}
    await site.send({**price(BTC, "1D", **values, **moves), "seq": 1, "at": 1.0})
    await site.send(state("offline", BTC))
    await expect(site.field("close")).to_have_text("89,962.61")
    await expect(site.find(STATUS)).to_have_text("offline")
    assert await site.run(box) == before
    assert before["width"] <= width
    rights = await site.find("fcs-ticker *").evaluate_all(
        "(all) => all.map((node) => node.getBoundingClientRect().right)"
    )
    assert max(rights) <= before["right"]


async def test_a_change_that_becomes_zero_moves_nothing(site: Site, known: Known) -> None:
    known(None)
    await site.open(widgets.ticker(EURUSD) + widgets.tag(EURUSD))
    await site.joined(f"{EURUSD}_1D")
    places = """() => [
      document.querySelector("fcs-ticker [data-field=change]").getBoundingClientRect().left,
      document.querySelector("fcs-tag [data-field=change_percent]").getBoundingClientRect().right,
    ]"""

    async def places_at(seq: int, change: float) -> Any:
        values = {"o": 1.1, "c": 1.1 + change, "ch": change, "chp": change / 1.1 * 100}
        await site.send({**price(EURUSD, "1D", **values, digits=5), "seq": seq, "at": float(seq)})
        await expect(site.find("fcs-ticker [data-field=close]")).to_have_text(f"{1.1 + change:.5f}")
        return await site.run(places)

    first = await places_at(1, 0.0012)
    assert await places_at(2, 0.0) == pytest.approx(first, abs=1)  # a pixel: kerning of the sign
    assert await places_at(3, -0.00001) == pytest.approx(first, abs=1)


# How much room each part of the head has, and how much its words want.
HEAD = """() => {
  const box = (selector) => document.querySelector(selector).getBoundingClientRect();
  const [ticker, head] = [box("fcs-ticker"), box("[data-part=head]")];
  const isCut = (selector) => {
    const { scrollWidth, clientWidth } = document.querySelector(selector);
    return scrollWidth > clientWidth;
  };
  return {
    name: box("[data-part=name]").width,
    age: box("[data-part=age]").width,
    status: box("[data-part=status]").width,
    isNameCut: isCut("[data-field=symbol]"),
    isStatusCut: isCut("[data-part=status]"),
    hasPeriod: box("[data-part=period]").bottom <= head.bottom,
    hasTime: box("[data-field=updated]").height > 0
      && box("[data-field=updated]").bottom <= head.bottom,
    height: head.height,
    isInside: [...document.querySelectorAll("fcs-ticker *")].every((node) =>
      node.getBoundingClientRect().right <= ticker.right
        && node.getBoundingClientRect().left >= ticker.left),
  };
}"""
ENGLISH, GERMAN = "closed · opens", "geschlossen · öffnet"
LONG_SYMBOL = f"NYSE:{'ABCDEFGHIJ' * 4}"


async def heads_with_status(
    site: Site, symbol: str, name: str, *, html: str = 'lang="en"', opens: str = ENGLISH
) -> dict[int, dict[str, Any]]:
    """Show a ticker of one hour in this state; return the room in its head on narrow screens."""
    until = int(time.time()) + 3 * 86400
    body = f'<fcs-ticker symbol="{symbol}" timeframe="60"></fcs-ticker>'
    style = "body { margin: 0; font: 15px sans-serif }"
    await site.open(body, html=html, style=style, scripts=widgets.scripts().replace(ENGLISH, opens))
    await site.joined(f"{symbol}_60")
    sent = price(symbol, "60", c=1.08412, o=1.08181, digits=5)
    more = {"until": until} if name == "closed" else {}
    await site.send({**sent, "seq": 1, "at": time.time()}, state(name, symbol, "60", **more))
    await expect(site.find("fcs-ticker")).to_have_attribute("data-state", name)
    heads: dict[int, dict[str, Any]] = {}
    for width in (380, 360, 320, 280, 220, 190):
        await site.page.set_viewport_size({"width": width, "height": 700})
        await site.run("new Promise(requestAnimationFrame)")
        heads[width] = await site.run(HEAD)
    return heads


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
@pytest.mark.parametrize("opens", [ENGLISH, GERMAN])
@pytest.mark.parametrize("name", ["offline", "closed"])
async def test_a_name_keeps_its_room_beside_a_long_status(
    site: Site, name: str, opens: str, direction: str
) -> None:
    html = f'lang="en" dir="{direction}"'
    heads = await heads_with_status(site, BTC, name, html=html, opens=opens)
    for width in (280, 320, 360):
        head = heads[width]
        assert not head["isNameCut"], width
        assert head["name"] >= 40, width
        assert head["status"] >= 40, width
        assert head["isInside"], width
        assert head["height"] < 25, width


@pytest.mark.parametrize("name", ["offline", "closed"])
async def test_a_name_longer_than_its_room_is_cut_and_leaves_room_for_the_status(
    site: Site, name: str
) -> None:
    heads = await heads_with_status(site, LONG_SYMBOL, name)
    for width in (280, 320, 360):
        head = heads[width]
        assert head["isNameCut"], width
        assert head["name"] >= 40, width
        assert head["age"] >= 40, width
        assert head["isInside"], width
        assert head["height"] < 25, width


async def test_the_period_gives_way_before_the_time_and_the_time_before_the_status(
    site: Site,
) -> None:
    heads = await heads_with_status(site, BTC, "offline")
    seen = [heads[width] for width in (380, 220, 190)]
    assert not any(head["isStatusCut"] for head in seen)
    assert [head["hasPeriod"] for head in seen] == [True, False, False]
    assert [head["hasTime"] for head in seen] == [True, True, False]


@pytest.mark.parametrize("width", [280, 360])
@pytest.mark.parametrize("upgraded", [True, False])
async def test_when_a_market_opens_fits_beside_the_name(
    site: Site, known: Known, width: int, upgraded: bool
) -> None:
    """And nothing moves when the script is there."""
    until = int(time.time()) + 3 * 86400
    known(state=State.CLOSED, until=until)
    site.server.behaviour.welcome = upgraded
    await site.page.set_viewport_size({"width": width, "height": 700})
    await site.open(widgets.ticker(EURUSD), style="body { margin: 0; font: 15px sans-serif }")
    if upgraded:
        await site.joined("FX:EURUSD_1D")
        await site.send(euro(1), state("closed", until=until))
    await expect(site.find(STATUS)).to_contain_text("opens")
    await expect(site.field("updated")).to_be_hidden()
    cut = await site.run("""() => {
      const [symbol, status] = ["[data-field=symbol]", "[data-part=status]"]
        .map((selector) => document.querySelector(selector));
      const isCut = ({ scrollWidth, clientWidth }) => scrollWidth > clientWidth;
      const [before, after] = [symbol, status].map((node) => node.getBoundingClientRect());
      return isCut(symbol) || isCut(status) || before.right > after.left;
    }""")
    assert not cut
    height = "document.querySelector('[data-part=head]').getBoundingClientRect().height"
    assert await site.run(height) < 25


async def test_without_scripts_a_closed_market_keeps_the_time_of_its_price(
    browser: Browser, server: ScriptedServer, known: Known
) -> None:
    known(state=State.CLOSED, until=int(time.time()) + 3 * 86400)
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await Site(page, server).open(widgets.ticker(EURUSD))
    await expect(page.locator(STATUS)).to_contain_text("opens")
    await expect(page.locator('[data-field="updated"]')).to_be_visible()
    await context.close()


@pytest.mark.parametrize("theme", THEMES)
async def test_every_text_holds_its_contrast(site: Site, known: Known, theme: str) -> None:
    ground, ink = THEMES[theme]
    style = f"body {{ background: {ground}; color: {ink} }}"
    down = f'<fcs-price symbol="{EURUSD}" timeframe="60" field="change"></fcs-price>'
    await site.open(TICKER + down, html=f'lang="en" data-theme="{theme}"', style=style)
    await site.joined("FX:EURUSD_1D", "FX:EURUSD_60")
    await site.send(euro(1), euro(1, timeframe="60", ch=-0.001))
    await site.send(state("live", timeframe="60"))
    await expect(site.find("fcs-price")).to_have_attribute("data-direction", "down")
    for name in [it.value for it in State]:
        await site.send(state(name))
        await expect(site.find("fcs-ticker")).to_have_attribute("data-state", name)
        await site.run("new Promise(requestAnimationFrame)")
        assert await site.page.evaluate(CONTRAST, ground) >= 4.5, name


async def test_the_nearest_theme_wins_over_the_systems(site: Site) -> None:
    await site.page.emulate_media(color_scheme="dark")
    nested = f'<main data-theme="light">{TICKER}</main>'
    await site.open(f'{TICKER}{nested}<main data-theme="light"><p data-theme="dark">{TICKER}</p>')
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(1), state("live"))
    await expect(site.find("fcs-ticker").last).to_have_attribute("data-direction", "up")
    dark, light = "rgb(65, 207, 144)", "rgb(8, 120, 75)"
    for index, colour in enumerate([light, light, dark]):
        await expect(site.field("change").nth(index)).to_have_css("color", colour)


async def test_a_site_sets_its_own_colours(site: Site) -> None:
    await site.open(TICKER, style=":root { --fcs-up: rgb(200, 0, 0) }")
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(1))
    await expect(site.field("change")).to_have_css("color", "rgb(200, 0, 0)")


async def test_a_sign_stays_before_its_number_from_right_to_left(site: Site) -> None:
    await site.open(TICKER, html='lang="en" dir="rtl"')
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(1))
    await expect(site.field("change")).to_have_css("direction", "ltr")
    sides = await site.run("""() => {
      const box = (selector) => document.querySelector(selector).getBoundingClientRect();
      return box("[data-part=name]").left > box("[data-part=age]").left;
    }""")
    assert sides


@pytest.mark.parametrize("words", ["live", "مباشر"])
@pytest.mark.parametrize("direction", ["ltr", "rtl"])
async def test_the_dot_keeps_its_distance_from_words_of_any_direction(
    site: Site, direction: str, words: str
) -> None:
    scripts = widgets.scripts().replace('"texts": {', f'"texts": {{"closed": "{words}"')
    await site.open(TICKER, html=f'lang="en" dir="{direction}"', scripts=scripts)
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(1), state("closed"))
    await expect(site.find(STATUS)).to_have_text(words)
    room = await site.run("""() => {
      const status = document.querySelector("[data-part=status]");
      const dot = getComputedStyle(status, "::before");
      return [dot.marginLeft, dot.marginRight].map(parseFloat);
    }""")
    assert min(room) > 3


async def test_a_time_in_arabic_reads_from_right_to_left(site: Site) -> None:
    """Its language writes marks of direction into the date, which mix it up in other lines."""
    body = f'{TICKER}<fcs-price symbol="{EURUSD}" field="updated"></fcs-price>'
    await site.open(body, html='lang="ar" dir="rtl"')
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(1, age=90_000), state("offline"))
    for shown in (site.field("updated").first, site.field("updated").last):
        await expect(shown).to_contain_text(":")
    sides = await site.run(r"""() => [...document.querySelectorAll("time")].map((time) => {
      const text = time.firstChild;
      const left = (from) => {
        const range = document.createRange();
        range.setStart(text, from);
        range.setEnd(text, from + 1);
        return range.getBoundingClientRect().left;
      };
      return [left(0), left(text.data.search(/\d{4}/)), left(text.data.indexOf(":"))];
    })""")
    assert len(sides) == 2
    assert all(one == sorted(one, reverse=True) for one in sides)


async def test_the_dot_of_live_has_the_colour_of_words(site: Site) -> None:
    """The colour of up is a direction: it may be red."""
    await site.open(TICKER, style=":root { --fcs-up: rgb(200, 0, 0) }")
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(1), state("live"))
    await expect(site.find("fcs-ticker")).to_have_attribute("data-state", "live")
    await expect(site.find(STATUS)).to_be_hidden()
    same = await site.run("""() => {
      const age = document.querySelector("[data-part=age]");
      const dot = getComputedStyle(age, "::before");
      return dot.backgroundColor === getComputedStyle(age).color;
    }""")
    assert same


async def test_a_comma_stays_with_the_price_before_it(site: Site) -> None:
    price_of_it = f'<fcs-price symbol="{EURUSD}"></fcs-price>'
    style = "body { margin: 0; font: 15px monospace } p { inline-size: calc(10ch + 2px) }"
    await site.open(f"<p>Is {price_of_it}, so</p>", style=style)
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(1), state("live"))
    await expect(site.field("close")).to_have_text("1.08412")
    tops = await site.run("""() => {
      const comma = document.createRange();
      comma.setStart(document.querySelector("p").lastChild, 0);
      comma.setEnd(document.querySelector("p").lastChild, 1);
      const shown = document.querySelector("fcs-price").getBoundingClientRect();
      return [comma.getBoundingClientRect().top, shown.top];
    }""")
    assert abs(tops[0] - tops[1]) < 5


async def test_a_long_symbol_in_a_sentence_does_not_widen_the_page(site: Site) -> None:
    await site.page.set_viewport_size({"width": 280, "height": 700})
    await site.open(f'<p><fcs-price symbol="{LONG_SYMBOL}" field="symbol"></fcs-price></p>')
    await site.joined(f"{LONG_SYMBOL}_1D")
    assert await site.run("document.documentElement.scrollWidth") <= 280


async def test_a_change_that_is_offline_has_a_thin_line(site: Site) -> None:
    await site.open(f'<fcs-price symbol="{EURUSD}" field="change"></fcs-price>')
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(1), state("offline"))
    shown = site.find("fcs-price")
    await expect(shown).to_have_css("text-decoration-style", "dashed")
    await expect(shown).to_have_css("text-decoration-thickness", "1px")


async def test_a_move_flashes_in_its_direction_for_a_moment(site: Site) -> None:
    await site.open(TICKER)
    await site.run("""() => {
      globalThis.flashes = [];
      const ticker = document.querySelector("fcs-ticker");
      new MutationObserver(() => flashes.push(ticker.dataset.flash ?? ""))
        .observe(document.body, { subtree: true, attributeFilter: ["data-flash"] });
    }""")
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(1))
    await expect(site.field("close")).to_have_text("1.08412")
    assert await site.run("flashes") == []
    for seq, close, flash in ((2, 1.09, "up"), (3, 1.07, "down")):
        await site.send(euro(seq, c=close))
        pause = "new Promise((done) => setTimeout(done, 500))"  # between two flashes

        async def has_flashed(expected: str = flash) -> bool:
            return bool((await site.run("flashes"))[-2:] == [expected, ""])

        await eventually(has_flashed)
        await site.run(pause)


async def test_nothing_flashes_under_reduced_motion(site: Site) -> None:
    await site.page.emulate_media(reduced_motion="reduce")
    await site.open(TICKER)
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(1))
    await expect(site.field("close")).to_have_text("1.08412")
    await site.send(euro(2, c=1.09))
    await expect(site.field("close")).to_have_text("1.09000")
    assert await site.find("fcs-ticker").get_attribute("data-flash") is None

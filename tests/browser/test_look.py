"""What fcs.css makes of the elements: boxes, contrast, themes, flashes."""

from __future__ import annotations

import time

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


@pytest.mark.parametrize("width", [280, 360, 1200])
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
    cut = await site.run("""() => ["name", "age"].map((part) => {
      const { scrollWidth, clientWidth } = document.querySelector(`[data-part=${part}]`);
      return scrollWidth > clientWidth;
    })""")
    assert cut == [False, False]
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
@pytest.mark.parametrize("name", [state.value for state in State])
async def test_every_text_holds_its_contrast(
    site: Site, known: Known, theme: str, name: str
) -> None:
    ground, ink = THEMES[theme]
    style = f"body {{ background: {ground}; color: {ink} }}"
    down = f'<fcs-price symbol="{EURUSD}" timeframe="60" field="change"></fcs-price>'
    await site.open(TICKER + down, html=f'lang="en" data-theme="{theme}"', style=style)
    await site.joined("FX:EURUSD_1D", "FX:EURUSD_60")
    await site.send(euro(1), state(name), euro(1, timeframe="60", ch=-0.001))
    await site.send(state("live", timeframe="60"))
    await expect(site.find("fcs-price")).to_have_attribute("data-direction", "down")
    await expect(site.find("fcs-ticker")).to_have_attribute("data-state", name)
    await site.run("new Promise(requestAnimationFrame)")
    assert await site.page.evaluate(CONTRAST, ground) >= 4.5


async def test_the_nearest_theme_wins_over_the_systems(site: Site) -> None:
    await site.page.emulate_media(color_scheme="dark")
    nested = f'<main data-theme="light">{TICKER}</main>'
    await site.open(f'{TICKER}{nested}<main data-theme="light"><p data-theme="dark">{TICKER}</p>')
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(1), state("live"))
    await expect(site.find("fcs-ticker").last).to_have_attribute("data-direction", "up")
    dark, light = "rgb(65, 207, 144)", "rgb(8, 120, 75)"
    for index, colour in enumerate([dark, light, dark]):
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

        async def has_flashed(expected: str = flash) -> bool:
            return bool((await site.run("flashes"))[-2:] == [expected, ""])

        await eventually(has_flashed)


async def test_nothing_flashes_under_reduced_motion(site: Site) -> None:
    await site.page.emulate_media(reduced_motion="reduce")
    await site.open(TICKER)
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(1))
    await expect(site.field("close")).to_have_text("1.08412")
    await site.send(euro(2, c=1.09))
    await expect(site.field("close")).to_have_text("1.09000")
    assert await site.find("fcs-ticker").get_attribute("data-flash") is None

"""The colours of the elements: by scheme, theme and palette, in forced colours, on paper."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from django_fcs.prices.states import State
from tests.browser.element_page import STATUS, TICKER, Site, euro, site, state
from tests.browser.test_look import CONTRAST, THEMES

__all__ = ["site"]

LIGHT, DARK = "rgb(8, 120, 75)", "rgb(65, 207, 144)"

#: The attributes of ``<html>``, a stylesheet, the system's scheme, and the colour of a rise.
PAGES = {
    "white page, dark system": ('lang="en"', "", "dark", LIGHT),
    "dark page, light system": ('lang="en"', ":root { color-scheme: dark }", "light", DARK),
    "page of both schemes": ('lang="en"', ":root { color-scheme: light dark }", "dark", DARK),
    "Bootstrap": (
        'lang="en" data-bs-theme="dark"',
        "[data-bs-theme=dark] { color-scheme: dark }",
        *("light", DARK),
    ),
    "daisyUI": (
        'lang="en" data-theme="dracula"',
        "[data-theme=dracula] { color-scheme: dark }",
        *("light", DARK),
    ),
    "theme over scheme": (
        'lang="en" data-theme="light"',
        ":root { color-scheme: dark }",
        *("dark", LIGHT),
    ),
    "dark theme": ('lang="en" data-theme="dark"', "", "light", DARK),
}

#: Palette → the colours of a rise in light and dark.
PALETTES = {
    "red-up": ("rgb(194, 47, 70)", "rgb(255, 123, 139)"),
    "colour-blind": ("rgb(19, 79, 156)", "rgb(116, 180, 255)"),
    "unknown": (LIGHT, DARK),
}


async def show(site: Site, *states: str, change: float = 0.00231) -> None:
    """Send a price, and the states one after the other."""
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(1, ch=change), *(state(name) for name in states))
    await expect(site.find("fcs-ticker").first).to_have_attribute("data-state", states[-1])
    await expect(site.field("close").first).to_have_text("1.08412")


@pytest.mark.parametrize("name", PAGES)
async def test_the_pages_own_scheme_decides_and_a_theme_overrides_it(site: Site, name: str) -> None:
    html, style, system, colour = PAGES[name]
    await site.page.emulate_media(color_scheme="dark" if system == "dark" else "light")
    await site.open(TICKER, html=html, style=style)
    await show(site, "live")

    await expect(site.field("change")).to_have_css("color", colour)


@pytest.mark.parametrize("palette", PALETTES)
async def test_a_palette_of_any_ancestor_has_colours_for_both_themes(
    site: Site, palette: str
) -> None:
    both = f'<main data-theme="light">{TICKER}</main><main data-theme="dark">{TICKER}</main>'
    around = f'<div data-palette="red-up"><div data-palette="{palette}">{both}</div></div>'
    await site.open(around)
    await show(site, "live")

    for index, colour in enumerate(PALETTES[palette]):
        await expect(site.field("change").nth(index)).to_have_css("color", colour)
    warnings = ["fcs-elements.js: unknown data-palette unknown"]
    assert site.problems == (warnings if palette == "unknown" else [])
    site.problems.clear()


async def test_a_new_theme_or_palette_recolours_a_card_that_stays(site: Site) -> None:
    await site.open(f"<main>{TICKER}</main>")
    await show(site, "live")
    await site.run("document.querySelector('fcs-ticker').mine = 1")

    for palette, colours in PALETTES.items():
        for theme, colour in zip(THEMES, colours, strict=True):
            await site.run(
                "Object.assign(document.querySelector('main').dataset,"
                f" {{ palette: '{palette}', theme: '{theme}' }})"
            )
            await expect(site.field("change")).to_have_css("color", colour)
    assert await site.run("document.querySelector('fcs-ticker').mine") == 1


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("palette", ["red-up", "colour-blind"])
async def test_every_palette_holds_its_contrast(site: Site, theme: str, palette: str) -> None:
    ground, ink = THEMES[theme]
    style = f"body {{ background: {ground}; color: {ink} }}"
    html = f'lang="en" data-theme="{theme}" data-palette="{palette}"'
    await site.open(TICKER, html=html, style=style)
    for name, change in (("live", 0.00231), ("stale", -0.00231)):
        await show(site, name, change=change)
        await site.run("new Promise(requestAnimationFrame)")
        assert await site.page.evaluate(CONTRAST, ground) >= 4.5


async def test_a_framework_that_styles_roles_does_not_break_the_card(site: Site) -> None:
    """Pico does this to all groups."""
    group = "display: inline-flex; width: 40%; margin-bottom: 20px; box-shadow: 0 0 9px red"
    html = TICKER.replace("<fcs-ticker", '<fcs-ticker role="group"')
    await site.open(html, style=f'[role="group"] {{ {group} }}')
    await show(site, "live")

    card = site.find("fcs-ticker")
    for name, value in (("display", "block"), ("margin-bottom", "0px"), ("box-shadow", "none")):
        await expect(card).to_have_css(name, value)
    width = await card.evaluate("(card) => card.offsetWidth / card.parentElement.offsetWidth")
    assert width == 1 or await card.evaluate("(card) => card.offsetWidth") == 24 * 16


SHAPE = """() => {
  const style = (selector, pseudo) => {
    const { borderStyle, backgroundColor, color, textDecorationLine } =
      getComputedStyle(document.querySelector(selector), pseudo);
    return [borderStyle, backgroundColor, color, textDecorationLine].join();
  };
  const price = "[data-part=price]";
  const dots = ["age", "status"].map((part) => style(`[data-part=${part}]`, "::before"));
  return [style("fcs-ticker"), style(price), ...dots].join();
}"""


async def test_forced_colours_tell_the_five_states_apart_by_shape(site: Site) -> None:
    await site.page.emulate_media(forced_colors="active")
    await site.open(TICKER)
    shapes = {}
    for name in (one.value for one in State):
        await show(site, name)
        await site.run("new Promise(requestAnimationFrame)")
        shapes[name] = await site.run(SHAPE)

    assert len(set(shapes.values())) == len(shapes) == 5


async def test_paper_says_the_time_of_a_price_and_never_live(site: Site) -> None:
    await site.open(TICKER)
    await show(site, "live")
    await expect(site.field("updated")).to_be_hidden()
    await site.page.emulate_media(media="print")

    await expect(site.find(STATUS)).to_be_hidden()
    await expect(site.field("updated")).to_be_visible()


FLASHES = """() => {
  globalThis.flashes = [];
  for (const ticker of document.querySelectorAll("fcs-ticker")) {
    new MutationObserver(() => {
      if (ticker.dataset.flash) flashes.push([ticker.id, performance.now()]);
    }).observe(ticker, { attributeFilter: ["data-flash"] });
  }
}"""


async def test_an_element_flashes_twice_a_second_at_most_and_only_in_view(site: Site) -> None:
    below = TICKER.replace("<fcs-ticker", '<fcs-ticker id="below"')
    await site.open(f'{TICKER}<div id="space"></div>{below}', style="#space { height: 5000px }")
    await show(site, "live")
    await site.run(FLASHES)
    for seq in range(2, 62):
        await site.send(euro(seq, c=1.08 + seq / 1000))
        await site.run("new Promise((done) => setTimeout(done, 20))")
    await expect(site.field("close").first).to_have_text("1.14100")
    await expect(site.field("close").last).to_have_text("1.14100")

    flashes = await site.run("flashes")
    assert len(flashes) >= 2
    assert {name for name, _ in flashes} == {""}
    times = [moment for _, moment in flashes]
    assert all(later - sooner >= 490 for sooner, later in zip(times, times[1:], strict=False))

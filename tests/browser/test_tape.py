"""The element ``<fcs-tape>``: moves if it does not fit, and stops for everybody who asks."""

from __future__ import annotations

from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, expect

from django_fcs import widgets
from tests.browser.element_page import EURUSD, Site, euro, site, state
from tests.browser.scripted_server import ScriptedServer
from tests.browser.test_elements_morph import MORPH, morph
from tests.support.waiting import eventually
from tests.widgets.test_html import Known, known

__all__ = ["known", "site"]

MANY = [EURUSD, *(f"NASDAQ:A{index}" for index in range(9))]
VIEW, BUTTON = "[data-part=view]", "[data-part=pause]"
STYLE = "body { margin: 0; font: 16px sans-serif } .tall { --fcs-tape-height: 160px }"
#: Where each item begins, in the order of the document.
PLACES = """[...document.querySelectorAll("[data-part=item]")].map((item) =>
  Math.round(item.getBoundingClientRect().x))"""
#: Whether the row moves.
MOVES = """document.getAnimations().some(({ playState }) => playState === "running")"""
#: Lets the row be as if it had moved for some seconds.
SKIP = """(seconds) => { for (const one of document.getAnimations())
  one.currentTime = Number(one.currentTime) + seconds * 1000; }"""


async def open_tape(site: Site, html: str, *, width: int = 600, page: str = 'lang="en"') -> None:
    await site.page.set_viewport_size({"width": width, "height": 400})
    await site.open(f"{html}<p><a href='/'>after</a></p>", html=page, style=STYLE)
    await site.run("customElements.whenDefined('fcs-tape').then(() => null)")


async def moves(site: Site, expected: bool) -> None:
    async def is_so() -> bool:
        return bool(await site.run(MOVES)) == expected

    await eventually(is_so)


async def test_a_row_that_is_too_long_moves_by_forty_pixels_a_second_without_an_end(
    site: Site, known: Known
) -> None:
    known()
    await open_tape(site, widgets.tape(MANY))
    await moves(site, True)
    await site.page.mouse.move(300, 20)
    await moves(site, False)
    before = await site.run(PLACES)
    await site.page.evaluate(SKIP, 10)
    after = await site.run(PLACES)
    total = await site.run("document.querySelector('ul').getBoundingClientRect().width")
    moved = [old - new for old, new in zip(before, after, strict=True)]
    # The items that have left stand at the end.
    assert moved[-1] == pytest.approx(400, abs=2)
    assert moved[0] == pytest.approx(400 - total, abs=2)
    assert await site.run("document.querySelectorAll('fcs-tag').length") == len(MANY)
    await site.page.evaluate(SKIP, total / 40)
    assert await site.run(PLACES) == pytest.approx(after, abs=2)


async def test_it_stops_for_a_pointer_focus_its_button_and_a_hidden_tab(
    site: Site, known: Known
) -> None:
    known()
    await open_tape(site, widgets.tape(MANY, href="/m/{symbol}/"))
    await moves(site, True)
    await site.page.mouse.move(300, 20)
    await moves(site, False)
    await site.page.mouse.wheel(120, 0)
    await eventually(lambda: site.run(f"document.querySelector('{VIEW}').scrollLeft > 100"))
    places = await site.run(PLACES)
    await site.page.mouse.move(300, 300)
    await moves(site, True)
    # It goes on from where it was scrolled to.
    assert await site.run(f"document.querySelector('{VIEW}').scrollLeft") == 0
    assert 0 <= places[-1] - (await site.run(PLACES))[-1] < 80

    await site.page.keyboard.press("Tab")
    await expect(site.page.get_by_role("region", name="Prices")).to_be_focused()
    await moves(site, False)
    for _ in MANY:
        await site.page.keyboard.press("Tab")
    await expect(site.find("[data-part=link]").last).to_be_focused()
    last = await site.find("[data-part=link]").last.bounding_box()
    assert last and last["x"] >= 0 and last["x"] + last["width"] <= 556
    await site.page.keyboard.press("Tab")
    button = site.page.get_by_role("button", name="Pause")
    await expect(button).to_be_focused()
    await moves(site, True)
    await site.page.keyboard.press("Enter")
    await expect(button).to_have_attribute("aria-pressed", "true")
    await moves(site, False)
    results = await Axe().run(site.page, options={"runOnly": ["wcag2a", "wcag2aa"]})
    ignored = {"document-title"}
    assert {one["id"] for one in results.response["violations"]} <= ignored
    await button.press("Space")
    await expect(button).to_have_attribute("aria-pressed", "false")
    await moves(site, True)
    hide = """(hidden) => {
      Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange")); }"""
    await site.page.evaluate(hide, True)
    await moves(site, False)
    await site.page.evaluate(hide, False)
    await moves(site, True)
    touch = "new PointerEvent('pointerdown', { pointerType: 'touch', bubbles: true })"
    await site.run(f"document.querySelector('fcs-tag').dispatchEvent({touch})")
    await moves(site, False)
    await expect(button).to_have_attribute("aria-pressed", "true")
    box = await button.bounding_box()
    assert box and box["width"] == 44


async def test_a_row_that_fits_stands_still_and_begins_when_it_no_longer_fits(
    site: Site, known: Known
) -> None:
    known()
    await open_tape(site, widgets.tape(MANY[:2]))
    await site.joined(*(f"{symbol}_1D" for symbol in MANY[:2]))
    await expect(site.find(BUTTON)).to_have_count(0)
    await expect(site.find(VIEW)).to_have_attribute("tabindex", "-1")
    await site.page.set_viewport_size({"width": 320, "height": 400})
    await moves(site, True)
    await expect(site.find(BUTTON)).to_have_count(1)
    await site.send(euro(1, c=1.09), state("live"))
    await expect(site.field("close").first).to_have_text("1.09000")
    # A morph takes the button away, a script moves the tape: it goes on where it was.
    await site.page.evaluate(SKIP, 5)
    await site.run(f"document.querySelector('{BUTTON}').remove()")
    await expect(site.find(BUTTON)).to_have_count(1)
    places = await site.run(PLACES)
    await site.run("document.body.append(document.querySelector('fcs-tape'))")
    await moves(site, True)
    assert places[1] - (await site.run(PLACES))[1] in range(-2, 60)
    await site.run("document.querySelector('[data-part=item]').remove()")
    await moves(site, False)
    await expect(site.find(BUTTON)).to_have_count(0)
    await site.run("document.querySelector('fcs-tape').remove()")
    assert site.peer.joins == [f"{symbol}_1D" for symbol in MANY[:2]]


async def test_who_wants_no_movement_scrolls_by_hand(site: Site, known: Known) -> None:
    known()
    await site.page.emulate_media(reduced_motion="reduce")
    await open_tape(site, widgets.tape(MANY))
    await expect(site.find(BUTTON)).to_have_count(0)
    assert not await site.run(MOVES)
    await site.page.keyboard.press("Tab")
    await site.page.keyboard.press("ArrowRight")
    await eventually(lambda: site.run(f"document.querySelector('{VIEW}').scrollLeft > 0"))
    await site.page.emulate_media(reduced_motion="no-preference")
    await expect(site.find(BUTTON)).to_have_count(1)


async def test_a_morph_moves_nothing_and_paper_shows_every_item(site: Site, known: Known) -> None:
    known()
    site.server.pages["/morph.js"] = MORPH
    await open_tape(site, widgets.tape(MANY) + "<script src='/morph.js'></script>")
    await moves(site, True)
    await site.page.evaluate(SKIP, 5)
    places = await site.run(PLACES)
    await morph(site, widgets.tape([*MANY, "FX:USDJPY"]))
    assert places[1] - (await site.run(PLACES))[1] in range(60)
    await expect(site.find(BUTTON)).to_have_count(1)
    await moves(site, True)
    assert await site.run("document.getAnimations().length") == 1 + len(MANY) + 1

    await site.page.emulate_media(media="print")
    rights = await site.find("[data-part=item]").evaluate_all(
        "(all) => all.map((item) => item.getBoundingClientRect()).map(({ x, right }) => [x, right])"
    )
    assert all(0 <= x < right <= 600 for x, right in rights)
    await expect(site.find(BUTTON)).to_be_hidden()


@pytest.mark.parametrize("direction", ["horizontal", "vertical"])
async def test_a_tape_moves_from_right_to_left_and_upwards(
    site: Site, known: Known, direction: str
) -> None:
    known()
    tape = f'<div class="tall">{widgets.tape(MANY, direction=direction)}</div>'
    await open_tape(site, tape, width=320, page='lang="ar" dir="rtl"')
    await moves(site, True)
    await site.page.mouse.move(200, 20)
    await moves(site, False)
    place = """(() => {
      const { x, y } = document.querySelector("li:last-child").getBoundingClientRect();
      return [x, y].map(Math.round); })()"""
    before = await site.run(place)
    await site.page.evaluate(SKIP, 1)
    after = await site.run(place)
    moved = (40, 0) if direction == "horizontal" else (0, -40)
    assert [new - old for old, new in zip(before, after, strict=True)] == pytest.approx(
        moved, abs=1
    )
    assert await site.run("document.documentElement.scrollWidth") == 320
    box = await site.find("fcs-tape").bounding_box()
    assert box and box["height"] == {"horizontal": 42, "vertical": 160}[direction]


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_without_a_script_a_tape_is_scrolled_by_hand(
    browser: Browser, server: ScriptedServer, known: Known, theme: Literal["light", "dark"]
) -> None:
    known()
    context = await browser.new_context(
        java_script_enabled=False, viewport={"width": 320, "height": 400}, color_scheme=theme
    )
    page = await context.new_page()
    server.pages["/"] = (
        f'<!doctype html><html lang="en">{widgets.scripts()}'
        f'<link rel="stylesheet" href="/site.css">{widgets.tape(MANY)}'
    )
    server.pages["/site.css"] = "html { color-scheme: light dark; font: 16px sans-serif }"
    await page.goto(server.url)
    assert await page.evaluate("document.documentElement.scrollWidth") == 320
    view = page.get_by_role("region", name="Prices")
    assert await view.get_by_role("listitem").count() == len(MANY)
    await view.focus()
    await page.keyboard.press("ArrowRight")
    await eventually(lambda: view.evaluate("(view) => view.scrollLeft > 0"))
    assert await page.get_by_role("button").count() == 0
    colour = await page.locator("[data-field=change_percent]").first.evaluate(
        "(node) => getComputedStyle(node).color"
    )
    assert colour == {"light": "rgb(8, 120, 75)", "dark": "rgb(65, 207, 144)"}[theme]
    await context.close()

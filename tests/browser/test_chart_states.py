"""The chart in every state: what stands in the page, and what a screen reader hears."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from lab.looks.cases import CHARTS
from lab.looks.charts.site import serve
from lab.looks.charts.states import MOMENT, SHEET
from tests.support.waiting import eventually

SITE = "http://127.0.0.1"
LOOKS = {"language": "en", "theme": "light", "palette": "green-up"}
SYMBOLS = {one.name: one.symbol for one in SHEET}
UNIT = "\N{THIN SPACE}"

#: All texts of the drawing that are shown.
TEXTS = """(chart) => [...chart.querySelectorAll("[data-part=plot] > svg text")]
  .filter((text) => text.checkVisibility() && text.textContent).map((text) => text.textContent)"""

KINDS = """(chart) => [...chart.querySelectorAll("[data-part=plot] > svg path")]
  .filter((path) => path.getAttribute("d")).map((path) => path.getAttribute("class"))"""


async def opened(
    browser: Browser,
    *,
    looks: dict[str, str] = LOOKS,
    has_scripts: bool = True,
    **window: Any,
) -> Page:
    """Return a tab with all charts."""
    context = await browser.new_context(timezone_id="UTC", **window)
    await serve(context, looks, has_scripts=has_scripts)
    await context.clock.set_fixed_time(MOMENT)
    page = await context.new_page()
    await page.goto(SITE + CHARTS)
    return page


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def charts(browser: Browser) -> AsyncIterator[Page]:
    page = await opened(browser, viewport={"width": 1280, "height": 4200})
    await expect(page.locator("fcs-chart[data-from]")).to_have_count(0)
    # The last one has been drawn.
    await expect(page.locator(".wide path[class^='body forming']").first).to_be_attached()
    yield page
    await page.context.close()


def chart(page: Page, name: str) -> Locator:
    return page.locator(f"fcs-chart[symbol='{SYMBOLS[name]}']").first


async def heard(found: Locator, *keys: str) -> str:
    """Return the name that the plot has when it gets the focus, or what is heard after keys."""
    plot = found.locator("[data-part=plot]")
    await plot.focus()
    await expect(plot).to_have_attribute("aria-label", re.compile("help.$"))
    for key in keys:
        await found.page.keyboard.press(key)
    spoken = found.locator("[data-part=spoken]")
    return await spoken.inner_text() if keys else await plot.get_attribute("aria-label") or ""


LAST = "last price 15:30:19 UTC"
CANDLES = ("wick up", "body up", "vol down", "now")


class Told(NamedTuple):
    """What a chart says in a state: aloud, in words, and in the drawing."""

    spoken: str
    """Said after the keys; without keys, a part of the name of the plot."""
    keys: tuple[str, ...] = ()
    status: str = "live"
    note: str = LAST
    over: str = ""
    texts: tuple[str, ...] = ()
    """Some of the texts of the drawing."""
    kinds: tuple[str, ...] = CANDLES
    """Some of the shapes."""


TOLD = {
    "live": Told(
        "15:30. Close 1.08412, down 0.00 percent. Open 1.08414, High 1.08453, Low 1.08399.",
        keys=("ArrowLeft",),
        texts=("1.08412", "1.08500", f"1.08181{UNIT}↓", "15:00"),
        kinds=(*CANDLES, "body forming down", "vol forming down"),
    ),
    "loading": Told(
        "Bars: 6, 15:05–15:30. Last 0.85579, up 0.08 percent, live.",
        over="Loading older bars",
        texts=("0.85579", "15:30"),
        kinds=(*CANDLES, "grid"),
    ),
    "waiting": Told("EUR/CHF, Candles, 5 minutes.", over="Loading older bars", kinds=("frame",)),
    "stale": Told(
        "Last 1.26680, down 0.58 percent, 3 min old.",
        status="3 min old",
        note="last price 15:27:15 UTC",
        texts=("1.26680", f"1.27419{UNIT}↑"),
    ),
    "closed": Told(
        "Last 3,041.0, down 0.39 percent, closed · opens Thu 00:00.",
        status="closed · opens Thu 00:00",
        note="last price 06:30:00 UTC",
        texts=("3,041.0", "06:00"),
    ),
    "offline": Told(
        "Last 154.207, down 0.08 percent, offline.",
        status="offline",
        note="last price 15:19:40 UTC",
        texts=("154.207", "154.331", "Previous close"),
        kinds=(*CANDLES, "prev"),
    ),
    "no data": Told(
        "XPT/USD, Candles, 5 minutes. No data for XPT/USD.",
        status="No data for XPT/USD",
        note="No price has come yet",
        over="No data for XPT/USD the feed does not confirm this symbol",
        kinds=("frame",),
    ),
    "hole": Told(
        "13:40 – 13:55, no data.",
        keys=("ArrowLeft",) * 21,
        texts=("no data", "13:40–13:55"),
        kinds=(*CANDLES, "hole", "holeline"),
    ),
    "repaired": Told(
        "13:50. Close 1.36130, down 0.02 percent.",
        keys=("ArrowLeft",) * 21,
        note=f"{LAST} · repaired",
        texts=("repaired",),
        kinds=(*CANDLES, "mended"),
    ),
    "tiny": Told(
        "15:30. Close 0.00000123, unchanged. Open 0.00000123, High 0.00000123,",
        keys=("ArrowLeft",),
        texts=("0.00000123", "0.00000127"),
        kinds=(*CANDLES, "body forming up"),
    ),
    "huge": Told(
        "15:30. Close 1,424,310,000, up 0.04 percent. Open 1,423,728,041,",
        keys=("ArrowLeft",),
        texts=(f"1,424.3{UNIT}M", f"1,430.0{UNIT}M", f"1,435.6{UNIT}M{UNIT}↑"),
    ),
    "one bar": Told(
        "In view: 187.71 – 187.64, down 0.04 percent. High 187.73, 15:30.",
        keys=("Enter",),
        over="First bar at 15:30",
        texts=("187.64", f"187.20{UNIT}↓", "15:30"),
        kinds=("wick forming down", "body forming down", "vol forming down", "now"),
    ),
    "refused": Told(
        "Bars: 16, 14:15–15:30. Last 0.60117",
        over="No history before 14:15"
        " history is paused until 1 December: the credits of the month are spent",
        texts=("0.60117", f"0.60408{UNIT}↑"),
        kinds=(*CANDLES, "grid"),
    ),
    "delayed": Told(
        "Last 481.25, down 0.05 percent, 15 min delayed.",
        status="15 min delayed",
        note="last price 15:15:20 UTC",
        texts=("481.25", "Before hours"),
        kinds=(*CANDLES, "session"),
    ),
    "lines": Told(
        "Target 268.60. Stop 264.60. Dream 400.00.",
        keys=("Enter",),
        texts=("Target", "268.60", "Stop", "264.60", "266.25"),
        kinds=(*CANDLES, "level"),
    ),
    "bars": Told(
        "NVDA, Bars, 5 minutes. Bars: 200, 13 Jan, 22:55",
        texts=("181.36", f"178.88{UNIT}↓"),
        kinds=("stem up", "stem forming down", "now"),
    ),
    "line": Told(
        "AMZN, Line, 5 minutes. Bars: 200,",
        texts=("224.88",),
        kinds=("line", "line forming", "vol up", "now"),
    ),
    "area": Told(
        "META, Area, 5 minutes. Bars: 200,",
        texts=("612.40",),
        kinds=("area", "line", "line forming", "now"),
    ),
    "no volume": Told(
        "10:30. Close 391.09, up 0.20",
        keys=("ArrowLeft",),
        note="last price 10:30:19 GMT-5",
        texts=("391.09", "10:00", "Before hours"),
        kinds=("wick up", "body forming up", "session", "now"),
    ),
    "days": Told(
        "14 Jan 2026. Close 300.01, down 0.01 percent.",
        keys=("ArrowLeft",),
        texts=("2026", "18 Dec", "300.01"),
        kinds=(*CANDLES, "body forming down"),
    ),
}


async def shows(found: Locator, texts: tuple[str, ...]) -> bool:
    """Tell whether the drawing has these texts: a chart is drawn again if its width changes."""
    return set(texts) <= set(await found.evaluate(TEXTS))


@pytest.mark.parametrize("name", SYMBOLS)
async def test_every_state_is_told_in_words_in_the_drawing_and_aloud(
    charts: Page, name: str
) -> None:
    told, found = TOLD[name], chart(charts, name)

    await expect(found.locator("[data-part=status]")).to_have_text(told.status)
    note = found.locator("[data-part=note]")
    await expect(note).to_have_text(told.note)
    await expect(note).to_have_attribute("data-words", told.status)
    over = await found.locator("[data-part=over] > *").all_inner_texts()
    assert " ".join(filter(None, over)) == told.over
    kinds = set(await found.evaluate(KINDS))
    assert set(told.kinds) <= kinds
    if name in ("no data", "waiting"):
        assert await found.locator("[data-part=plot] > svg").is_hidden()
    else:
        await eventually(lambda: shows(found, told.texts))
    is_open = any("forming" in kind for kind in kinds)
    assert is_open == (told.status == "live" and name != "waiting")
    assert told.spoken in await heard(found, *told.keys)


async def test_one_bar_is_not_counted_in_the_plural(charts: Page) -> None:
    assert " Bars: 1, 15:30. Last 187.64" in await heard(chart(charts, "one bar"))


async def test_a_feed_without_data_leaves_no_controls_that_cannot_help(charts: Page) -> None:
    assert await chart(charts, "no data").locator("button:visible").count() == 0
    assert await chart(charts, "waiting").locator("button:visible").count() == 12


async def test_what_may_not_be_now_has_no_filled_label_and_no_countdown(charts: Page) -> None:
    script = """(chart) => { const [box, words, more] = chart.querySelector(".tag.live").parentNode
      .children; return [getComputedStyle(box).fill, more.textContent]; }"""
    ground = "rgb(251, 251, 250)"
    for name in ("stale", "closed", "offline", "delayed"):
        assert await chart(charts, name).evaluate(script) == [ground, ""]
    fill, left = await chart(charts, "live").evaluate(script)
    assert fill == "rgb(8, 120, 75)" and re.fullmatch(r"4:[0-4]\d", left)


async def test_on_paper_nothing_is_live_and_shapes_tell_up_from_down(charts: Page) -> None:
    await charts.emulate_media(media="print")
    found = chart(charts, "live")
    assert await found.locator("[data-part=status]").is_hidden()
    assert await found.locator("button:visible").count() == 0
    assert not [text for text in await found.evaluate(TEXTS) if re.fullmatch(r"\d:\d\d", text)]
    assert await fills(found) == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
    await expect(found.locator("[data-part=note]")).to_have_text(LAST)
    await expect(chart(charts, "stale").locator("[data-part=status]")).to_be_visible()
    await charts.emulate_media(media="screen")


async def fills(found: Locator) -> list[str]:
    """The colours of rising and falling candles."""
    script = """(chart) => ["up", "down"].map((way) =>
      getComputedStyle(chart.querySelector(`path[class="body ${way}"]`)).fill)"""
    return list(await found.evaluate(script))


async def test_palettes_and_forced_colours_tell_up_from_down(charts: Page) -> None:
    found = chart(charts, "live")
    assert await fills(found) == ["rgb(8, 120, 75)", "rgb(194, 47, 70)"]
    palette = "(palette) => document.documentElement.setAttribute('data-palette', palette)"
    await charts.evaluate(palette, "red-up")
    assert await fills(found) == ["rgb(194, 47, 70)", "rgb(8, 120, 75)"]
    await charts.evaluate(palette, "colour-blind")
    assert await fills(found) == ["rgb(251, 251, 250)", "rgb(173, 80, 0)"]
    await charts.evaluate("document.documentElement.removeAttribute('data-palette')")
    await charts.emulate_media(forced_colors="active")
    up, down = await fills(found)
    assert up != down and "rgb(8, 120, 75)" not in (up, down)
    await charts.emulate_media(forced_colors="none")


async def test_without_scripts_every_chart_is_an_image_with_its_time(browser: Browser) -> None:
    page = await opened(browser, has_scripts=False)

    assert await page.locator("fcs-chart button").count() == 0
    assert await page.locator("fcs-chart svg[role=img]").count() == len(SHEET) + 1
    sentence = "EUR/USD, candles of 5 minutes, 1.08412, +0.21\N{THIN SPACE}%, as of 15:30:19 UTC"
    found = chart(page, "live")
    await expect(found.locator("svg")).to_have_attribute("aria-label", sentence)
    await expect(found.locator("[data-part=caption]")).to_have_text("EUR/USD, candles of 5 minutes")
    assert await page.locator("fcs-chart").get_by_text("live", exact=True).count() == 0
    refused = chart(page, "refused").locator("[data-part=over]")
    await expect(refused).to_have_text(re.compile("^No history before 14:15 history is paused"))
    await page.context.close()


async def test_in_arabic_words_mirror_and_the_drawing_does_not(browser: Browser) -> None:
    page = await opened(browser, looks={**LOOKS, "language": "ar"})
    await expect(page.locator("fcs-chart[data-from]")).to_have_count(0)
    sides = """(chart) => ["[data-part=name]", "[data-part=status]"].map((part) =>
      chart.querySelector(part).getBoundingClientRect().left)"""
    found = chart(page, "live")
    name, status = await found.evaluate(sides)
    assert name > status
    axis = "(chart) => chart.querySelector('.tag.live').getBoundingClientRect().left"
    assert await found.evaluate(axis) > name
    await expect(found.locator("[data-part=readout] dd").nth(3)).to_have_text("1,08412")
    await expect(found.locator("[data-field=close]")).to_have_css("direction", "ltr")
    await page.context.close()

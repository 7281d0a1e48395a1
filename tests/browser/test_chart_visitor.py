"""What a visitor does with a chart: keys, what is heard, pointers, the table, full screen."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from django.utils import translation
from playwright.async_api import Browser, expect

from tests.browser.chart_page import (
    asked,
    bars_until,
    begin_now,
    chart,
    drawn,
    page_of,
    settled,
    start,
    tick,
)
from tests.browser.element_page import Site, site, state
from tests.browser.scripted_server import ScriptedServer
from tests.support.waiting import eventually

__all__ = ["site"]

PLOT = "[data-part=plot]"
SPOKEN = "[data-part=spoken]"
READOUT = "[data-part=readout] dd"
#: 13:00 UTC on a Monday.
NOON = 1_764_594_000


async def heard(site: Site, *keys: str) -> str:
    """Press keys; return what is heard after the last one."""
    for key in keys:
        await site.page.keyboard.press(key)
    await settled(site)
    await expect(site.find(SPOKEN)).not_to_be_empty()  # The first key brings the script.
    return await site.find(SPOKEN).inner_text()


async def test_keys_alone_read_price_change_and_the_high(site: Site) -> None:
    bars = await start(site, html=chart(lines=[(1.0862, "Target")]))
    await site.send(tick(1, [bars[-1][0], 1.08, 1.0871, 1.0799, 1.084, 9000], "1D", pc=1.08181))
    await site.send(state("live"))
    await site.find(PLOT).focus()
    label = re.compile(
        r"^EUR/USD, Candles, 5 minutes. Bars: 200, .*\. Last 1\.\d{5}, up 0\.\d\d percent, live\."
        " Arrows read the bars, question mark for help.$"
    )
    await expect(site.find(PLOT)).to_have_attribute("aria-label", label)
    assert await site.find(f"{PLOT}[tabindex='0'][role=application]").count() == 1

    _, opened, high, low, close, _ = bars[-1]
    words = await heard(site, "ArrowLeft")
    assert f"Close {close:.5f}, " in words and "percent. " in words
    assert f"Open {opened:.5f}, High {high:.5f}, Low {low:.5f}. Volume 1." in words
    words = await heard(site, "ArrowLeft")
    assert f"Close {bars[-2][4]:.5f}" in words
    await expect(site.find(READOUT).nth(3)).to_have_text(f"{bars[-2][4]:.5f}")
    assert f"Close {bars[-12][4]:.5f}" in await heard(site, "PageUp")
    assert f"Close {bars[0][4]:.5f}" in await heard(site, "Home")
    assert f"Close {bars[-1][4]:.5f}" in await heard(site, "End")
    assert "Volume" in await heard(site, "ArrowDown")
    assert await heard(site, "ArrowDown") == "High of the day 1.08710."
    assert await heard(site, "ArrowDown") == "Low of the day 1.07990."
    assert await heard(site, "ArrowDown") == "Previous close 1.08181."
    assert await heard(site, "ArrowDown") == "Target 1.08620."
    words = await heard(site, "Enter")
    most = max(bar[2] for bar in bars[-170:])  # those in view
    assert f"High {most:.5f}" in words and "In view" in words and words.endswith("Target 1.08620.")
    assert "← →: previous, next bar." in await heard(site, "?")
    await expect(site.find("[data-part=keys] dt")).to_have_count(8)
    assert (await heard(site, "Escape")).startswith(f"Last {close:.5f}, up")
    await expect(site.find("[data-part=keys]")).to_have_count(0)
    await expect(site.find("rect.cursor")).to_have_count(0)

    before = await drawn(site, "body up")
    assert re.match(r"Bars: 1\d\d, ", await heard(site, "+")), "it says what is in view"
    assert await drawn(site, "body up") != before
    await heard(site, "0")
    assert await drawn(site, "body up") == before
    await site.page.keyboard.press("Tab")
    assert await site.run("document.activeElement.dataset.part") == "link", "one stop"


async def test_the_change_that_is_heard_is_the_one_above_the_chart(site: Site) -> None:
    bars = await start(site)
    day = [bars[-1][0], 1.02, 1.0871, 1.0099, bars[-1][4], 9000]
    await site.send(tick(2, day, "1D", pc=None), tick(3, bars[-1]), state("live", timeframe="1D"))
    change = (bars[-1][4] - 1.02) / 1.02 * 100
    await expect(site.find("[data-day=change_percent]")).to_contain_text(f"+{change:.2f}")
    await site.find(PLOT).focus()
    assert f"up {change:.2f} percent, live." in await heard(site, "ArrowLeft", "Escape")


async def test_keys_are_answered_while_there_are_no_bars(site: Site) -> None:
    await site.open(chart([]))
    await asked(site)
    await site.send(page_of([]), state("live", timeframe="5"))
    await expect(site.find("[data-part=over]")).to_contain_text("No data for EUR/USD")
    await site.find(PLOT).focus()
    price = await site.find("[data-field=close]").inner_text()
    for key in ("ArrowLeft", "?", "Escape"):
        words = await heard(site, key)
        assert words.startswith(f"Last {price}, ")
        assert words.endswith(", live. No data for EUR/USD.")


async def test_a_table_says_where_bars_are_missing(site: Site) -> None:
    bars = bars_until(begin_now())
    bars = [*bars[:100], *bars[103:]]
    await start(site, bars, missing=[[bars[99][0] + 300, bars[100][0]]])
    await site.find("button[data-part=link]").click()
    rows = site.find("[data-part=table] tbody tr")
    await expect(rows).to_have_count(198)
    row = rows.nth(97)
    await expect(row.locator("td")).to_have_text("no data")
    await expect(row.locator("th")).to_have_text(re.compile(r"\d\d:\d\d – .*\d\d:\d\d$"))


async def test_the_bars_are_a_table_behind_a_link_and_axe_finds_nothing(site: Site) -> None:
    bars = await start(site)
    link = site.find("button[data-part=link]")
    await link.click()
    rows = site.find("[data-part=table] tbody tr")
    await expect(rows).to_have_count(200)
    cells = await rows.first.locator("td").all_inner_texts()
    assert cells[:4] == [f"{bars[-1][index]:.5f}" for index in range(1, 5)]
    await expect(link).to_have_attribute("aria-expanded", "true")
    await site.find(PLOT).focus()
    await heard(site, "ArrowLeft", "?")
    found = await Axe().run(site.page)
    rules = [(one["id"], one["nodes"][0]["html"]) for one in found.response["violations"]]
    assert rules == []
    await link.click()
    await expect(rows).to_have_count(0)


async def test_a_mouse_shows_the_bar_below_it_moves_and_zooms(site: Site) -> None:
    bars = await start(site)
    box = await site.find(PLOT).bounding_box()
    assert box is not None
    right = box["x"] + box["width"] - 64 - 12 - 3
    await site.page.mouse.move(right - 20 * 7, box["y"] + 100)
    await site.page.wait_for_selector("[data-visitor]")
    await eventually_moved(site, right - 20 * 7, box["y"] + 101)
    await expect(site.find(READOUT).nth(3)).to_have_text(f"{bars[-21][4]:.5f}")
    before = await drawn(site, "body up")
    await site.page.mouse.wheel(-70, 0)
    await expect(site.find("path.body.up").first).not_to_have_attribute("d", before)
    before = await drawn(site, "body up")
    await site.page.mouse.wheel(0, 100)
    await settled(site)
    assert await drawn(site, "body up") == before, "the page scrolls"
    await site.find(PLOT).focus()
    await site.page.mouse.wheel(0, -100)
    await expect(site.find("path.body.up").first).not_to_have_attribute("d", before)
    await site.page.mouse.move(5, 5)
    await expect(site.find(READOUT).nth(3)).to_have_text(f"{bars[-1][4]:.5f}")


async def eventually_moved(site: Site, x: float, y: float) -> None:
    """Move the mouse until the module has seen it."""
    for step in range(50):
        await site.page.mouse.move(x, y + step % 2)
        await settled(site)
        if await site.find("rect.cursor").count() == 1:
            return
    raise AssertionError("no cursor")


async def test_fingers_move_the_bars_across_and_leave_the_page_to_scroll(
    browser: Browser, server: ScriptedServer
) -> None:
    window = await browser.new_context(
        has_touch=True, viewport={"width": 360, "height": 640}, device_scale_factor=2
    )
    page = await window.new_page()
    site = Site(page, server)
    await start(site)
    assert await site.run(f"getComputedStyle(document.querySelector('{PLOT}')).touchAction") == (
        "pan-y"
    )
    assert await site.run("document.documentElement.scrollWidth") <= 360
    box = await site.find(PLOT).bounding_box()
    assert box is not None
    touch = await window.new_cdp_session(page)
    before = await drawn(site, "body up")
    await page.touchscreen.tap(box["x"] + 100, box["y"] + 80)
    await eventually(lambda: len(server.peers) == 1)
    await page.wait_for_selector("[data-visitor]")
    for kind, x in [("touchStart", 60), *(("touchMove", 60 + 8 * n) for n in range(1, 20))]:
        points = [{"x": x, "y": box["y"] + 60}]
        await touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    await touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    await expect(site.find("path.body.up").first).not_to_have_attribute("d", before)
    await page.touchscreen.tap(box["x"] + 100, box["y"] + 80)
    await expect(site.find("rect.cursor")).to_have_count(1)
    assert site.problems == []
    await window.close()


@pytest.mark.parametrize(
    ("zone", "label", "name"),
    [
        ("UTC", "13:00", "UTC"),
        ("Asia/Tokyo", "22:00", "GMT+9"),
        ("exchange", "08:00", re.compile("EST|GMT-5")),
    ],
)
async def test_times_are_those_of_the_zone(site: Site, zone: str, label: str, name: Any) -> None:
    bars = bars_until(NOON + 1800, 60)
    html = chart(bars, zone=zone).replace("data-from", 'data-zone="America/New_York" data-from')
    await start(site, bars, html=html)
    await expect(site.page.locator("svg text", has_text=label)).to_have_count(1)
    await expect(site.find("[data-part=note]")).to_have_text(
        name if isinstance(name, re.Pattern) else re.compile(re.escape(name))
    )


async def test_days_are_named_by_the_date_of_their_middle_at_the_exchange(site: Site) -> None:
    day = 86_400
    last = 1_764_540_000  # Sunday 30 November, 17:00 in New York: the Monday of the market
    bars = bars_until(last, 40, day)
    html = chart(bars, zone="Asia/Tokyo").replace('timeframe="5"', 'timeframe="1D"')
    html = html.replace("data-from", 'data-zone="America/New_York" data-from')
    await site.open(html)
    await site.joined("FX:EURUSD_1D")
    await eventually(lambda: site.peer.of_type("candles"))
    await site.send(page_of(bars, "1D"))
    await expect(site.find("[data-part=readout] time")).to_have_text("1 Dec 2025")


async def test_words_are_those_of_the_page(site: Site) -> None:
    with translation.override("de"):
        html = chart()
        await site.open(html, html='lang="de"')
    await asked(site)
    await site.send(page_of(bars_until(begin_now())))
    rows = site.find("button[data-part=link]")
    await expect(rows).to_have_text(re.compile("^Balken .* Tabelle$"))
    await site.find(PLOT).focus()
    await expect(site.find(PLOT)).to_have_attribute("aria-label", re.compile("Kerzen, 5 Minuten"))
    assert re.search(r"Schluss 1,08\d{3}, .* Prozent\. Eröffnung", await heard(site, "ArrowLeft"))


async def test_a_month_that_is_shortened_ends_a_sentence_with_one_point(site: Site) -> None:
    days = bars_until(NOON // 86_400 * 86_400, period=86_400)
    with translation.override("de"):
        await site.open(chart(), html='lang="de"')
    await asked(site)
    await site.send(page_of(bars_until(begin_now())))
    await site.find("button[data-timeframe='1D']").click()
    await asked(site, timeframe="1D")
    await site.send(page_of(days, timeframe="1D"))
    await expect(site.find("fcs-chart")).to_have_attribute("timeframe", "1D")
    await site.find(PLOT).focus()
    label = re.compile(r"Balken: 200, .* – 1\. Dez\. \w")
    await expect(site.find(PLOT)).to_have_attribute("aria-label", label)


async def test_a_chart_fills_the_screen_on_request(site: Site) -> None:
    await start(site)
    await site.find("[aria-label='Full screen']").click()
    await expect(site.find("[aria-label='Full screen']")).to_have_attribute("aria-pressed", "true")
    await expect(site.find(f"{PLOT} svg")).to_have_attribute("height", re.compile(r"^[4-9]\d\d$"))
    await site.find("[aria-label='Full screen']").click()
    await expect(site.find("[aria-label='Full screen']")).to_have_attribute("aria-pressed", "false")
    await expect(site.find(f"{PLOT} svg")).to_have_attribute("height", "256")

"""What a chart does with odd attributes and sizes, and when it is taken away and put back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.chart_page import (
    PERIOD,
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
from tests.support.waiting import eventually

__all__ = ["site"]

PLOT = "[data-part=plot]"
READOUT = "[data-part=readout] dd"
HOST = "document.querySelector('fcs-chart')"


@pytest.mark.parametrize("width", [30, 70, 84])
async def test_a_chart_that_becomes_too_narrow_for_a_bar_does_not_stop_the_page(
    site: Site, width: int
) -> None:
    await start(site)
    before = await drawn(site, "body up")
    await site.run(f"document.querySelector('main').style.width = '{width}px'")
    await settled(site)
    await site.run("document.querySelector('main').style.width = ''")
    await expect(site.find("path.body.up").first).to_have_attribute("d", before)
    assert site.problems == []


async def test_a_chart_follows_its_height_and_one_less_high_than_its_axis_does_not_stop_the_page(
    site: Site,
) -> None:
    await start(site)
    for height, shown in [("-5", 160), ("99999", 800), ("400", 400)]:
        await site.run(f"{HOST}.setAttribute('height', '{height}')")
        await expect(site.find(f"{PLOT} svg")).to_have_attribute("height", str(shown))
    before = await drawn(site, "body up")
    await site.run(f"document.querySelector('{PLOT}').style.height = '20px'")
    await expect(site.find(f"{PLOT} svg")).to_have_attribute("height", "20")
    await site.run(f"document.querySelector('{PLOT}').style.height = '400px'")
    await expect(site.find("path.body.up").first).to_have_attribute("d", before)
    assert site.problems == []


async def test_a_hole_that_fills_a_narrow_plot_can_be_passed(site: Site) -> None:
    await site.page.set_viewport_size({"width": 320, "height": 700})
    now = begin_now()
    bars = [*bars_until(now - 40 * PERIOD, 60), *bars_until(now, 20)]
    await start(site, bars, missing=[[bars[59][0] + PERIOD, bars[60][0]]])
    await site.find(PLOT).focus()
    for _ in range(5):
        await site.page.keyboard.press("+")
    await eventually_visited(site)
    box = await site.find(PLOT).bounding_box()
    assert box is not None
    await site.page.mouse.move(box["x"] + 20, box["y"] + 60)
    for _ in range(60):
        await site.page.mouse.wheel(-20, 0)
        await settled(site)
    assert "M" in await drawn(site, "hole") or "M" in await drawn(site, "body up")
    assert site.problems == []


async def eventually_visited(site: Site) -> None:
    await site.page.wait_for_selector("[data-visitor]")
    for _ in range(50):
        await site.page.keyboard.press("ArrowLeft")
        await settled(site)
        if await site.find("rect.cursor").count() == 1:
            return
    raise AssertionError("no cursor")


async def test_a_chart_that_was_taken_away_and_put_back_hears_each_pointer_once(
    site: Site,
) -> None:
    bars = await start(site)
    await site.find(PLOT).focus()
    await eventually_visited(site)
    await site.find("button[data-part=link]").click()
    await expect(site.find("[data-part=table]")).to_have_count(1)
    await site.run(f"globalThis.kept = {HOST}; globalThis.home = kept.parentNode; kept.remove()")
    await eventually(lambda: len(site.peer.of_type("leave_symbol")) >= 2)
    await site.run("home.append(kept)")
    await asked(site, 2)
    await site.send(page_of(bars), tick(2, bars[-1]), state("live", timeframe="5"))
    await settled(site)
    await expect(site.find("[data-part=table]")).to_have_count(0)
    box = await site.find(PLOT).bounding_box()
    assert box is not None
    await site.page.mouse.move(box["x"] + 200, box["y"] + 60)
    await eventually_visited(site)
    x = "Number(document.querySelector('rect.cursor').getAttribute('x'))"
    before = await site.run(x)
    await site.page.mouse.wheel(-70, 0)
    await settled(site)
    assert await site.run(x) - before == 70


async def test_a_press_that_ends_elsewhere_does_not_drag_on(site: Site) -> None:
    await start(site)
    await site.find(PLOT).focus()
    await eventually_visited(site)
    box = await site.find(PLOT).bounding_box()
    assert box is not None
    mouse, y = site.page.mouse, box["y"] + 60
    await mouse.move(box["x"] + 300, box["y"] - 100)
    await mouse.down()
    await mouse.move(box["x"] + 300, y)
    await mouse.move(box["x"] + 320, y)
    await mouse.move(box["x"] + 320, box["y"] - 100)
    await mouse.up()
    await mouse.move(box["x"] + 320, y)
    await settled(site)
    before = await drawn(site, "body up")
    await mouse.move(box["x"] + 420, y, steps=4)
    await settled(site)
    assert await drawn(site, "body up") == before


async def test_attributes_of_scripts_are_bounded_and_unknown_ones_are_the_default(
    site: Site,
) -> None:
    await start(site)
    many: list[Any] = [1.084] * 100_000
    odd = [{"price": 1.083, "label": 5}, {"price": "1"}, None, [1.082]]
    await site.page.evaluate(
        "(lines) => { const host = document.querySelector('fcs-chart');"
        " host.setAttribute('lines', lines); host.setAttribute('type', 'toString'); }",
        json.dumps([*odd, *many]),
    )
    await site.page.wait_for_function("document.querySelector('path.level').getAttribute('d')")
    assert (await drawn(site, "level")).count("M") == 17
    assert "M" in await drawn(site, "body up")
    assert site.problems == []


async def test_another_symbol_keeps_nothing_of_the_former_one(site: Site) -> None:
    html = chart().replace("data-from", 'data-hours="570-960" data-from')
    await start(site, html=html)
    await expect(site.find("fcs-chart[data-base]")).to_have_count(1)
    await site.run(f"{HOST}.setAttribute('symbol', 'BINANCE:BTCUSDT')")
    await asked(site, 1, symbol="BINANCE:BTCUSDT")
    await expect(
        site.find("fcs-chart:is([data-base], [data-previous], [data-hours])")
    ).to_have_count(0)
    await expect(site.find("[data-day=change]")).to_have_text("")


async def test_older_bars_that_another_chart_asked_for_leave_no_gap(site: Site) -> None:
    now = begin_now()
    bars = await start(site)
    await site.send(page_of(bars_until(now - 1000 * PERIOD), more=True))
    wish = await asked(site, 1, before=bars[0][0])
    assert wish["limit"] == 200
    await site.send(page_of(bars_until(bars[0][0] - PERIOD), more=True))
    await site.find("button[data-part=link]").click()
    await expect(site.find("[data-part=table] tbody tr")).to_have_count(400)

"""What a chart shows of the day: its change, its figures, its hours, and its date."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.browser.chart_page import (
    EURUSD,
    bars_until,
    begin_now,
    chart,
    drawn,
    start,
    tick,
)
from tests.browser.element_page import Site, site, state

__all__ = ["site"]


async def test_the_figures_of_the_day_go_on_with_the_room_of_the_day(site: Site) -> None:
    bars = await start(site, html=chart(height=320))
    high = site.find("[data-day=high]")
    await expect(high).to_have_text("1.08455")
    row = site.find("[data-part=row]")
    await expect(row).not_to_have_attribute("data-state", "live")

    most = max(bar[2] for bar in bars[-100:])
    day = [begin_now(), 1.08, most, 1.0, bars[-1][4], 91_000]
    await site.send(tick(1, day, "1D", pc=1.0799), state("live"))
    await expect(high).to_have_text(f"{most:.5f}")
    await expect(row).to_have_attribute("data-state", "live")
    await expect(site.find("[data-day=volume]")).to_have_text(re.compile("^91.0.K$"))
    await expect(site.find("fcs-chart")).to_have_attribute("data-previous", "1.0799")
    await expect(site.find("text.small").get_by_text(f"{most:.5f}")).to_have_count(1)

    await site.send(tick(2, [*day[:2], 1.2, *day[3:]], "1D"))
    await expect(high).to_have_text("1.20000")
    await expect(site.find("text.small").get_by_text(f"{most:.5f}")).to_have_count(0)
    await site.send(state("offline", reason="no stream"))
    await expect(row).to_have_attribute("data-state", "stale")


async def test_the_date_at_the_left_is_that_of_the_first_bar_in_sight(site: Site) -> None:
    midnight = 1_764_028_800
    await start(site, bars_until(midnight + 8 * 3600, 200))
    date = site.find("[data-part=date]")
    await expect(date).to_have_text("24 Nov")

    await site.page.set_viewport_size({"width": 360, "height": 800})
    await expect(date).to_have_text("25 Nov")


async def test_bars_outside_of_the_hours_are_shaded_and_named(site: Site) -> None:
    html = chart().replace(
        "<fcs-chart", '<fcs-chart data-hours="570-960" data-zone="America/New_York"'
    )
    await start(site, bars_until(1_764_018_000 + 6600, 200), html=html)

    # From half past nine to four there are 78 bars, and then 23 until ten to six.
    path = await drawn(site, "session")
    assert path.count("z") == 2
    opens, closes, end = [int(x) for x in re.findall(r"[MH](\d+)", path)][1:]
    assert (closes - opens, end - closes) == (78 * 7, 23 * 7)
    await expect(site.find("text.small").get_by_text("After hours")).to_have_count(1)


async def test_without_a_previous_close_the_change_is_that_since_the_open_of_the_day(
    site: Site,
) -> None:
    bars = bars_until(begin_now())
    html = re.sub(' data-(previous|base)="[^"]*"', "", chart(bars))
    await start(site, bars, html=html)
    shown = site.find("[data-day=change_percent]")
    await site.send(tick(2, bars[-1], chp=0.5, ch=0.0054))
    await expect(shown).to_have_text(re.compile(r"^\+0.50"))
    await site.find("[data-part=plot]").focus()
    label = re.compile("Last .*, up 0.50 percent, live")
    await expect(site.find("[data-part=plot]")).to_have_attribute("aria-label", label)

    opened = bars[-1][4] / 1.02
    day = [begin_now(), opened, 2.0, 1.0, bars[-1][4], 1000]
    await site.send(tick(1, day, "1D", pc=None))
    await expect(site.find("fcs-chart")).to_have_attribute("data-base", str(opened))
    await site.send(tick(3, bars[-1], chp=0.5, ch=0.0054))
    await expect(shown).to_have_text(re.compile(r"^\+2.00"))


async def test_a_chart_that_a_page_makes_learns_the_decimals_with_the_first_price(
    site: Site,
) -> None:
    bars = bars_until(begin_now())
    html = f'<fcs-chart symbol="{EURUSD}" timeframe="5" zone="UTC"></fcs-chart>'
    await start(site, bars, html=html)
    await site.send(tick(2, bars[-1], chp=0.5, ch=0.0054))
    await expect(site.find("[data-day=change]")).to_have_text("+0.00540")
    labels = site.find("fcs-chart svg[width] text").get_by_text(re.compile(r"^1\.08\d{3}$"))
    await expect(labels.nth(2)).to_be_visible()

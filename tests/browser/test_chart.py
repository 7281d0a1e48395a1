"""What the chart does in a browser: bars over the socket, one at a time, without a shift."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from playwright.async_api import expect

from django_fcs import widgets
from tests.browser.chart_page import (
    EURUSD,
    PERIOD,
    ROOM,
    STYLE,
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
from tests.browser.test_cards import SHIFT
from tests.support.waiting import eventually

__all__ = ["site"]

STRICT = (
    "default-src 'self'; script-src 'nonce-abc' 'strict-dynamic'; object-src 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'"
)
NOTE = "[data-part=note]"
READOUT = "[data-part=readout]"
#: The classes of the shapes in which something has changed.
WATCH = """globalThis.changed = new Set();
  new MutationObserver((changes) => {
    for (const { target, attributeName, oldValue } of changes) {
      const shape = target instanceof Element ? target : target.parentElement;
      const isNew = !attributeName || shape.getAttribute(attributeName) !== oldValue;
      if (isNew) changed.add(shape.getAttribute("class") ?? shape.localName);
    }
  }).observe(document.querySelector("fcs-chart svg[width]"), {
    subtree: true, attributes: true, attributeOldValue: true, childList: true,
    characterData: true,
  });"""


def bodies(path: str) -> int:
    return path.count("M")


async def count(site: Site) -> int:
    """How many bodies are drawn, without the one that is forming."""
    return sum([bodies(await drawn(site, f"body {way}")) for way in ("up", "down")])


@pytest.mark.parametrize("width", [320, 390, 760, 1440])
async def test_the_upgrade_shifts_nothing_and_draws_the_bars_that_it_asked_for(
    site: Site, width: int
) -> None:
    await site.page.set_viewport_size({"width": width, "height": 700})
    site.server.headers["Content-Security-Policy"] = STRICT
    scripts = widgets.scripts(nonce="abc")
    requests: list[str] = []
    site.page.on("request", lambda request: requests.append(request.url))
    await site.open(chart(), style=STYLE, scripts=scripts)
    await expect(site.find("[data-part=tools] button")).to_have_count(9)
    assert await asked(site) == {
        **{"type": "candles", "symbol": EURUSD, "timeframe": "5"},
        **{"before": None, "limit": 200},
    }

    bars = bars_until(begin_now())
    await site.send(page_of(bars), tick(1, bars[-1]), state("live", timeframe="5"))
    await expect(site.field("close")).to_have_text(f"{bars[-1][4]:.5f}")
    await expect(site.find(NOTE)).to_have_text(re.compile("^last price .* UTC$"))
    await expect(site.find(NOTE)).to_have_attribute("data-words", "live")
    await settled(site)

    assert await count(site) >= min((width - 80) // 8, 150)
    assert await site.run(SHIFT) == 0
    assert await site.find("fcs-chart[data-from]").count() == 0
    assert all(url.startswith(site.server.url) for url in requests)
    assert not await site.find("fcs-chart [style]").count()


async def test_one_price_repaints_one_bar(site: Site) -> None:
    bars = await start(site)
    await site.run(WATCH)
    await settled(site)
    await site.run("changed.clear()")
    before = await drawn(site, "body up")
    close = round(bars[-1][4] + 0.00004, 5)
    await site.send(tick(2, [*bars[-1][:2], close, *bars[-1][3:]], c=close))
    await expect(site.field("close")).to_have_text(f"{close:.5f}")
    await settled(site)

    changed = set(await site.run("[...changed]"))
    allowed = {"now", "text", "small", "tag live"}
    assert {kind for kind in changed if kind not in allowed} <= {
        f"{part} forming {way}" for part in ("body", "wick", "vol") for way in ("up", "down")
    }
    assert any("forming" in kind for kind in changed)
    assert await drawn(site, "body up") == before
    await expect(site.find(f"{READOUT} dd").nth(3)).to_have_text(f"{close:.5f}")

    await site.run("changed.clear()")
    far = bars[-1][2] + 0.02  # the scale changes
    await site.send(tick(3, [*bars[-1][:2], far, *bars[-1][3:]], c=far))
    await expect(site.field("close")).to_have_text(f"{far:.5f}")
    assert await drawn(site, "body up") != before


async def test_ask_and_bid_move_the_close_alone_and_a_new_bar_ends_the_one_before(
    site: Site,
) -> None:
    bars = await start(site)
    t, opened, high, low, _, volume = bars[-1]
    await site.send(tick(2, bars[-1], mode="askbid", c=high + 1))
    values = site.find(f"{READOUT} dd")
    await expect(values.nth(3)).to_have_text(f"{high:.5f}")
    await expect(values.nth(1)).to_have_text(f"{high:.5f}")
    before = await count(site)

    closed = [t, opened, high, low, low, volume]  # its last state, with the first of the next
    following = [t + PERIOD, low, low, low, low, 1]
    await site.send(tick(3, closed), tick(4, following))
    await expect(values.nth(0)).to_have_text(f"{low:.5f}")
    await settled(site)
    assert await count(site) == before + 1 - (before == await count(site))
    await site.find("[data-part=plot]").focus()
    await site.page.keyboard.press("End")
    await site.page.keyboard.press("ArrowLeft")
    await expect(values.nth(3)).to_have_text(f"{low:.5f}")


async def test_older_bars_come_at_the_left_edge_while_there_are_more(site: Site) -> None:
    begin = begin_now()
    bars = bars_until(begin, 200)
    await start(site, bars, more=True)
    box = await site.find("[data-part=plot]").bounding_box()
    assert box is not None
    await site.page.mouse.move(box["x"] + 200, box["y"] + 50)
    await site.page.mouse.down()
    await site.page.mouse.move(box["x"] + 1000, box["y"] + 60, steps=5)
    await site.page.mouse.up()
    wish = await asked(site, before=bars[0][0])
    assert wish["limit"] == 200
    older = bars_until(bars[0][0] - PERIOD, 100)
    before = await drawn(site, "wick up")
    await site.send(page_of(older))
    await expect(site.find("path.wick.up").first).not_to_have_attribute("d", before)
    assert len(site.peer.of_type("candles")) == 2, "there are no more"


async def test_a_hole_is_hatched_until_its_bars_come(site: Site) -> None:
    bars = bars_until(begin_now())
    gap = bars[-13:-10]
    hole = [gap[0][0], gap[-1][0] + PERIOD]
    await start(site, [bar for bar in bars if bar not in gap], missing=[hole])
    assert re.match(r"M\d+ 6L", await drawn(site, "hole"))
    label = site.find("text.holetext").first
    await expect(label).to_have_text("no data")

    await site.find("[data-part=plot]").focus()
    for _ in range(11):
        await site.page.keyboard.press("ArrowLeft")
    await expect(site.find("[data-part=spoken]")).to_have_text(re.compile("no data.$"))
    await site.page.keyboard.press("ArrowLeft")
    await expect(site.find("[data-part=spoken]")).to_have_text(re.compile("Close "))

    await site.send(page_of(gap, repaired=[hole]))
    await expect(site.find("path.mended")).to_have_attribute("d", re.compile("^M"))
    await expect(site.find("path.hole")).to_have_attribute("d", "")
    await expect(site.find(NOTE)).to_have_text(re.compile("repaired$"))


async def test_a_stream_that_was_away_is_asked_again_for_what_was_missed(site: Site) -> None:
    begin = begin_now()
    bars = await start(site, bars_until(begin - 4 * PERIOD))
    await site.send(state("offline", timeframe="5", reason="no stream"))
    await expect(site.find("fcs-chart")).to_have_attribute("data-state", "offline")
    assert await count(site) > 100, "the bars stay"
    now = [begin, 1.084, 1.085, 1.083, 1.084, 5]
    await site.send(state("live", timeframe="5"), tick(2, now))
    wish = await asked(site, 2)
    assert wish["before"] is None and 5 <= wish["limit"] <= 9
    hole = [bars[-1][0] + PERIOD, begin]
    await site.send(page_of([bars[-1], now], missing=[hole]))
    await expect(site.find("path.hole")).to_have_attribute("d", re.compile("^M"))
    missed = [[hole[0] + index * PERIOD, 1.084, 1.085, 1.083, 1.0845, 7] for index in range(3)]
    await site.send(page_of(missed, repaired=[hole]))
    await expect(site.find("path.hole")).to_have_attribute("d", "")


async def test_a_lost_connection_keeps_the_chart_and_a_new_one_asks_again(site: Site) -> None:
    await start(site)
    before = await count(site)
    site.peer.abort()
    await expect(site.find("fcs-chart")).to_have_attribute("data-state", "offline")
    await expect(site.find(NOTE)).to_have_attribute("data-words", "offline")
    assert await count(site) == before
    await eventually(lambda: len(site.server.peers) == 2 and site.peer.of_type("candles"))
    assert site.peer.joins == [ROOM, f"{EURUSD}_1D"]
    assert site.peer.of_type("candles")[0]["limit"] < 10


async def test_another_timeframe_comes_in_place_once_its_bars_are_here(site: Site) -> None:
    await start(site)
    before = await drawn(site, "body up")
    await site.find("[data-part=tools] button").get_by_text("1h").click()
    await asked(site, timeframe="60")
    assert await site.find("fcs-chart").get_attribute("timeframe") == "5"
    assert await drawn(site, "body up") == before
    hour = int(time.time()) // 3600 * 3600
    bars = bars_until(hour, 150, 3600)
    await site.send(tick(1, bars[-1], "60"), state("live", timeframe="60"))
    await site.send(page_of(bars, "60"))
    await expect(site.find("fcs-chart")).to_have_attribute("timeframe", "60")
    await expect(site.find("button[aria-pressed=true]").first).to_have_text("1h")
    await expect(site.find("path.body.up").first).not_to_have_attribute("d", before)
    assert site.peer.joins == [ROOM, f"{EURUSD}_1D", f"{EURUSD}_60"]
    await eventually(lambda: site.peer.of_type("leave_symbol"))
    assert [one["timeframe"] for one in site.peer.of_type("leave_symbol")] == ["5"]
    assert len(site.peer.of_type("candles")) == 2
    assert await site.field("close").inner_text() != "–"
    await expect(site.field("name")).to_have_text("Euro / US dollar")

    await site.find("[aria-label=Line]").click()
    await expect(site.find("path[class=line]")).to_have_attribute("d", re.compile("^M.*L"))
    assert await drawn(site, "body up") == ""


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"candles": [], "note": "the feed does not know it"}, "No data for EUR/USD"),
        ({"note": "the month's credits are spent", "more": True}, "No history before"),
    ],
)
async def test_what_is_missing_is_said_in_words(
    site: Site, answer: dict[str, Any], words: str
) -> None:
    bars = bars_until(begin_now(), 20)
    await site.open(chart(), style=STYLE)
    await asked(site)
    await site.send({**page_of(bars), **answer}, state("live", timeframe="5"))
    if answer.get("more"):
        await asked(site, before=bars[0][0])
        await site.send({**page_of([]), **answer})
    await expect(site.find("[data-part=over]")).to_contain_text(words)
    await expect(site.find("[data-part=over]")).to_contain_text(answer["note"])
    box = await site.find("[data-part=over]").bounding_box()
    assert box is not None and box["width"] > 100, "it can be seen"


async def test_closed_stale_and_delayed_are_said_and_the_bar_is_no_longer_open(site: Site) -> None:
    bars = await start(site)
    assert await site.run("document.querySelectorAll('path[class*=forming][d^=M]').length") > 0
    until = int(time.time()) + 86_400
    await site.send(state("closed", timeframe="5", until=until))
    await expect(site.find(NOTE)).to_have_attribute("data-words", re.compile("^closed · opens"))
    await site.send(state("live", timeframe="5"), tick(2, bars[-1], delay=900))
    await expect(site.find(NOTE)).to_have_attribute("data-words", "15 min delayed")
    await site.send(state("stale", timeframe="5"))
    await expect(site.find(NOTE)).to_have_attribute("data-words", re.compile("old$"))


async def test_a_chart_made_by_a_script_gets_all_its_parts(site: Site) -> None:
    await site.open("", style=STYLE)
    await site.run(
        "const made = document.createElement('fcs-chart');"
        f"made.setAttribute('symbol', '{EURUSD}'); made.setAttribute('timeframe', '5');"
        "document.body.append(made)"
    )
    await asked(site)
    await expect(site.find("[data-part=over]")).to_contain_text("Loading older bars")
    bars = bars_until(begin_now(), 40)
    await site.send(page_of(bars), tick(1, bars[-1]), state("live", timeframe="5"))
    await expect(site.find("path.frame")).to_have_attribute("d", re.compile("^M"))
    assert await count(site) == 39
    await site.run("document.querySelector('fcs-chart').remove()")
    await eventually(lambda: site.peer.of_type("leave_symbol"))


async def test_another_script_that_takes_parts_away_gets_them_back(site: Site) -> None:
    await start(site)
    before = await count(site)
    await site.run(
        """(() => { const host = document.querySelector("fcs-chart");
          host.querySelector("[data-part=tools]").replaceChildren();
          host.querySelector("svg[width]").replaceChildren();
          host.querySelector("[data-part=readout]").textContent = ""; })()"""
    )
    await expect(site.find("[data-part=tools] button")).to_have_count(9)
    await settled(site)
    assert await count(site) == before
    await expect(site.find(f"{READOUT} dd").nth(3)).to_have_text(re.compile(r"1\.08"))


async def test_a_chart_far_below_asks_for_nothing_until_it_comes_near(site: Site) -> None:
    requests: list[str] = []
    site.page.on("request", lambda request: requests.append(request.url.rpartition("/")[2]))
    await site.open(
        f'<div id="space"></div>{chart()}', style=f"{STYLE} #space {{ height: 9000px }}"
    )
    await site.joined(ROOM)
    await site.send(state("live", timeframe="5"))
    await expect(site.find("[data-part=side] [data-part=status]")).to_have_text("live")
    assert not [name for name in requests if "plot" in name]
    await site.find("fcs-chart").scroll_into_view_if_needed()
    await asked(site)
    await eventually(lambda: [one for one in requests if "plot" in one])


async def test_the_cursor_stays_at_its_bar_when_older_ones_come(site: Site) -> None:
    bars = bars_until(begin_now(), 400)
    await start(site, bars[200:], more=True)
    await site.find("[data-part=plot]").focus()
    await site.page.keyboard.press("Home")
    close = f"{bars[200][4]:.5f}"
    await expect(site.find(f"{READOUT} dd").nth(3)).to_have_text(close)
    await asked(site, 2)
    await site.send(page_of(bars[:200]))
    await site.page.keyboard.press("ArrowRight")
    await expect(site.find("[data-part=spoken]")).to_have_text(re.compile(f"{bars[201][4]:.5f}"))

"""The movers in a browser: ranked again as prices come, never below a pointer or the focus."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, expect

from django_fcs import widgets
from django_fcs.prices.states import State
from django_fcs.quotes import Quote
from django_fcs.rooms import Room
from tests.browser.element_page import Site, site, state
from tests.browser.scripted_server import ScriptedServer, price
from tests.browser.test_cards import SHIFT
from tests.browser.test_look import CONTRAST, THEMES
from tests.support.waiting import eventually
from tests.widgets.test_html import a_quote

__all__ = ["site"]

MORPH = (Path(__file__).parent / "morph.js").read_text()
CHANGES = {"X:A": 2.0, "X:B": 1.0, "X:C": -0.5, "X:D": -1.5, "X:E": 0.1}
BOARD = """() => Object.fromEntries([...document.querySelectorAll("fcs-movers ol")].map((list) => [
  list.closest("[data-side]")?.dataset.side ?? "rest",
  [...list.children].map((row) => row.dataset.symbol?.slice(2) ?? "-").join(""),
]))"""

WIDTHS = """[...document.querySelectorAll("[data-side] rect")].map((bar) =>
  bar.getAttribute("width"))"""


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> str:
    """The HTML of five rows, of which two are shown on each side."""

    def quote_to_show(room: Room) -> Quote:
        percent = CHANGES[room.symbol]
        now = State.STALE if percent == 0.1 else State.LIVE
        return a_quote(room.symbol, change=percent, change_percent=percent, state=now)

    monkeypatch.setattr("django_fcs.quotes.quote_to_show", quote_to_show)
    return str(widgets.movers(list(CHANGES), count=2, href="#{symbol}"))


async def send(site: Site, seq: int, changes: Mapping[str, float], now: str = "live") -> None:
    for symbol, percent in changes.items():
        sent = price(symbol, c=1.5, ch=percent, chp=percent, digits=2)
        await site.send({**sent, "seq": seq, "at": time.time()}, state(now, symbol))


async def ranked(site: Site, up: str, down: str) -> dict[str, str]:
    """Wait until the lists show these rows; return all lists."""
    await site.page.wait_for_function(
        f"""() => {{
          const board = ({BOARD})();
          return board.up === "{up}" && board.down === "{down}";
        }}"""
    )
    lists: dict[str, str] = await site.run(BOARD)
    return {**lists, "rest": "".join(sorted(lists["rest"]))}  # nobody sees it


async def test_rows_are_ranked_again_and_keep_their_nodes(site: Site, board: str) -> None:
    site.server.pages["/morph.js"] = MORPH
    await site.open(f"{board}<script src='/morph.js'></script><p>The rest of the page.</p>")
    await site.joined("X:A_1D", "X:B_1D", "X:D_1D", "X:C_1D", "X:E_1D")
    note = site.find("[data-part=note]")
    await expect(note).to_have_text("of 5 · 1 left out: price old or unknown")
    await site.run("globalThis.rowB = document.querySelector('[data-symbol=\"X:B\"]')")

    await send(site, 1, {**CHANGES, "X:E": 4.0})
    assert await ranked(site, "EA", "DC") == {"up": "EA", "down": "DC", "rest": "B"}
    await expect(note).to_have_text("of 5")
    assert await site.run(WIDTHS) == ["100.0%", "50.0%", "37.5%", "12.5%"]
    assert await site.run("document.querySelector('[data-part=rest] li') === rowB")
    first = await site.run("performance.now()")
    await send(site, 2, {"X:B": 5.0, "X:D": 3.0})
    assert await ranked(site, "BE", "C-") == {"up": "BE", "down": "C-", "rest": "AD"}
    assert await site.run("performance.now()") - first > 1000  # not with each price
    assert await site.run("document.querySelector('[data-side] li') === rowB")

    await send(site, 3, {"X:B": 5.0}, now="stale")
    await ranked(site, "ED", "C-")
    await expect(note).to_have_text("of 5 · 1 left out: price old or unknown")
    assert await site.run(SHIFT) < 0.001
    # A morph brings the server's order back. A row that is another one now may join again, and
    # the server then sends its price.
    await site.run(f"morph(document.body, {json.dumps(board)})")
    await send(site, 4, {"X:E": 4.0})
    assert sorted((await ranked(site, "ED", "C-"))["rest"]) == ["A", "B"]
    await site.run("document.querySelector('fcs-movers').setAttribute('count', '1')")
    await ranked(site, "E", "C")
    # A row of another symbol has none of the former one's change.
    await site.run("document.querySelector('[data-symbol=\"X:E\"]').dataset.symbol = 'X:F'")
    await site.send(state("live", "X:F"))
    await ranked(site, "D", "C")


async def test_nothing_moves_away_from_a_pointer_or_the_focus(site: Site, board: str) -> None:
    await site.open(board)
    await site.joined("X:A_1D", "X:B_1D", "X:D_1D", "X:C_1D", "X:E_1D")
    await site.page.keyboard.press("Tab")
    focused = site.find("[data-side=up] a").first
    await expect(focused).to_be_focused()
    await send(site, 1, {**CHANGES, "X:B": 4.0})
    # The bars tell that the board has looked at the prices.
    await expect(site.find("[data-side=up] rect").first).to_have_attribute("width", "50.0%")
    assert (await site.run(BOARD))["up"] == "AB"
    await expect(focused).to_be_focused()
    await site.page.keyboard.press("Enter")
    assert site.page.url.endswith("#X%3AA")
    await focused.evaluate("(link) => link.blur()")
    await ranked(site, "BA", "DC")

    await site.find("[data-side=down] li").last.hover()
    await send(site, 2, {"X:A": 8.0})
    await expect(site.find("[data-side=up] rect").first).to_have_attribute("width", "50.0%")
    assert (await site.run(BOARD))["up"] == "BA"
    await site.page.mouse.move(0, 690)
    await ranked(site, "AB", "DC")


async def test_rows_that_a_page_writes_become_a_board(site: Site) -> None:
    rows = "".join(f'<li data-symbol="{symbol}"></li>' for symbol in CHANGES)
    await site.open(f"<fcs-movers count='x'><ol data-part='rest' hidden>{rows}</ol></fcs-movers>")
    await site.joined(*(f"{symbol}_1D" for symbol in CHANGES))
    await send(site, 1, CHANGES)
    assert (await ranked(site, "ABE-", "DC--"))["rest"] == ""
    await expect(site.find("[data-side=up] [data-part=heading]")).to_have_text("Up")
    await expect(site.find("[data-part=note]")).to_have_text("of 5")
    await site.run("document.querySelector('fcs-movers').remove()")
    await eventually(lambda: len(site.peer.of_type("leave_symbol")) == len(CHANGES))


@pytest.mark.parametrize(
    ("width", "prices", "direction", "theme"),
    [(300, 0, "ltr", "dark"), (320, 4, "rtl", "light"), (1280, 4, "ltr", "dark")],
)
async def test_without_a_script_the_board_can_be_read_at_every_width(
    browser: Browser,
    server: ScriptedServer,
    board: str,
    width: int,
    prices: int,
    direction: str,
    theme: str,
) -> None:
    ground, ink = THEMES[theme]
    head = f'<title>Movers</title>{widgets.scripts()}<link rel="stylesheet" href="/site.css">'
    server.headers["Content-Security-Policy"] = "default-src 'self'"
    server.pages["/site.css"] = f"body {{ background: {ground}; color: {ink}; margin: 8px }}"
    server.pages["/"] = (
        f'<!doctype html><html lang="en" dir="{direction}" data-theme="{theme}">{head}'
        f"<body><main><h1>Movers</h1>{board}</main></body></html>"
    )
    window = await browser.new_context(
        java_script_enabled=False, viewport={"width": width, "height": 700}
    )
    page = await window.new_page()
    await page.goto(server.url)
    assert await page.evaluate("document.documentElement.scrollWidth") == width
    assert await page.evaluate(CONTRAST, ground) >= 4.5
    assert await page.locator("[data-symbol]:visible").count() == 4
    assert await page.locator("[data-field=close]:visible").count() == prices
    await window.close()


async def test_axe_finds_nothing_in_a_board(site: Site, board: str) -> None:
    await site.open(f"<title>Movers</title><main><h1>Movers</h1>{board}</main>")
    await site.joined("X:A_1D", "X:B_1D", "X:D_1D", "X:C_1D", "X:E_1D")
    results = await Axe().run(site.page)
    assert results.violations_count == 0, results.generate_report()

"""When elements write what they have heard: in one frame, at once or within two seconds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable

import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.element_page import EURUSD, STATUS, TICKER, Site, euro, site, state
from tests.support.waiting import eventually

__all__ = ["site"]

BELOW = TICKER.replace("<fcs-ticker", '<fcs-ticker id="below"')
PAGE = f'{TICKER}<div id="space"></div>{BELOW}'
STYLE = "#space { height: 5000px }"
FRAME_MS = 20


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A window of the test's own, as the clock is that of a whole window."""
    context = await browser.new_context()
    yield await context.new_page()
    await context.close()


async def until(site: Site, condition: str) -> None:
    async def holds() -> bool:
        return bool(await site.run(condition))

    await eventually(holds)


async def stop_the_clock(site: Site) -> None:
    await site.page.clock.pause_at(await site.run("Date.now() / 1000 + 3"))


async def open_two(site: Site) -> None:
    """Open a page with a ticker in view and one below, both live."""
    await site.open(PAGE, style=STYLE)
    await site.joined(f"{EURUSD}_1D")
    await site.send(euro(1, c=1.01), state("live"))
    for close in (site.field("close").first, site.field("close").last):
        await expect(close).to_have_text("1.01000")
    await site.run("""() => {
      globalThis.heard = 0;
      document.addEventListener("fcs:price", () => { heard += 1; });
    }""")


async def hear(site: Site, seq: int, close: float) -> None:
    """Send a price and let one frame pass after both elements have it."""
    await site.send(euro(seq, c=close))
    await until(site, f"heard === {2 * (seq - 1)}")
    await site.page.clock.run_for(FRAME_MS)


async def test_the_prices_of_one_frame_lay_out_the_page_once(site: Site) -> None:
    await site.open(20 * TICKER)
    await site.joined(f"{EURUSD}_1D")
    await site.send(euro(1), state("live"))
    await expect(site.field("close").last).to_have_text("1.08412")
    session = await site.page.context.new_cdp_session(site.page)
    await session.send("Performance.enable")

    async def layouts() -> float:
        metrics = (await session.send("Performance.getMetrics"))["metrics"]
        return next(float(it["value"]) for it in metrics if it["name"] == "LayoutCount")

    before = await layouts()
    await site.send(euro(2, c=1.25, o=1.2, h=1.3, l=1.1))
    await expect(site.field("close").first).to_have_text("1.25000")
    assert await layouts() - before < 20  # five numbers of each card have changed


async def test_an_element_out_of_view_writes_prices_every_two_seconds(site: Site) -> None:
    await site.page.clock.install()
    await open_two(site)
    await stop_the_clock(site)
    for seq in range(2, 8):
        await hear(site, seq, 1 + seq / 100)
        await expect(site.field("close").first).to_have_text(f"1.0{seq}000")
        assert await site.field("close").last.text_content() == "1.01000"
    await site.page.clock.run_for(2200)
    await expect(site.field("close").last).to_have_text("1.07000")


async def test_an_element_that_comes_into_view_shows_the_newest_price(site: Site) -> None:
    await site.page.clock.install()
    await open_two(site)
    await stop_the_clock(site)
    await hear(site, 2, 1.02)
    close = site.field("close").last
    assert await close.text_content() == "1.01000"
    await close.scroll_into_view_if_needed()
    for _ in range(20):  # less than a second
        await site.page.wait_for_timeout(FRAME_MS)  # the browser's own frame sees the element
        await site.page.clock.run_for(FRAME_MS)
    assert await close.text_content() == "1.02000"


async def test_a_state_is_written_out_of_view_with_its_price_in_the_next_frame(site: Site) -> None:
    await site.page.clock.install()
    await open_two(site)
    await stop_the_clock(site)
    await hear(site, 2, 1.02)
    assert await site.field("close").last.text_content() == "1.01000"
    await site.send(state("closed"))
    await expect(site.find("#below")).to_have_attribute("data-state", "closed")
    await site.page.clock.run_for(FRAME_MS)
    assert await site.find(f"#below {STATUS}").text_content() == "closed"
    assert await site.field("close").last.text_content() == "1.02000"


async def test_paper_has_the_newest_price_of_what_is_out_of_view(site: Site) -> None:
    await open_two(site)
    await site.run("""() => document.addEventListener("fcs:price", () => {
      dispatchEvent(new Event("beforeprint"));
      globalThis.printed = document.querySelector("#below [data-field=close]").textContent;
    })""")
    await site.send(euro(2, c=1.02))
    await until(site, "heard === 2")
    assert await site.run("printed") == "1.02000"


async def test_what_does_not_fit_into_a_frame_comes_in_the_next_ones(site: Site) -> None:
    await site.open(30 * f'<fcs-price symbol="{EURUSD}"></fcs-price> ')
    await site.joined(f"{EURUSD}_1D")
    await site.send(euro(1), state("live"))
    await expect(site.field("close").last).to_have_text("1.08412")
    await site.run("""() => {
      let now = performance.now();
      performance.now = () => now += 1; // a slow machine
      globalThis.counts = [];
      new MutationObserver((changes) => counts.push(changes.length))
        .observe(document.body, { characterData: true, subtree: true });
    }""")
    await site.send(euro(2, c=1.25))
    await expect(site.field("close").last).to_have_text("1.25000")
    counts = await site.run("counts")
    assert sum(counts) == 30
    assert max(counts) < 10


async def test_a_flash_is_a_still_tint_that_no_frame_computes_again(site: Site) -> None:
    await site.open(TICKER)
    await site.joined(f"{EURUSD}_1D")
    await site.send(euro(1), state("live"))
    await expect(site.field("close")).to_have_text("1.08412")
    await site.run("""() => {
      globalThis.seen = [];
      const ticker = document.querySelector("fcs-ticker");
      const close = ticker.querySelector("[data-field=close]");
      new MutationObserver(() => seen.push([
        ticker.dataset.flash, getComputedStyle(close).backgroundColor, close.getAnimations().length,
      ])).observe(ticker, { attributeFilter: ["data-flash"] });
    }""")
    await site.send(euro(2, c=1.09))
    await until(site, "seen.length === 2")
    (flash, tint, running), (none, ground, _) = await site.run("seen")
    assert (flash, none, running) == ("up", None, 0)
    assert tint != ground


async def test_a_card_out_of_view_is_skipped_and_keeps_its_size(site: Site) -> None:
    await site.open(PAGE, style=STYLE)
    await site.joined(f"{EURUSD}_1D")
    before = await site.run("document.documentElement.scrollHeight")
    below = site.find("#below")
    await expect(below).to_have_attribute("data-sized", "1")
    is_drawn = "(card) => card.firstElementChild.checkVisibility({ contentVisibilityAuto: true })"
    await eventually(lambda: refused(below.evaluate(is_drawn)))

    assert await site.run("document.documentElement.scrollHeight") == before
    assert await site.find("fcs-ticker").first.evaluate(is_drawn)
    await below.scroll_into_view_if_needed()
    await eventually(lambda: below.evaluate(is_drawn))
    assert await site.run("document.documentElement.scrollHeight") == before


async def refused(answer: Awaitable[bool]) -> bool:
    return not await answer


async def test_of_a_thousand_new_elements_some_wait_so_that_the_page_answers(site: Site) -> None:
    await site.open(TICKER)
    built = "document.querySelectorAll('fcs-ticker:has([data-field])').length"
    at_once = await site.run(f"""async () => {{
      const card = document.querySelector("fcs-ticker");
      for (let i = 1; i < 1000; i += 1) document.body.append(card.cloneNode());
      await null;
      await null;
      return {built};
    }}""")

    assert at_once < 1000
    await until(site, f"{built} === 1000")

"""Elements that must not claim to be live: a lost socket, a refused room, a silent server.

And prices whose number is not higher: what came again after a return, and what is new.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timezone
from typing import Any

import pytest
import pytest_asyncio
from django.test import override_settings
from django.utils import translation
from playwright.async_api import Browser, Page, expect

from django_fcs import widgets
from django_fcs.prices.states import State
from django_fcs.tokens import TokenState
from tests.browser.element_page import EURUSD, STATUS, TICKER, Site, euro, site, state
from tests.support.waiting import eventually
from tests.widgets.test_html import Known, known

__all__ = ["known", "site"]

NOW = "document.querySelector('fcs-ticker').dataset.state"
REASON = """() => {
  globalThis.reasons = [];
  document.addEventListener("fcs:state", ({ detail }) => reasons.push(detail.reason));
}"""

HEARD = """() => {
  globalThis.heard = [];
  document.addEventListener("fcs:price", ({ detail }) => heard.push(detail.seq));
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A window of the test's own, as the clock is that of a whole window."""
    context = await browser.new_context()
    yield await context.new_page()
    await context.close()


async def test_a_lost_socket_makes_prices_offline_until_the_server_speaks_again(
    site: Site,
) -> None:
    await site.page.add_init_script("Math.random = () => 0")
    await site.open(TICKER)
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(1), state("live"))
    await expect(site.find(STATUS)).to_have_text("live")
    lost = site.peer
    lost.abort()
    await expect(site.find("fcs-ticker")).to_have_attribute("data-state", "offline")
    await expect(site.find(STATUS)).to_have_text("offline")
    await expect(site.field("updated")).to_be_visible()
    await expect(site.field("close")).to_have_text("1.08412")
    await eventually(lambda: site.peer is not lost and site.peer.joins == ["FX:EURUSD_1D"])
    await site.send(state("live"), euro(2, c=1.09))
    await expect(site.find("fcs-ticker")).to_have_attribute("data-state", "live")
    await expect(site.field("close")).to_have_text("1.09000")


async def test_a_page_that_slept_or_was_left_does_not_show_live_for_a_moment(site: Site) -> None:
    """The words and the state in one task: a page that is left gets no frame any more."""
    events = (
        "dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))",
        "dispatchEvent(new Event('online'))",
    )
    await site.open(TICKER)
    for seq, event in enumerate(events):
        await eventually(lambda seq=seq: len(site.server.peers) == seq + 1)
        await site.joined("FX:EURUSD_1D")
        await site.send(euro(seq + 1), state("live"))
        await expect(site.find(STATUS)).to_have_text("live")
        words = f"document.querySelector('{STATUS}').textContent"
        assert await site.run(f"{event}; [{NOW}, {words}]") == ["offline", "offline"]
        await site.run("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
        await expect(site.find(STATUS)).to_have_text("offline")


async def test_a_machine_that_slept_shows_offline_within_a_second(site: Site) -> None:
    await site.page.clock.install(time=0)
    await site.open(TICKER)
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(1), state("live"))
    await expect(site.find("fcs-ticker")).to_have_attribute("data-state", "live")
    slept = site.peer
    await site.page.clock.fast_forward(30_000)
    await expect(site.find("fcs-ticker")).to_have_attribute("data-state", "offline")
    await eventually(lambda: site.peer is not slept and site.peer.joins == ["FX:EURUSD_1D"])


async def test_a_refused_room_is_offline_and_the_reason_is_told(site: Site, known: Known) -> None:
    site.server.behaviour.confirm = None
    known(state=State.LIVE)
    price = f'<fcs-price symbol="{EURUSD}" data-state="live"><b data-field="close"></b></fcs-price>'
    await site.open(widgets.ticker(EURUSD) + price)
    await site.run(REASON)
    await site.joined("FX:EURUSD_1D")
    text = "FX:EURUSD needs a token from this site"
    await site.send({"type": "error", "short": "room_not_allowed", "message": text})
    await expect(site.find(STATUS)).to_have_text("offline")
    for tag in ("fcs-ticker", "fcs-price"):
        await expect(site.find(tag)).to_have_attribute("data-state", "offline")
    await expect(site.find("fcs-price")).to_have_attribute("title", "EUR/USD, offline")
    assert await site.run("reasons") == [text, text]
    assert site.problems == [f"FCSClient: {EURUSD} 1D was refused, room_not_allowed: {text}"]
    site.problems.clear()


@pytest.mark.parametrize("token", [TokenState.EXPIRED, TokenState.WRONG])
async def test_a_page_whose_token_no_longer_counts_asks_in_its_language_to_be_loaded_again(
    site: Site, token: TokenState
) -> None:
    site.server.behaviour.confirm = None
    words = "offline · Seite neu laden"
    with translation.override("de"):
        scripts = widgets.scripts()
    await site.open(TICKER, scripts=scripts)
    await site.joined("FX:EURUSD_1D")
    message = f"{EURUSD} {token.value}"
    await site.send({"type": "error", "short": "room_not_allowed", "message": message})
    await expect(site.find(STATUS)).to_have_text(words)
    await expect(site.find("fcs-ticker")).to_have_attribute("data-state", "offline")
    site.problems.clear()


async def test_a_refused_room_that_gets_its_token_is_live_again(site: Site) -> None:
    site.server.behaviour.confirm = None
    await site.open(TICKER)
    await site.joined("FX:EURUSD_1D")
    await site.send({"type": "error", "short": "room_not_allowed", "message": f"{EURUSD}: no"})
    await expect(site.find(STATUS)).to_have_text("offline")
    await site.run("document.querySelector('fcs-ticker').setAttribute('token', 'signed')")
    await site.joined("FX:EURUSD_1D", "FX:EURUSD_1D")
    await site.send(euro(1), state("live"))
    await expect(site.find(STATUS)).to_have_text("live")
    site.problems.clear()


@pytest.mark.parametrize("welcome", [True, False])
async def test_what_the_page_was_rendered_with_is_not_believed_for_long(
    site: Site, known: Known, welcome: bool
) -> None:
    await site.page.clock.install(time=0)
    await site.page.clock.pause_at(1_000)
    site.server.behaviour.welcome = welcome
    known(state=State.LIVE)
    await site.open(widgets.ticker(EURUSD))
    await site.run(REASON)
    if welcome:
        await site.joined("FX:EURUSD_1D")
    else:
        await eventually(lambda: site.server.peers)
    await site.page.clock.run_for(9_999)
    assert await site.run(NOW) == "live"
    await site.page.clock.run_for(1)
    assert await site.run(NOW) == "offline"
    assert await site.run("reasons") == ["the server has not spoken of this room"]


async def test_the_time_to_connect_is_not_counted_against_the_server(
    site: Site, known: Known
) -> None:
    await site.page.clock.install(time=0)
    await site.page.clock.pause_at(1_000)
    site.server.behaviour.welcome = False
    known(state=State.LIVE)
    await site.open(widgets.ticker(EURUSD))
    await eventually(lambda: site.server.peers)
    await site.page.clock.run_for(9_000)
    await site.send({"type": "welcome", "timestamp": 0})
    await site.joined("FX:EURUSD_1D")
    await site.page.clock.run_for(9_999)
    assert await site.run(NOW) == "live"
    await site.page.clock.run_for(1)
    assert await site.run(NOW) == "offline"


async def test_a_room_whose_state_was_told_stays_as_it_was_told(site: Site) -> None:
    await site.page.clock.install(time=0)
    await site.page.clock.pause_at(1_000)
    await site.open(TICKER)
    await site.joined("FX:EURUSD_1D")
    await site.send(state("live"))
    await expect(site.find("fcs-ticker")).to_have_attribute("data-state", "live")
    await site.page.clock.run_for(10_000)
    assert await site.run(NOW) == "live"


async def test_a_time_of_today_gets_its_day_at_midnight(site: Site) -> None:
    noon = datetime(2025, 12, 22, 12, 0, tzinfo=timezone.utc)
    await site.page.clock.install(time=noon)
    await site.page.clock.pause_at(noon.timestamp() + 1)
    await site.open(TICKER)
    await site.joined("FX:EURUSD_1D")
    at = noon.timestamp()
    await site.send({"type": "beat", "timestamp": int(at * 1000)})
    await site.send({**euro(1), "at": at}, state("closed"))
    await site.page.clock.run_for(1000)
    assert "2025" not in await site.field("updated").inner_text()
    await site.page.clock.fast_forward(24 * 3600 * 1000)
    await site.page.clock.run_for(1000)
    assert "12/22/2025" in str(await site.field("updated").text_content())


@pytest.mark.parametrize(
    "event",
    [
        "new PageTransitionEvent('pageshow', {persisted: true})",
        "new Event('online')",
    ],
)
async def test_a_page_that_slept_over_midnight_shows_the_day_though_it_is_offline(
    site: Site, event: str
) -> None:
    night = datetime(2025, 12, 22, 23, 0, tzinfo=timezone.utc).timestamp()
    await site.page.clock.install(time=night)
    await site.page.clock.pause_at(night + 1)
    await site.open(TICKER)
    await site.joined("FX:EURUSD_1D")
    await site.send({"type": "beat", "timestamp": int(night * 1000)})
    await site.send({**euro(1), "at": night}, state("live"))
    await expect(site.find("fcs-ticker")).to_have_attribute("data-state", "live")
    site.server.behaviour.welcome = False
    site.peer.abort()
    await expect(site.find("fcs-ticker")).to_have_attribute("data-state", "offline")
    await site.page.clock.run_for(100)
    assert "2025" not in await site.field("updated").inner_text()
    await site.page.clock.set_system_time(night + 12 * 3600)  # and the other clock stands still
    await site.run(f"void dispatchEvent({event})")
    await site.page.clock.run_for(100)
    assert "12/22/2025" in await site.field("updated").inner_text()


# Numbers that are not higher


async def heard_with(site: Site, name: str, *messages: dict[str, Any]) -> list[int]:
    """Send prices and a new state; return the numbers of all prices taken up to there."""
    await site.send(*messages, state(name))
    await expect(site.find("fcs-ticker")).to_have_attribute("data-state", name)
    heard: list[int] = await site.run("heard")
    return heard


async def show_a_price(site: Site) -> None:
    """Open a page whose clock stands still, and show number 5 on it."""
    await site.page.clock.install(time=0)
    await site.page.clock.pause_at(1_000)
    await site.open(TICKER)
    await site.run(HEARD)
    await site.joined("FX:EURUSD_1D")
    assert await heard_with(site, "live", euro(5)) == [5]


async def test_a_price_behind_the_one_shown_is_left_out_after_a_return(site: Site) -> None:
    await site.page.add_init_script("Math.random = () => 0")
    await show_a_price(site)
    lost = site.peer
    lost.abort()
    await expect(site.find("fcs-ticker")).to_have_attribute("data-state", "offline")
    await site.page.clock.run_for(1)
    await eventually(lambda: site.peer is not lost and site.peer.joins == ["FX:EURUSD_1D"])
    assert await heard_with(site, "live", euro(4, c=1.01)) == [5]
    assert await heard_with(site, "stale", euro(6, c=1.09)) == [5, 6]


@pytest.mark.parametrize("seconds", [3, 10])
async def test_numbers_that_have_fallen_are_shown_when_the_price_shown_is_old(
    site: Site, seconds: int
) -> None:
    with override_settings(FCS_OFFLINE_AFTER_SECONDS=seconds):
        await show_a_price(site)
    await site.page.clock.run_for(seconds * 1000 - 1)
    assert await heard_with(site, "closed", euro(2, c=1.01)) == [5]
    await site.page.clock.run_for(1)
    assert await heard_with(site, "live", euro(3, c=1.02)) == [5, 3]
    assert await heard_with(site, "closed", euro(2, c=1.01), euro(4, c=1.09)) == [5, 3, 4]
    await site.page.clock.run_for(100)
    await expect(site.field("close")).to_have_text("1.09000")


async def test_a_clock_that_is_set_does_not_make_the_price_shown_old(site: Site) -> None:
    await show_a_price(site)
    await site.send({"type": "beat", "timestamp": int(3e12)})
    await site.page.clock.set_system_time(1e9)
    assert await heard_with(site, "closed", euro(4, c=1.01)) == [5]


async def test_the_same_number_is_one_price_however_late_it_comes_again(site: Site) -> None:
    await show_a_price(site)
    await site.page.clock.run_for(10_000)
    assert await heard_with(site, "closed", euro(5)) == [5]

"""What fcs-elements.js makes of a page, in a real browser under a strict CSP."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta, timezone

import pytest
from playwright.async_api import expect

from django_fcs import widgets
from django_fcs.prices.states import State
from django_fcs.widgets import formats
from tests.browser.element_page import (
    BTC,
    EURUSD,
    STATUS,
    TICKER,
    Site,
    a_full_ticker,
    euro,
    site,
    state,
)
from tests.browser.scripted_server import price
from tests.support.waiting import eventually
from tests.widgets.test_html import Known, known

__all__ = ["known", "site"]


# Content


async def test_an_empty_element_builds_what_the_server_would_render(
    site: Site, known: Known
) -> None:
    known(None)
    # Only the server knows the last hour, and what instruments are called.
    await site.open(
        f"{widgets.ticker(EURUSD, '60', sparkline=False)}<fcs-ticker></fcs-ticker>"
        f"{widgets.tag(EURUSD, '60')}<fcs-tag></fcs-tag>"
    )
    outlines = """() => [...document.querySelectorAll("fcs-ticker, fcs-tag")].map((widget) =>
      [...widget.querySelectorAll(":not([data-field=name])")].map((node) =>
        [node.localName, { ...node.dataset }, node.title,
          node.textContent.replace(/\\s/g, "").replace("Euro/USdollar", "")]))"""
    for name in ("fcs-ticker", "fcs-tag"):
        await site.run(f"change(document.querySelectorAll('{name}')[1], '{EURUSD}', '60')")
        await expect(site.find(f"{name} {STATUS}").nth(1)).to_have_text("waiting")
    rendered, built, rendered_tag, built_tag = await site.run(outlines)
    assert built == rendered
    assert built_tag == rendered_tag
    names = ["role", "aria-label", "data-state"]
    for index, label in enumerate(["Euro / US dollar", "EUR/USD"]):
        ticker = site.find("fcs-ticker").nth(index)
        values = [await ticker.get_attribute(name) for name in names]
        assert values == ["group", label, "waiting"]


async def test_a_name_stays_as_the_server_wrote_it_until_the_symbol_changes(
    site: Site, known: Known
) -> None:
    known(close=1.08)
    await site.open(widgets.price(EURUSD, field="name"))
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(1), state("live"))
    await expect(site.find("fcs-price")).to_have_attribute("data-state", "live")
    await expect(site.field("name")).to_have_text("Euro / US dollar")
    await site.run("document.querySelector('fcs-price').symbol = 'FX:USDJPY'")
    await expect(site.field("name")).to_have_text("USD/JPY")


async def test_what_the_server_rendered_is_upgraded_in_place(site: Site, known: Known) -> None:
    known(close=1.08, change=-0.001)
    await site.open(widgets.ticker(EURUSD))
    await site.joined("FX:EURUSD_1D")
    await expect(site.field("close")).to_have_text("1.08000")
    await site.run("document.querySelectorAll('fcs-ticker *').forEach((node) => node.mine = true)")
    await site.send(euro(1, update=1766411426), state("live"))
    await expect(site.field("close")).to_have_text("1.08412")
    await expect(site.field("change_percent")).to_have_text("+0.21\N{THIN SPACE}%")
    await expect(site.field("low")).to_have_text("1.08102")
    await expect(site.field("updated")).to_have_attribute("datetime", "2025-12-22T13:50:26Z")
    await expect(site.find("fcs-ticker")).to_have_attribute("data-direction", "up")
    await expect(site.find("fcs-ticker")).to_have_attribute("data-digits", "5")
    assert await site.run(
        "[...document.querySelectorAll('fcs-ticker *')].every((node) => node.mine)"
    )


async def test_a_templates_own_content_is_kept(site: Site) -> None:
    body = f'<fcs-ticker symbol="{EURUSD}"><b data-field="bid"></b> <i>mine</i></fcs-ticker>'
    await site.open(body)
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(1), state("live"))
    await expect(site.find("fcs-ticker")).to_have_text("1.08408 mine")


async def test_a_price_shows_the_field_it_is_asked_for(site: Site) -> None:
    await site.open(f'<p>At <fcs-price symbol="{EURUSD}" field="bid"></fcs-price>.</p>')
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(1), state("live"))
    await expect(site.find("p")).to_have_text("At 1.08408.")
    await site.run("document.querySelector('fcs-price').field = 'ask'")
    await expect(site.find("p")).to_have_text("At 1.08416.")
    assert site.peer.joins == ["FX:EURUSD_1D"]


async def test_what_is_not_known_any_more_is_a_dash(site: Site) -> None:
    await site.open(TICKER)
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(1))
    await expect(site.field("low")).to_have_text("1.08102")
    await site.send(euro(2, l=None))
    await expect(site.field("low")).to_have_text("–")


# Rooms


async def test_all_elements_of_a_page_share_one_socket_and_each_room_is_joined_once(
    site: Site,
) -> None:
    hour = f'<fcs-price symbol="{EURUSD}" timeframe="60"></fcs-price>'
    await site.open(TICKER * 3 + hour)
    await site.joined("FX:EURUSD_1D", "FX:EURUSD_60")
    await site.send(euro(1, timeframe="60", c=1.5), euro(1))
    await expect(site.find("fcs-price [data-field]")).to_have_text("1.50000")
    for index in range(3):
        await expect(site.field("close").nth(index)).to_have_text("1.08412")
    assert site.server.handshakes == 1


async def test_a_late_element_of_a_known_room_has_its_price_at_once(site: Site) -> None:
    await site.open(TICKER)
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(1), state("closed"))
    await expect(site.field("close")).to_have_text("1.08412")
    late = f'<fcs-price symbol="{EURUSD}"></fcs-price>'
    await site.run(f"document.body.insertAdjacentHTML('beforeend', '{late}')")
    await expect(site.find("fcs-price [data-field]")).to_have_text("1.08412")
    await expect(site.find("fcs-price")).to_have_attribute("data-state", "closed")
    assert site.peer.joins == ["FX:EURUSD_1D"]


async def test_a_room_is_left_with_its_last_element(site: Site) -> None:
    await site.open(TICKER * 2)
    await site.joined("FX:EURUSD_1D")
    await site.run("document.querySelector('fcs-ticker').remove()")
    await site.run("new Promise(requestAnimationFrame)")
    assert site.peer.of_type("leave_symbol") == []
    await site.run("document.querySelector('fcs-ticker').remove()")
    await eventually(lambda: site.peer.of_type("leave_symbol"))


async def test_an_element_that_is_moved_stays_in_its_room(site: Site) -> None:
    await site.open(f"{TICKER}<main></main>")
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(1), state("live"))
    await expect(site.field("close")).to_have_text("1.08412")
    await site.run("document.querySelector('main').append(document.querySelector('fcs-ticker'))")
    await site.send(euro(2, c=1.09))
    await expect(site.field("close")).to_have_text("1.09000")
    assert site.peer.joins == ["FX:EURUSD_1D"]
    assert site.peer.of_type("leave_symbol") == []


async def test_a_new_symbol_joins_anew_and_forgets_the_old_price(site: Site) -> None:
    await site.open(TICKER)
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(9, delay=900), state("live"))
    await expect(site.find(STATUS)).to_have_text("15 min delayed")
    await site.run(f"change(document.querySelector('fcs-ticker'), '{BTC}', '60')")
    await site.joined("FX:EURUSD_1D", "BINANCE:BTCUSDT_60")
    await expect(site.field("symbol")).to_have_text("BTC/USDT")
    await expect(site.field("close")).to_have_text("–")
    await expect(site.find('[data-part="period"]')).to_have_text("1h")
    ticker = site.find("fcs-ticker")
    await expect(ticker).to_have_attribute("data-state", "waiting")
    await expect(ticker).to_have_attribute("aria-label", "BTC/USDT")
    assert await ticker.get_attribute("data-delay") is None
    assert await ticker.get_attribute("data-direction") is None
    await site.send({**price(BTC, "60", c=90000.5, digits=1), "seq": 1})
    await expect(site.field("close")).to_have_text("90,000.5")


async def test_the_token_of_the_page_goes_with_the_join(site: Site, known: Known) -> None:
    await site.open(widgets.price(EURUSD))
    await site.joined("FX:EURUSD_1D")
    assert site.peer.of_type("join_symbol")[0]["token"] == widgets.token(EURUSD)


async def test_a_price_never_goes_backward(site: Site) -> None:
    await site.open(TICKER)
    await site.run("""() => {
      globalThis.heard = [];
      document.addEventListener("fcs:price", ({ detail }) => heard.push(detail.seq));
    }""")
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(5), euro(4, c=1.01), euro(5, c=1.02), euro(6, c=1.09))
    await expect(site.field("close")).to_have_text("1.09000")
    assert await site.run("heard") == [5, 6]


# States


@pytest.mark.parametrize(
    ("name", "words"),
    [("waiting", "waiting"), ("live", "live"), ("closed", "closed"), ("offline", "offline")],
)
async def test_the_server_says_what_a_price_may_claim(site: Site, name: str, words: str) -> None:
    await site.open(TICKER)
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(1), state(name))
    await expect(site.find("fcs-ticker")).to_have_attribute("data-state", name)
    await expect(site.find(STATUS)).to_have_text(words)


@pytest.mark.parametrize(
    ("age", "words"),
    [(5.5, "([5-9]|1[0-9]) s old"), (125, "2 min old"), (7300, "2 h old"), (200_000, "2 d old")],
)
async def test_a_stale_price_says_how_old_it_is(site: Site, age: float, words: str) -> None:
    await site.open(TICKER)
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(1, age=age), state("stale"))
    await expect(site.find(STATUS)).to_have_text(re.compile(f"^{words}$"))


async def test_its_age_grows_by_one_timer_that_rests_while_nobody_looks(site: Site) -> None:
    await site.page.add_init_script("""
      globalThis.timers = new Set();
      const { setInterval: set, clearInterval: clear } = globalThis;
      globalThis.setInterval = (...all) => { const id = set(...all); timers.add(id); return id; };
      globalThis.clearInterval = (id) => { timers.delete(id); return clear(id); };
      globalThis.hide = (hidden) => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      };
    """)
    await site.open(TICKER * 2)
    await site.joined("FX:EURUSD_1D")
    others = await site.run("timers.size")  # the client's
    await site.send(euro(1, age=56.5), state("stale"))
    await expect(site.find(STATUS).first).to_have_text(re.compile(r"^5\d s old$"))
    assert await site.run("timers.size") == others + 1
    await expect(site.find(STATUS).last).to_have_text("1 min old")
    assert await site.run("hide(true); timers.size") == others
    assert await site.run("hide(false); timers.size") == others + 1
    await site.send(euro(2), state("live"))
    await expect(site.find(STATUS).first).to_have_text("live")
    assert await site.run("timers.size") == others


async def test_a_delayed_feed_says_by_how_much_and_never_live(site: Site) -> None:
    body = f'{TICKER}<fcs-price symbol="{EURUSD}"></fcs-price>'
    await site.open(body)
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(1, delay=890), state("live"))
    await expect(site.find(f"fcs-ticker {STATUS}")).to_have_text("15 min delayed")
    await expect(site.find("fcs-ticker")).to_have_attribute("data-delay", "890")
    await expect(site.find("fcs-price")).to_have_attribute("title", "EUR/USD, 15 min delayed")


@pytest.mark.parametrize(
    ("language", "days", "words"),
    [
        ("en", 0, "closed · opens 15:30"),
        ("en", 2, "closed · opens Mon 15:30"),
        ("de", 2, re.compile("^closed · opens Mo[.]?, 15:30$")),
        ("en", 6, "closed · opens Fri 15:30"),
        ("en", 7, "closed · opens Nov 29, 15:30"),
    ],
)
async def test_a_closed_market_says_when_it_opens_in_the_visitors_time(
    site: Site, language: str, days: int, words: str | re.Pattern[str]
) -> None:
    """As the visitor's own clock reads: a Saturday at noon in Tokyo."""
    tokyo = timezone(timedelta(hours=9))
    noon = datetime(2025, 11, 22, 12, 0, tzinfo=tokyo).timestamp()
    until = datetime(2025, 11, 22, 15, 30, tzinfo=tokyo).timestamp() + days * 86400
    session = await site.page.context.new_cdp_session(site.page)
    await session.send("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Tokyo"})
    await site.page.add_init_script(f"Date.now = () => {int(noon * 1000)}")
    price = f'<fcs-price symbol="{EURUSD}"></fcs-price>'
    await site.open(f"{TICKER}{price}", html=f'lang="{language}"')
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(1), state("closed", until=int(until)))
    await expect(site.find(f"fcs-ticker {STATUS}")).to_have_text(words)
    told = await site.find(f"fcs-ticker {STATUS}").text_content()  # also before it is laid out
    await expect(site.find("fcs-price")).to_have_attribute("title", f"EUR/USD, {told}")
    await site.send(state("closed"))
    await expect(site.find(f"fcs-ticker {STATUS}")).to_have_text("closed")


async def test_when_a_market_opens_is_in_the_event_too(site: Site) -> None:
    await site.open(TICKER)
    await site.run("""() => {
      globalThis.heard = [];
      document.addEventListener("fcs:state", ({ detail }) => heard.push(detail.until ?? null));
    }""")
    await site.joined("FX:EURUSD_1D")
    await site.send(state("closed", until=2e9), state("closed", until=2e9), state("closed"))
    await expect(site.find(STATUS)).to_have_text("closed")
    assert (await site.run("heard"))[-2:] == [2e9, None]


async def test_until_the_server_speaks_the_page_shows_the_prices_time_and_no_live_dot(
    site: Site, known: Known
) -> None:
    site.server.behaviour.welcome = False
    moment = datetime.now(timezone.utc)
    known(updated=moment, state=State.LIVE)
    await site.open(widgets.ticker(EURUSD))
    await site.run("customElements.whenDefined('fcs-ticker')")
    await expect(site.field("updated")).to_be_visible()
    await expect(site.field("updated")).to_have_attribute("datetime", formats.iso(moment))
    await expect(site.find(STATUS)).to_be_empty()
    dot = f"getComputedStyle(document.querySelector('{STATUS}'), '::before').content"
    assert await site.run(dot) == "none"


async def test_a_price_in_a_sentence_speaks_up_only_when_something_is_wrong(site: Site) -> None:
    await site.open(f'<fcs-price symbol="{EURUSD}"></fcs-price>')
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(1), state("live"))
    await expect(site.find("fcs-price")).to_have_attribute("title", "EUR/USD, live")
    await expect(site.find(STATUS)).to_be_empty()
    await site.send(state("closed"))
    await expect(site.find("fcs-price")).to_have_attribute("title", "EUR/USD, closed")
    await expect(site.find(STATUS)).to_have_text("closed")


# Events and writes


async def test_prices_and_states_are_events_that_bubble(site: Site) -> None:
    await site.open(TICKER)
    await site.run("""() => {
      globalThis.heard = [];
      for (const type of ["fcs:price", "fcs:state"]) {
        document.addEventListener(type, ({ target, detail }) =>
          heard.push([type, target.localName, detail]));
      }
    }""")
    await site.joined("FX:EURUSD_1D")
    message = euro(1)
    await site.send(message, {**state("offline"), "reason": "no key"})
    detail = {"symbol": EURUSD, "timeframe": "1D", "state": "offline", "reason": "no key"}
    expected = [["fcs:price", "fcs-ticker", message], ["fcs:state", "fcs-ticker", detail]]

    async def both_came() -> bool:
        return bool((await site.run("heard"))[-2:] == expected)

    await eventually(both_came)


async def test_a_frame_writes_once_and_only_what_changed(site: Site) -> None:
    await site.open(a_full_ticker(EURUSD))
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(1), state("live"))
    await expect(site.find("fcs-ticker")).to_have_attribute("data-state", "live")
    await site.run("""() => {
      globalThis.writes = [];
      new MutationObserver((all) => all.forEach(({ type, target, addedNodes }) => {
        if (type === "characterData") writes.push(target.parentElement.dataset.field);
        else if (addedNodes.length) writes.push(target.dataset.field);
      })).observe(document.body, { subtree: true, childList: true, characterData: true });
    }""")
    at = time.time()
    ticks = [{**euro(seq, b=1.08 + seq / 100_000), "at": at} for seq in range(2, 40)]
    await site.send(*ticks)
    await expect(site.field("low")).to_have_text("1.08102")
    await site.send({**euro(50, h=1.3, b=1.07), "at": at})
    await expect(site.field("high")).to_have_text("1.30000")
    writes = await site.run("writes")
    assert set(writes) <= {"high", "spread", "updated"}
    assert 1 <= writes.count("spread") <= 2

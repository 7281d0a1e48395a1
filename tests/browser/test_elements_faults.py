"""Faults: what one element cannot show stops no other; scripts in a wrong place say so."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest
from playwright.async_api import expect

from django_fcs import widgets
from django_fcs.prices.states import State
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
from tests.browser.scripted_server import price, static_files
from tests.widgets.test_html import Known, known

__all__ = ["known", "site"]

COIN = f'<fcs-ticker symbol="{BTC}"></fcs-ticker>'


def coin(seq: int, **prices: Any) -> dict[str, Any]:
    return {**price(BTC, **{"c": 90000.5, "digits": 1, **prices}), "seq": seq}


async def open_both(site: Site) -> None:
    await site.open(TICKER + COIN)
    await site.joined("FX:EURUSD_1D", "BINANCE:BTCUSDT_1D")


NUMBERS = [9e12, 1766361600123, 1e300, -1e300, -1, 0, 5e-324, 8.64e15, 253_402_300_799]


@pytest.mark.parametrize("number", NUMBERS)
async def test_any_number_anywhere_leaves_all_elements_at_work(site: Site, number: float) -> None:
    await open_both(site)
    fields = ("t", "o", "h", "l", "c", "v", "a", "b", "update", "ch", "chp", "delay", "digits")
    changes: dict[str, Any] = dict.fromkeys(fields, number)
    await site.send(euro(1), state("live"), coin(1), state("live", BTC))
    await site.send({**euro(2, **changes), "at": number})
    await site.send(state("closed", until=number), coin(2, c=90001.5))
    await expect(site.field("close").last).to_have_text("90,001.5")
    await expect(site.find("fcs-ticker").first).to_have_attribute("data-state", "closed")
    await expect(site.find(STATUS).first).to_have_text("closed")
    await site.send(state("stale"), euro(3, c=1.5))
    await expect(site.field("close").first).to_have_text("1.50000")
    await expect(site.find(STATUS).first).to_contain_text("old")


async def test_what_is_no_number_is_a_dash(site: Site) -> None:
    await open_both(site)
    for seq, text in enumerate(["1e999", "-1e999", '"1.5"', "[]", "{}", "null", "true"]):
        await site.send(euro(2 * seq + 1))
        await expect(site.field("close").first, text).to_have_text("1.08412")
        message = json.dumps([euro(2 * seq + 2, c=0.125)]).replace("0.125", text)
        await site.peer.send_text(message)
        await site.send(coin(seq + 1, c=90000.5 + seq))
        await expect(site.field("close").last, text).to_have_text(f"90,00{seq}.5")
        await expect(site.field("close").first, text).to_have_text("–")
        await expect(site.field("low").first, text).to_have_text("1.08102")


async def test_a_time_that_no_clock_can_show_is_the_arrival_of_the_price(site: Site) -> None:
    await site.open(TICKER)
    await site.joined("FX:EURUSD_1D")
    arrival = datetime(2026, 1, 5, 9, 30, tzinfo=timezone.utc).timestamp()
    await site.send({**euro(1, update=1766361600123), "at": arrival})
    await expect(site.field("updated")).to_have_attribute("datetime", "2026-01-05T09:30:00Z")


async def test_an_element_that_fails_shows_what_it_can_and_is_logged_once(site: Site) -> None:
    await open_both(site)
    await site.run("""Object.defineProperty(document.querySelector("[data-field=high]"), "dataset",
      { get() { throw new Error("no dataset"); } })""")
    await site.send(euro(1), state("live"), coin(1), state("live", BTC))
    await expect(site.field("close").last).to_have_text("90,000.5")
    await expect(site.field("close").first).to_have_text("1.08412")
    await expect(site.field("low").first).to_have_text("1.08102")
    await expect(site.field("high").first).to_have_text("–")
    for index in range(2):
        await expect(site.find(STATUS).nth(index)).to_have_text("live")
    await site.send(euro(2, c=1.25), coin(2, c=80000.0), state("stale"))
    await expect(site.field("close").first).to_have_text("1.25000")
    await expect(site.find("fcs-ticker").first).to_have_attribute("data-state", "stale")
    problem, *others = site.problems
    assert problem.startswith("fcs-ticker FX:EURUSD failed: Error: no dataset")
    assert others == []
    site.problems.clear()


async def test_an_element_that_cannot_begin_does_not_stay_live(site: Site, known: Known) -> None:
    known(state=State.LIVE)
    await site.page.add_init_script(
        "Element.prototype.closest = () => { throw new Error('no closest'); }"
    )
    await site.open(widgets.ticker(EURUSD))
    await site.joined("FX:EURUSD_1D")
    await site.send(state("offline"))
    await expect(site.find("fcs-ticker")).to_have_attribute("data-state", "offline")
    assert len(site.problems) == 1
    site.problems.clear()


@pytest.mark.parametrize("frame", [{"type": "price"}, {"type": "price", "prices": None}])
async def test_a_price_without_prices_is_left_out(site: Site, frame: dict[str, Any]) -> None:
    await site.open(TICKER)
    await site.joined("FX:EURUSD_1D")
    await site.send({**frame, "symbol": EURUSD, "timeframe": "1D"}, euro(1))
    await expect(site.field("close")).to_have_text("1.08412")


# Days


async def test_a_page_of_yesterday_that_is_opened_offline_shows_the_day(
    site: Site, known: Known
) -> None:
    """The server has rendered the time alone, because it was a time of that day."""
    site.server.behaviour.welcome = False
    moment = datetime(2025, 12, 22, 13, 50, 26, tzinfo=timezone.utc)
    known(updated=moment, state=State.LIVE)
    ticker = widgets.ticker(EURUSD).replace(">12/22/2025 ", ">")
    await site.open(ticker)
    await expect(site.field("updated")).to_contain_text("12/22/2025")


# Scripts


def tags(*scripts: str) -> str:
    return "<!doctype html>" + "".join(scripts) + f"<body>{TICKER}</body>"


CLIENT = '<script defer src="/static/django_fcs/fcs-client.js" data-fcs-socket="/ws/fcs/"></script>'
ELEMENTS = '<script defer src="/static/django_fcs/fcs-elements.js"></script>'


@pytest.mark.parametrize(
    ("scripts", "words"),
    [
        ([ELEMENTS, CLIENT], ["fcs-elements.js: load fcs-client.js first"]),
        ([ELEMENTS], ["fcs-elements.js: load fcs-client.js first"]),
        (
            [CLIENT, ELEMENTS, CLIENT, ELEMENTS],
            ["fcs-client.js: loaded twice", "fcs-elements.js: loaded twice"],
        ),
        (
            ['<script type="module" src="/bundle.js"></script>'],
            ["fcs-client.js: loaded without data-fcs-socket"],
        ),
        (
            ['<script defer src="/bundle.js"></script>'],
            ["fcs-client.js: loaded without data-fcs-socket"],
        ),
        (
            ['<script src="/vendor.js"></script>', CLIENT, ELEMENTS],
            ["fcs-client.js: another script has set FCSClient", "fcs-elements.js: load fcs-client"],
        ),
        ([CLIENT, ELEMENTS], []),
        (
            ['<script type="module" src="/bundle.js" data-fcs-socket="/"></script>'],
            [],
        ),
    ],
)
async def test_scripts_in_a_wrong_place_say_so_in_one_sentence(
    site: Site, scripts: list[str], words: list[str]
) -> None:
    bundle = "".join(file.read_text() for file in static_files("fcs.js", minified=False))
    site.server.pages |= {
        "/": tags(*scripts),
        "/bundle.js": bundle,
        "/vendor.js": "globalThis.FCSClient = class {};",
    }
    await site.page.goto(site.server.url)
    await site.page.wait_for_load_state("load")
    problems, site.problems = site.problems, []
    assert len(problems) == len(words), problems
    for problem, start in zip(problems, words, strict=True):
        assert problem.startswith(start), problem
        assert problem.count(". ") == 0


async def test_a_module_takes_its_settings_from_a_script_tag_of_the_page(site: Site) -> None:
    site.server.pages["/"] = tags(
        CLIENT.replace("fcs-client", "other").replace("/ws/fcs/", "/own/")
    )
    site.server.pages["/static/django_fcs/other.js"] = ""
    await site.page.goto(site.server.url)
    await site.run("import('/static/django_fcs/fcs-client.js')")
    await site.run("new FCSClient().connect()")
    assert site.peer.path == "/own/"


THINGS = ['{"toString":1,"valueOf":1}', '["FX:EURUSD"]', "[[1]]", "[" * 5000 + "]" * 5000]
WORDS = ("type", "symbol", "timeframe", "room", "short", "message", "state", "reason", "until")


def with_thing(seq: int, name: str) -> dict[str, Any]:
    changes: dict[str, Any] = {name: "THING"}
    return euro(seq, **changes)


@pytest.mark.parametrize("thing", THINGS)
async def test_an_object_in_the_place_of_a_word_or_number_leaves_all_elements_at_work(
    site: Site, thing: str
) -> None:
    await open_both(site)
    frames = [json.dumps([{**state("stale"), word: "THING"}]) for word in WORDS]
    frames += [json.dumps([{"type": "error", "short": "x", "message": "THING"}])]
    frames += [json.dumps([{"type": kind, "timestamp": "THING"}]) for kind in ("beat", "welcome")]
    numbers = ("o", "a", "ch", "chp", "v", "digits", "delay", "update", "mode")
    frames += [json.dumps([with_thing(seq, name)]) for seq, name in enumerate(numbers)]
    frames += [json.dumps([{**euro(20), name: "THING"}]) for name in ("seq", "at", "prices")]
    for frame in frames:
        await site.peer.send_text(frame.replace('"THING"', thing))
    await site.send(euro(30, c=1.5), state("live"), coin(1))
    await expect(site.field("close").last).to_have_text("90,000.5")
    await expect(site.field("close").first).to_have_text("1.50000")
    await expect(site.find(STATUS).first).to_have_text("live")


async def test_a_state_that_nobody_knows_is_ignored(site: Site) -> None:
    await open_both(site)
    await site.send(euro(1), state("live"))
    names: list[Any] = ["", "LIVE", "constructor", "__proto__", "toString", 5, None]
    for seq, name in enumerate(names):
        await site.send(state(name), coin(seq + 1, c=90000.5 + seq))
        await expect(site.field("close").last, repr(name)).to_have_text(f"90,00{seq}.5")
        first = site.find("fcs-ticker").first
        await expect(first, repr(name)).to_have_attribute("data-state", "live")
        await expect(site.find(STATUS).first, repr(name)).to_have_text("live")


@pytest.mark.parametrize("side", ["null", '"1.1"', "[]"])
async def test_a_spread_needs_two_numbers(site: Site, side: str) -> None:
    await site.open(a_full_ticker(EURUSD))
    await site.joined("FX:EURUSD_1D")
    frame = json.dumps([euro(1, a="SIDE")]).replace('"SIDE"', side)
    await site.peer.send_text(frame)
    await expect(site.field("close").first).to_have_text("1.08412")
    await expect(site.field("spread").first).to_have_text("–")

"""The small line beside a price, which a module continues on pages that have one."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import expect

from django_fcs import widgets
from django_fcs.widgets.sparkline import sparkline
from tests.browser.element_page import EURUSD, Site, euro, site, state

__all__ = ["site"]

MODULE = "/static/django_fcs/fcs-sparkline.js"
LINE = "[data-part=sparkline]"


def svg(recent: list[float | None], last: float | None, minute: int) -> str:
    drawn = sparkline(recent, last, minute)
    return (
        f'<svg data-part="sparkline" viewBox="0 0 72 20" data-recent="{drawn.recent}"'
        f' data-minute="{drawn.minute}"><path data-part="base" d="{drawn.base}"/>'
        f'<path data-part="line" d="{drawn.line}"/></svg>'
    )


def ticker(line: str) -> str:
    content = f'<b data-field="close">–</b> {line}'
    return f'<fcs-ticker symbol="{EURUSD}">{content}</fcs-ticker>'


async def open_with(site: Site, line: str) -> None:
    """Open a page, and wait for the module."""
    await site.open(ticker(line), scripts=widgets.scripts().replace(".min.", "."))
    await site.joined("FX:EURUSD_1D")
    await site.run(f"import('{MODULE}').then(() => null)")


async def send(site: Site, seq: int, close: float, at: float) -> None:
    await site.send({**euro(seq, c=close), "at": at}, state("live"))


async def drawn(site: Site, part: str, attribute: str = "d") -> Any:
    return await site.find(f"[data-part={part}]").get_attribute(attribute)


async def test_a_price_moves_the_end_of_the_line_and_a_new_minute_the_line(site: Site) -> None:
    now = 29_438_651
    recent: list[float | None] = [*[None] * 57, 1.0, None, 2.0]
    await open_with(site, svg(recent, 1.0, now))
    await send(site, 1, 4.0, now * 60 + 5)
    expected = sparkline(recent, 4.0, now)
    await expect(site.find("[data-part=line]")).to_have_attribute("d", expected.line)
    assert await drawn(site, "base") == expected.base
    assert [await drawn(site, "last", name) for name in ("cx", "cy", "r")] == [
        *(expected.x, expected.y, "1.75"),
    ]

    await send(site, 2, 5.0, (now + 2) * 60 + 1)
    expected = sparkline([*recent[2:], 4.0, None], 5.0, now + 2)
    await expect(site.find("[data-part=line]")).to_have_attribute("d", expected.line)
    assert await drawn(site, "sparkline", "data-minute") == str(now + 2)
    assert len(expected.recent.split()) == 60
    text = await drawn(site, "sparkline", "data-recent")
    assert text.split() == [one.removesuffix(".0") for one in expected.recent.split()]


async def test_an_hour_without_prices_empties_the_line(site: Site) -> None:
    now = 29_438_651
    await open_with(site, svg([1.0] * 60, 1.0, now))
    await send(site, 1, 2.0, now * 60)
    await send(site, 2, 4.0, (now + 61) * 60)
    await expect(site.find("[data-part=line]")).to_have_attribute("d", "M68 10h0")
    await send(site, 3, 4.0, (now - 1000) * 60)  # a clock was set back
    await send(site, 4, 5.0, (now - 999) * 60)
    await expect(site.find("[data-part=line]")).to_have_attribute("d", "M66.9 17L68 3")


async def test_another_symbol_begins_its_own_line(site: Site) -> None:
    now = int(time.time() // 60)
    await open_with(site, svg([1.0] * 60, 1.0, now))
    await send(site, 1, 1.0, now * 60)
    await expect(site.find("[data-part=last]")).to_have_attribute("cy", "10")
    await site.run("change(document.querySelector('fcs-ticker'), 'BINANCE:BTCUSDT', '1D')")
    await expect(site.find("[data-part=line]")).to_have_attribute("d", "")

    await site.send(
        {**euro(2, c=9.0), "symbol": "BINANCE:BTCUSDT", "at": now * 60.0},
    )
    await expect(site.find("[data-part=line]")).to_have_attribute("d", "M68 10h0")


async def test_a_line_that_the_page_draws_again_counts(site: Site) -> None:
    now = 29_438_651
    await open_with(site, svg([1.0] * 60, 1.0, now))
    await send(site, 1, 1.0, now * 60)
    await expect(site.find("[data-part=last]")).to_have_attribute("cy", "10")
    fresh: list[float | None] = [*[None] * 59, 3.0]
    data = sparkline(fresh, None, now + 7)
    await site.run(
        f"Object.assign(document.querySelector('{LINE}').dataset,"
        f" {{ recent: '{data.recent}', minute: {data.minute} }})"
    )
    await send(site, 2, 4.0, (now + 7) * 60)
    expected = sparkline(fresh, 4.0, now + 7)
    await expect(site.find("[data-part=line]")).to_have_attribute("d", expected.line)


DICE = random.Random(20251222)


def numbers() -> list[float | None]:
    base = 10 ** DICE.uniform(-9, 15)
    size = DICE.choice([0.0, 1e-12, 1e-3, 1.0, 1e6])
    some = DICE.choice([0.0, 0.1, 0.6, 1.0])
    return [
        None if DICE.random() < some else base * (1 + size * DICE.uniform(-1, 1)) for _ in range(61)
    ]


async def test_the_module_draws_what_the_server_draws(site: Site) -> None:
    await site.open("", scripts=widgets.scripts())
    odd: list[list[float | None]] = [
        [*[5e-324, 0.0] * 30, 1e20],
        [*[-1e20, 1e20] * 30, 1e21],
        [None] * 61,
        [1.0] * 61,
    ]
    inputs = odd + [numbers() for _ in range(300)]

    found = await site.page.evaluate(
        f"async (inputs) => {{ const {{ draw }} = await import('{MODULE}');"
        " return inputs.map((all) => draw(all.slice(0, 60), all[60])); }",
        inputs,
    )

    for prices, one in zip(inputs, found, strict=True):
        expected = sparkline(prices[:60], prices[60], 0)
        end = [f"{one['end'][name]:g}" if one["end"] else "" for name in ("x", "y")]
        assert [one["line"], one["base"], *end] == list(expected[:4])


# Loading


def requested(site: Site) -> list[str]:
    names: list[str] = []
    site.page.on("request", lambda request: names.append(request.url.rpartition("/")[2]))
    return names


POLICIES = {
    "nonce": "default-src 'self'; script-src 'nonce-abc' 'strict-dynamic'; base-uri 'none'",
    "trusted types": "default-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'",
    "both": "default-src 'self'; script-src 'nonce-abc' 'strict-dynamic'; object-src 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'",
}


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
async def test_the_module_loads_under_strict_policies_once_a_line_is_there(
    site: Site, policy: str
) -> None:
    names = requested(site)
    site.server.headers["Content-Security-Policy"] = policy
    scripts = widgets.scripts(nonce="abc").replace(".min.", ".")
    now = time.time()  # of all prices: a minute may end during the test
    await site.open(ticker(""), scripts=scripts)
    await send_and_see(site, 1, now)
    assert "fcs-sparkline.js" not in names

    await site.page.evaluate(
        """([recent, minute]) => {
          const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
          Object.assign(svg.dataset, { part: "sparkline", recent, minute });
          const place = document.createElement("p");
          place.append(svg);
          document.querySelector("fcs-ticker").append(place);
        }""",
        ["1 2", int(now // 60)],
    )
    async with site.page.expect_response(lambda response: MODULE in response.url):
        await site.run(f"document.querySelector('{LINE}').append('')")
    await site.run(f"import('{MODULE}').then(() => null)")
    await send_and_see(site, 2, now)

    await expect(site.find("[data-part=line]")).to_have_attribute("d", "M65.8 17L66.9 3L68 3")
    assert names.count("fcs-sparkline.js") == 1


async def send_and_see(site: Site, seq: int, at: float) -> None:
    await site.joined("FX:EURUSD_1D")
    await send(site, seq, 1.5 if seq == 1 else 2.0, at)
    await expect(site.field("close")).to_have_text("1.50000" if seq == 1 else "2.00000")


async def test_a_module_that_is_missing_leaves_the_line_of_the_server(site: Site) -> None:
    line = svg([1.0] * 60, 1.0, 29_438_651)
    scripts = widgets.scripts().replace(".min.", ".").replace("fcs-sparkline", "nothing")
    await site.open(ticker(line), scripts=scripts)
    await send_and_see(site, 1, time.time())

    assert await drawn(site, "line") == sparkline([1.0] * 60, 1.0, 0).line
    await site.page.wait_for_load_state("networkidle")
    assert [problem for problem in site.problems if "nothing.js" not in problem] == [
        "Failed to load resource: the server responded with a status of 404 (Not Found)"
    ]
    site.problems.clear()


def row(line: str) -> str:
    cells = f'<td data-field="close">–</td><td>{line}</td>'
    table = f'<table><tbody><tr data-symbol="{EURUSD}">{cells}</tr></tbody></table>'
    return f"<fcs-table>{table}</fcs-table>"


@pytest.mark.parametrize("widget", [ticker, row])
async def test_a_line_out_of_view_is_drawn_when_it_is_printed_or_comes_into_view(
    site: Site, widget: Callable[[str], str]
) -> None:
    now = 29_438_651
    html = widget(svg([1.0] * 60, 1.0, now))
    space = '<div id="space"></div>'
    await site.open(f'{html}{space}<div id="below">{html}</div>', style="#space { height: 5000px }")
    await site.joined("FX:EURUSD_1D")
    await site.run(f"import('{MODULE.replace('.js', '.min.js')}').then(() => null)")
    before = await site.find("#below [data-part=line]").get_attribute("d")
    await send(site, 1, 2.0, now * 60)
    first, last = site.find("[data-part=line]").first, site.find("[data-part=line]").last
    await expect(first).not_to_have_attribute("d", before or "")
    assert await last.get_attribute("d") == before

    await site.run("dispatchEvent(new Event('beforeprint'))")
    assert await last.get_attribute("d") == await first.get_attribute("d")
    printed = await last.get_attribute("d") or ""
    await send(site, 2, 0.5, now * 60)
    await last.scroll_into_view_if_needed()
    await expect(last).not_to_have_attribute("d", printed)

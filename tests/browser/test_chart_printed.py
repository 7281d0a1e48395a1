"""The chart as it stands in a page without any script: its rows, its widths, its themes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe

from django_fcs import widgets
from django_fcs.prices.states import State
from tests.browser.element_page import Site, site
from tests.widgets.test_chart import EUR, Kept, kept
from tests.widgets.test_html import Known, known

__all__ = ["kept", "known", "site"]

STYLES = "".join(re.findall(r"<link[^>]*>", widgets.scripts()))
#: The heights of the rows of each chart, and how far its drawing is from the end of its plot.
ROWS = """() => [...document.querySelectorAll("fcs-chart")].map((chart) => {
  const height = (name) => chart.querySelector(`[data-part=${name}]`).offsetHeight;
  const edge = (query) => chart.querySelector(query).getBoundingClientRect().right;
  return [...["head", "tools", "readout", "plot", "foot"].map(height),
    edge("svg") - edge("[data-part=plot]")];
})"""
#: The figures of which a part is out of sight.
CUT = """() => [...document.querySelectorAll("[data-part=readout], [data-part=quote]")]
  .flatMap((row) => [...row.querySelectorAll("dd, [data-field=close], [data-part=change]")]
    .filter((figure) => {
      const [box, whole] = [figure, row].map((one) => one.getBoundingClientRect());
      const isIn = box.top < whole.bottom - 1;
      return isIn && (box.right > whole.right + 1 || box.left < whole.left - 1);
    }).map(({ textContent }) => textContent))"""


def charts(known: Known, kept: Kept) -> str:
    """Return the HTML of charts in the states that a server can print."""
    made = []
    for state in (State.LIVE, State.STALE, State.CLOSED, State.OFFLINE):
        known(state=state)
        made.append(widgets.chart(EUR, "5"))
    kept(12, note="history is paused until tomorrow: the credits of the month are spent")
    made.append(widgets.chart(EUR, "5", type="bars"))
    kept(40, base=1_424_310_000.0, digits=0)
    known(close=1_424_310_000.0, change=-11_240_000.0, digits=0, previous_close=1.43555e9)
    made.append(widgets.chart(EUR, "5", type="area"))
    known(None)
    kept(0)
    return "".join([*made, widgets.chart(EUR, "5")])


@pytest.mark.parametrize("width", [320, 760])
@pytest.mark.parametrize("html", ['lang="en"', 'lang="ar" dir="rtl" data-theme="dark"'])
async def test_every_state_has_the_same_rows_and_no_figure_is_cut(
    site: Site, known: Known, kept: Kept, width: int, html: str
) -> None:
    await site.page.set_viewport_size({"width": width, "height": 900})
    dark = 'html { color-scheme: light dark } [data-theme="dark"] { color-scheme: dark }'
    style = f"{dark} body {{ margin: 0; font: 13px/20px sans-serif; background: Canvas }}"
    body = f"<title>Charts</title><main><h1>Charts</h1>{charts(known, kept)}</main>"
    await site.open(body, html=html, style=style, scripts=STYLES)

    rows = await site.run(ROWS)
    assert len(rows) == 7 and all(row == rows[0] for row in rows)
    assert rows[0][3:] == [320, rows[0][4], 0]
    assert await site.run(CUT) == []
    assert await site.run("document.documentElement.scrollWidth") == width
    found: dict[str, Any] = (await Axe().run(site.page)).response
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found["violations"]] == []

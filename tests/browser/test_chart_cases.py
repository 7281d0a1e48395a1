"""The script of the chart draws the bars of the shared cases as the server does."""

from __future__ import annotations

import json
from pathlib import Path

from django_fcs import widgets
from tests.browser.element_page import Site, site

__all__ = ["site"]

CASES = json.loads((Path(__file__).parents[1] / "charts" / "cases.json").read_text())
MODULE = "/static/django_fcs/fcs-chart-plot.js"


async def test_the_script_draws_what_the_server_draws(site: Site) -> None:
    await site.open("", scripts=widgets.scripts())

    found = await site.page.evaluate(
        f"async (cases) => {{ const {{ draw }} = await import('{MODULE}');"
        " return cases.map(({ bars, options }) => draw(bars, options)); }",
        CASES,
    )

    for case, paths in zip(CASES, found, strict=True):
        seen = {kind: path for kind, path in paths.items() if path}
        assert seen == case["paths"], case["name"]

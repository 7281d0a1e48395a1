"""The family beside Bootstrap and Tailwind: neither changes what the other one draws."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.element_page import Site, site
from tests.browser.test_colours import DARK
from tests.browser.test_frameworks import Family, family, page_with
from tests.browser.test_look import CONTRAST
from tests.widgets.test_converter import market

__all__ = ["market", "page_with", "site"]

#: What a page decides for its widgets, so that the stylesheets alone make a difference.
PAGE = """body.page { margin: 0; font: 16px/1.5 sans-serif; color: #16181d; background: #fff }
body.dark { color: #dee2e6; background: #212529 }"""
#: Components of Bootstrap, some with Tailwind's classes.
COMPONENTS = """<aside><h2>Title <small class="badge bg-secondary">New</small></h2>
<button class="btn btn-primary bg-blue-600 px-4 rounded text-white">Button</button>
<div class="card border"><div class="card-body"><p class="card-text">Text <a href="#">link</a></p>
<svg width="20" height="20"><path d="M0 0h9"></path></svg></div></div>
<table class="table table-striped w-full divide-y"><thead><tr><th>Head</th></tr></thead>
<tbody><tr><td>1</td></tr><tr hidden><td>2</td></tr></tbody></table>
<div class="alert alert-danger" role="alert">Alert</div>
<input class="form-control border" value="1">
<select class="form-select"><option>1</option></select>
<ul class="list-group"><li class="list-group-item">Item</li></ul></aside>"""
#: Puts the stylesheet of a framework before all others, or after them.
PUT = """([address, place]) => new Promise((done) => {
  document.querySelector("#framework")?.remove();
  const link = document.createElement("link");
  Object.assign(link, { id: "framework", rel: "stylesheet", href: address, onload: done });
  document.head[place](link);
}).then(() => null)"""
#: The look of each node of the widgets: its box, which moves in a tape, and what its text needs.
LOOK = """() => [...document.querySelectorAll("main *")].map((node) => {
  const { x, y, width, height } = node.getBoundingClientRect();
  const isMoving = node.closest("[data-part=item]");
  const hasText = [...node.childNodes].some((one) => one.data?.trim());
  const style = getComputedStyle(node);
  const names = ["backgroundColor", "borderWidth", "listStyleType", ...(hasText
    ? ["color", "fontSize", "fontWeight", "fontVariantNumeric", "textDecorationLine"] : [])];
  return [
    `${node.parentNode.localName} ${node.localName} ${node.dataset.part ?? node.dataset.field}`,
    (isMoving ? [width, height] : [x, y, width, height]).map(Math.round),
    node.checkVisibility() ? names.map((name) => style[name]) : [],
  ];
})"""
COMPUTED = """(isOn) => {
  document.querySelector('link[href*="/fcs."]').disabled = !isOn;
  return [...document.querySelectorAll("aside *")].flatMap((node) =>
    ["", "::before", "::after"].map((pseudo) => {
      const style = getComputedStyle(node, pseudo);
      return [...style].map((name) => style.getPropertyValue(name)).join();
    }));
}"""


def differences(one: list[Any], other: list[Any]) -> list[Any]:
    """Nodes that look different, or stand more than a pixel elsewhere."""
    assert len(one) == len(other)
    return [
        (mine, theirs)
        for mine, theirs in zip(one, other, strict=True)
        if mine[2] != theirs[2]
        or any(abs(a - b) > 1 for a, b in zip(mine[1], theirs[1], strict=True))
    ]


async def put(site: Site, name: str, place: str) -> None:
    await site.page.evaluate(PUT, [f"/{name}.css", place])
    await site.run("new Promise(requestAnimationFrame)")


@pytest.mark.parametrize("name", ["bootstrap", "tailwind"])
async def test_a_framework_and_the_family_change_nothing_of_each_other(
    page_with: Family, name: str
) -> None:
    site = page_with.site
    # Bootstrap has its icons in the stylesheet.
    site.server.headers["Content-Security-Policy"] = "default-src 'self'; img-src 'self' data:"
    await page_with.open(f"<main>{family(href='#')}</main>{COMPONENTS}", style=PAGE)
    await site.run("void (document.body.className = 'page')")
    await site.find("[data-part=pause]").click()
    # Under the pointer, and while it changes, a button of a framework looks different.
    await site.page.mouse.move(0, 0)
    await site.page.emulate_media(reduced_motion="reduce")
    await expect(site.find("[data-side=down] [data-symbol]")).to_have_count(1)
    for width in (1280, 360):
        await site.page.set_viewport_size({"width": width, "height": 1500})
        await site.run("document.querySelector('#framework')?.remove()")
        await site.run("new Promise(requestAnimationFrame)")
        alone = await site.run(LOOK)
        for place in ("prepend", "append"):
            await put(site, name, place)
            assert differences(alone, await site.run(LOOK)) == []
            assert await site.run("document.documentElement.scrollWidth") == width
            without = await site.page.evaluate(COMPUTED, False)
            assert await site.page.evaluate(COMPUTED, True) == without
    assert await site.page.evaluate(CONTRAST, "#fff") >= 4.5

    await site.run("void (document.body.className = 'page dark')")
    await site.run("void (document.documentElement.dataset.bsTheme = 'dark')")
    await site.run("void (document.documentElement.className = 'scheme-dark')")
    await expect(site.find("fcs-ticker [data-field=change]")).to_have_css("color", DARK)
    assert await site.page.evaluate(CONTRAST, "#212529") >= 4.5

"""The matrix of all looks sees what a page does wrong."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from lab.looks.cases import CHARTS, Case
from lab.looks.findings import findings
from lab.looks.visit import visit
from tests.browser.scripted_server import ScriptedServer

BAD_PAGE = """<!doctype html><html lang="en"><title>Bad</title>
<meta http-equiv="Content-Security-Policy"
  content="script-src 'self'; require-trusted-types-for 'script'">
<p id="pusher"></p><p id="pushed">A paragraph</p><div id="wide">A wide one</div><img src="/none">
<img src="http://elsewhere.invalid/one.png" alt="">
<script src="/bad.js"></script>"""
BAD_SCRIPT = """
const style = new CSSStyleSheet();
style.replaceSync("#wide { width: 700px } .open { height: 200px }");
document.adoptedStyleSheets = [style];
requestAnimationFrame(() => setTimeout(() => {
  document.querySelector("#pusher").className = "open";
  try { document.querySelector("#pusher").innerHTML = "<b>no</b>"; } catch { }
  console.warn("a warning");
  throw new Error("an error");
}, 300));"""


@pytest.mark.timeout(60)
async def test_a_page_that_does_everything_wrong_is_told_so(
    browser: Browser, server: ScriptedServer
) -> None:
    server.pages |= {"/": BAD_PAGE, "/bad.js": BAD_SCRIPT}

    seen = await visit(browser, server.url.rstrip("/"), Case("/", 320, "en", "light"))

    assert seen.shift > 0.01
    assert "p#pushed" in " ".join(seen.texts["shift"])
    assert seen.texts["overflow"][0].startswith("page of ")
    assert "div#wide" in seen.texts["overflow"][1]
    assert any(text.startswith("require-trusted-types-for") for text in seen.texts["policy"])
    assert "a warning" in seen.texts["console"]
    assert seen.texts["error"] == ["an error"]
    assert seen.texts["foreign"] == ["http://elsewhere.invalid/one.png"]
    assert any(text.startswith("image-alt: ") for text in seen.texts["axe"])


async def test_a_page_that_cannot_be_opened_is_a_finding(browser: Browser) -> None:
    seen = await visit(browser, "http://127.0.0.1:9", Case("/", 320, "en", "light"))

    assert "ERR_" in seen.texts["failed"][0]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "case",
    [
        Case(CHARTS, 320, "en", "dark", "colour-blind"),
        Case(CHARTS, 1280, "ar", "light", "red-up"),
    ],
    ids=lambda case: case.place,
)
async def test_charts_in_all_states_do_nothing_wrong(browser: Browser, case: Case) -> None:
    seen = await visit(browser, "http://127.0.0.1", case)

    assert findings(seen) == []

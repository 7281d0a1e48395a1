"""One case in a browser: the page is loaded, receives prices, and is scrolled through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Error as BrowserError, Page

from .cases import CHARTS, Case
from .charts.site import serve
from .charts.states import MOMENT
from .findings import Seen

__all__ = ["visit"]

#: How long a page receives prices before it is scrolled, and again after it, in milliseconds.
PRICES_MS = 2000
SETTLED_MS = 300
HEIGHT = 800

_OBSERVE = Path(__file__).with_name("observe.js")


async def visit(browser: Browser, site: str, case: Case) -> Seen:
    """Return what the browser sees; a case that cannot be examined is a finding, too."""
    context = await browser.new_context(
        viewport={"width": case.width, "height": HEIGHT},
        color_scheme=case.system,  # type: ignore[arg-type]  # a literal
        has_touch=case.has_touch,
        forced_colors="active" if case.mode == "forced" else None,
    )
    try:
        return await _visit(context, site, case)
    except BrowserError as error:
        return Seen(case, 0.0, {"failed": [error.message.partition("\n")[0]]})
    finally:
        await context.close()


async def _visit(context: BrowserContext, site: str, case: Case) -> Seen:
    looks = {"language": case.language, "theme": case.theme, "palette": case.palette}
    await context.add_cookies([{"name": it, "value": looks[it], "url": site} for it in looks])
    if case.page == CHARTS:
        await serve(context, looks, has_scripts=case.mode != "plain")
        await context.clock.set_fixed_time(MOMENT)
    await context.add_init_script(path=_OBSERVE)
    page = await context.new_page()
    if case.mode == "print":
        await page.emulate_media(media="print")
    texts = _listen(page, site)
    await page.goto(site + case.page)
    await page.wait_for_timeout(PRICES_MS)
    await page.evaluate("looks.scrollThrough()")
    await page.wait_for_timeout(SETTLED_MS)
    seen: dict[str, Any] = await page.evaluate("({ ...looks, overflow: looks.overflow() })")
    texts |= {"shift": seen["moved"], "overflow": seen["overflow"], "policy": seen["reports"]}
    # What axe itself does to the page is not the page's fault.
    texts = {kind: list(found) for kind, found in texts.items()}
    if case.is_examined:
        texts["axe"] = await _violations(page, case)
    return Seen(case, seen["shift"], texts)


def _listen(page: Page, site: str) -> dict[str, list[str]]:
    """Collect what the browser tells from now on."""
    texts: dict[str, list[str]] = {"console": [], "error": [], "foreign": []}
    home = (site, site.replace("http", "ws", 1), "data:", "blob:")

    def note(url: str) -> None:
        if not url.startswith(home):
            texts["foreign"].append(url)

    page.on("request", lambda request: note(request.url))
    page.on("websocket", lambda socket: note(socket.url))
    page.on("pageerror", lambda error: texts["error"].append(error.message))
    page.on(
        "console",
        lambda said: (
            texts["console"].append(said.text) if said.type in ("error", "warning") else None
        ),
    )
    return texts


async def _violations(page: Page, case: Case) -> list[str]:
    # With forced colours, axe compares those that the page has asked for, which nobody sees.
    rules = {"color-contrast": {"enabled": case.mode != "forced"}}
    found = await Axe().run(page, options={"rules": rules})
    return [
        f"{rule['id']}: {' '.join(map(str, node['target']))}"
        for rule in found.response["violations"]
        for node in rule["nodes"]
    ]

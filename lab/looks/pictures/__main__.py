"""Take the pictures of README and docs: ``python -m lab.looks.pictures``, or some by their names.

It needs Chromium and Playwright. The pictures go into ``docs/images``.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import os

import django
from playwright.async_api import Browser, Page

from lab.kit.places import ROOT
from lab.kit.terminal import say
from lab.looks.opened import browser

from .market import MOMENT
from .shots import SHOTS, Shot
from .site import ORIGIN, serve

FOLDER = ROOT / "docs/images"
#: By then every price is painted, and no flash is left.
PAINTED_MS = 2500
LOSSLESS = 100
#: The first height of a picture that is as high as its page or its element.
FOLDED = 800


async def take(opened: Browser, shot: Shot) -> None:
    context = await opened.new_context(
        viewport={"width": shot.width, "height": shot.height or FOLDED},
        reduced_motion="reduce",  # the tape stands still
        timezone_id="UTC",
    )
    await serve(context, shot)
    await context.clock.set_fixed_time(MOMENT)
    page = await context.new_page()
    await page.goto(ORIGIN + shot.page)
    await show(page, shot)
    await page.wait_for_timeout(PAINTED_MS)
    path = FOLDER / shot.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(await picture(page, shot))
    await context.close()
    say(f"{path.relative_to(ROOT)} {path.stat().st_size // 1000} kB")


async def show(page: Page, shot: Shot) -> None:
    """Bring the whole picture into view: a browser lays out no row that nobody sees."""
    if shot.element:
        await page.locator(shot.element).scroll_into_view_if_needed()
    elif shot.height is None:
        height = await page.evaluate("document.scrollingElement.scrollHeight")
        await page.set_viewport_size({"width": shot.width, "height": height})


async def picture(page: Page, shot: Shot) -> bytes:
    """Return the picture as WebP, which Playwright itself does not write."""
    clip: dict[str, float] = await page.evaluate(
        """(element) => {
          const around = document.querySelector(element || "html").getBoundingClientRect();
          return { x: around.x + scrollX, y: around.y + scrollY, width: around.width,
            height: around.height };
        }""",
        shot.element,
    )
    clip |= {"scale": 1} if shot.height is None else {"scale": 1, "height": shot.height}
    session = await page.context.new_cdp_session(page)
    options = {"format": "webp", "quality": LOSSLESS, "clip": clip}
    taken = await session.send("Page.captureScreenshot", options)
    return base64.b64decode(taken["data"])


async def main(names: list[str]) -> None:
    async with browser() as opened:
        for shot in SHOTS:
            if not names or shot.name in names:
                await take(opened, shot)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m lab.looks.pictures", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="such as pages/article-dark-390.webp"
    )
    names = parser.parse_args().names
    os.environ["DJANGO_SETTINGS_MODULE"] = "example_project.settings"
    # The example says of its prices that they are simulated.
    os.environ["FCS_URL"] = "ws://127.0.0.1"
    django.setup()
    asyncio.run(main(names))

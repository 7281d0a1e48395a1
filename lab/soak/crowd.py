"""All browsers of the soak in one process, controlled by JSON lines.

::

    {"do": "open", "urls": [...], "count": 200, "symbols": [...], "seed": 1}
    {"do": "stall", "count": 5, "seconds": 20}     some browsers stop reading for a while
    {"do": "babble", "count": 10}                  some browsers send nonsense and leave
    {"do": "stay"}                                 all browsers connect and stay
    {"do": "count", "closes": {...}}               count the connected, and those with these prices
    {"do": "leave"}                                all browsers leave
"""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random
from typing import Any

from django_fcs.tools.tasks import end
from lab.kit.worker import answer_commands

from .browser import Browser

__all__: list[str] = []

ROOMS_EACH = 5
FRAMES_OF_NONSENSE = 20


class _Crowd:
    def __init__(self) -> None:
        self._random = Random(0)
        self._browsers: list[Browser] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._codes: Counter[int] = Counter()

    async def obey(self, command: dict[str, Any]) -> dict[str, Any]:
        """Execute a command from the standard input."""
        do = getattr(self, f"_{command.pop('do')}")
        await do(**command)
        return self._counted(command.get("closes", {}))

    async def _open(self, urls: list[str], count: int, symbols: list[str], seed: int) -> None:
        self._random = Random(seed)
        for number in range(count):
            random = Random(self._random.random())
            watched = random.sample(symbols, ROOMS_EACH)
            browser = Browser(urls[number % len(urls)], watched, random, self._codes)
            self._browsers.append(browser)
            self._tasks.append(asyncio.create_task(browser.live()))

    async def _stall(self, count: int, seconds: float) -> None:
        for browser in self._random.sample(self._browsers, count):
            browser.stall(seconds)

    async def _babble(self, count: int) -> None:
        some = self._random.sample(self._browsers, count)
        await asyncio.gather(*(browser.babble(FRAMES_OF_NONSENSE) for browser in some))

    async def _stay(self) -> None:
        for browser in self._browsers:
            browser.stay()

    async def _count(self, closes: dict[str, float] | None = None) -> None:
        pass

    async def _leave(self) -> None:
        await end(*self._tasks)
        self._tasks, self._browsers = [], []

    def _counted(self, closes: dict[str, float]) -> dict[str, Any]:
        ended = [task for task in self._tasks if task.done()]
        for task in ended:
            task.result()
        return {
            "here": sum(browser.is_here for browser in self._browsers),
            "right": sum(browser.shows(closes) for browser in self._browsers),
            "visits": sum(browser.visits for browser in self._browsers),
            "prices": sum(browser.prices for browser in self._browsers),
            "backward": sum(browser.backward for browser in self._browsers),
            "behind": sum(browser.behind for browser in self._browsers),
            "codes": dict(self._codes),
        }


async def main() -> None:
    """Run until the standard input ends."""
    await answer_commands(_Crowd().obey)


if __name__ == "__main__":
    asyncio.run(main())

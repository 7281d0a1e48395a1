"""All cases, some at a time, in one browser and with one demo behind them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from lab.kit.terminal import say
from tests.support.network import HOST, free_port
from tests.support.serving import demo

from .cases import Case
from .findings import Seen
from .opened import browser
from .visit import visit

__all__ = ["examine"]

#: Pages that are open at a time.
TABS = 8
_TOLD_EVERY = 50


async def examine(cases: Sequence[Case]) -> tuple[str, list[Seen]]:
    """Return the version of the browser, and what it saw in each case."""
    port, places = free_port(), asyncio.Semaphore(TABS)
    seen: list[Seen] = []
    async with demo(port), browser() as opened:

        async def one(case: Case) -> None:
            async with places:
                seen.append(await visit(opened, f"http://{HOST}:{port}", case))
            if len(seen) % _TOLD_EVERY == 0:
                say(f"{len(seen)} of {len(cases)}")

        # The first visit is not measured: the demo has no prices before it.
        await visit(opened, f"http://{HOST}:{port}", cases[0])
        await asyncio.gather(*map(one, cases))
    return opened.version, sorted(seen, key=lambda it: cases.index(it.case))

"""A web process fails, or the machine that it is on sleeps."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

import pytest

from tests.faults.stage import Stage
from tests.support.waiting import eventually

Staged = Callable[..., Stage]


async def test_pages_of_a_killed_web_process_come_back_to_another(staged: Staged) -> None:
    async with staged(webs=2, pages=20) as stage:
        note = "one of two; 20 pages"
        async with stage.fault("Web SIGKILL", note=note) as fault:
            await stage.stop(stage.webs[0], signal.SIGKILL)
        assert fault.states == ["offline", "live"]


@pytest.mark.parametrize("server", ["uvicorn", "daphne"])
async def test_pages_of_a_web_process_that_is_stopped_under_load(
    staged: Staged, server: str
) -> None:
    async with staged(webs=2, pages=50, rate=10, server=server) as stage:
        note = "one of two; 50 pages, 2,000 prices a second"
        async with stage.fault(f"Web SIGTERM under load ({server})", note=note) as fault:
            await stage.stop(stage.webs[0], signal.SIGTERM)
        assert fault.states == ["offline", "live"]
        codes = {code for page in stage.pages for _, code in page.closes}
        assert codes <= {1001, 1006, 1012, 4001}


@pytest.mark.long
async def test_a_laptop_that_slept_for_two_minutes(staged: Staged) -> None:
    async with staged(layer="memory", server="daphne") as stage:
        note = "embedded mode, SIGSTOP; the page runs on another machine"
        async with stage.fault("Laptop sleeps for 2 minutes", note=note) as fault:
            stage.webs[0].send_signal(signal.SIGSTOP)
            await eventually(lambda: stage.pages[0].is_showing("offline"), within=60)
            await asyncio.sleep(120 - stage.seconds_since(fault.began))
            stage.webs[0].send_signal(signal.SIGCONT)
        assert fault.states[0] == "offline"

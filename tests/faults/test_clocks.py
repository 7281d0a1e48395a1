"""Clocks that are wrong, and markets that are closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.clocks import WallClock
from tests.faults.stage import Stage

Staged = Callable[..., Stage]

HOUR = 3600.0


@pytest.mark.parametrize(("way", "shift"), [("forward", HOUR), ("back", -HOUR)])
async def test_the_wall_clock_of_the_site_jumps(
    staged: Staged, tmp_path: Path, way: str, shift: float
) -> None:
    clock = WallClock(tmp_path)
    async with staged(clock=clock) as stage:
        async with stage.fault(f"Wall clock jumps by an hour {way}"):
            clock.shift(shift)
            await asyncio.sleep(15)

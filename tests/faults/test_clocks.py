"""Clocks that are wrong, and markets that are closed."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest

from django_fcs.rooms import Room
from tests.faults.clocks import WallClock
from tests.faults.stage import LATE_SECONDS, LIMIT_SECONDS, START_SECONDS, Stage
from tests.support.serving import get
from tests.support.waiting import eventually

Staged = Callable[..., Stage]

HOUR = 3600.0

#: The price of a card that is rendered as live.
LIVE = re.compile(r'<fcs-ticker[^>]* data-state="live".*? data-field="close">([^<]+)<', re.DOTALL)

#: A week's end of the forex market, in unix time: Friday and Sunday, 22:00 UTC.
CLOSES_AT = datetime(2026, 1, 16, 22, tzinfo=timezone.utc).timestamp()
OPENS_AT = datetime(2026, 1, 18, 22, tzinfo=timezone.utc).timestamp()
#: What is left of the week when all processes run.
LAST_SECONDS = 20

#: How long the rooms may take to become live again after the jump there.
SETTLED_SECONDS = 5
FOREX = (Room("FX:EURUSD", "1D"), Room("FX:USDJPY", "60"))


@pytest.mark.parametrize(("way", "shift"), [("forward", HOUR), ("back", -HOUR)])
async def test_the_wall_clock_of_the_site_jumps(
    staged: Staged, tmp_path: Path, way: str, shift: float
) -> None:
    clock = WallClock(tmp_path)
    async with staged(clock=clock) as stage:
        async with stage.fault(f"Wall clock jumps {way} by an hour"):
            clock.shift(shift)
            jumped_at = time.monotonic()
            # Longer than all that goes by seconds: beats, leases, demand.
            while stage.seconds_since(jumped_at) < 15:
                await _renders_live(stage, jumped_at)
                await asyncio.sleep(1)
            # What a template says goes by the clock that jumped, not by what sockets are told.
            await eventually(lambda: _renders_live(stage, jumped_at), within=60)


async def _renders_live(stage: Stage, since: float) -> bool:
    """Tell whether a page is rendered as live with a price from after that time.

    Fails where it is so with one that was outdated long ago.
    """
    room, asked_at = stage.rooms[0], time.monotonic()
    _, text = await get(f"http://127.0.0.1:{stage.ports[0]}/watch/{room.symbol}/{room.timeframe}/")
    live = LIVE.search(text)
    if live is None:
        return False
    number = int(float(live[1].replace(",", "")))
    outdated_at = stage.market.outdated_at(room, number)
    limit = LIMIT_SECONDS + LATE_SECONDS + stage.stalls.excuse
    assert outdated_at is None or asked_at - outdated_at < limit, f"{number} is live"
    return number >= stage.market.next_after(room, since)


@pytest.mark.long
async def test_a_market_that_is_closed_over_a_weekend(staged: Staged, tmp_path: Path) -> None:
    clock = WallClock(tmp_path)
    # Time enough to start everything, however slow the machine is.
    clock.set_to(CLOSES_AT - START_SECONDS)
    how = {"rooms": FOREX, "closed": (CLOSES_AT, OPENS_AT), "FCS_STALE_AFTER_SECONDS": "5"}
    async with staged(clock=clock, vendor_clock=clock, **how) as stage:
        # All run now: most of what is left until then is passed over. Until the next price, the
        # last one looks outdated.
        clock.set_to(CLOSES_AT - LAST_SECONDS)
        jumped_at = time.monotonic()
        await eventually(lambda: stage.seconds_since(jumped_at) > SETTLED_SECONDS)
        await eventually(stage.is_live)
        note = "simulated clock; FCS_STALE_AFTER_SECONDS 5"
        async with stage.fault("Closed market over a weekend", note=note) as fault:
            await eventually(lambda: stage.pages[0].is_showing("closed"), within=START_SECONDS + 50)
            for at in (CLOSES_AT + 12 * HOUR, OPENS_AT - 12 * HOUR, OPENS_AT - 10):
                clock.set_to(at)
                await asyncio.sleep(15 if at < OPENS_AT - 10 else 0)
                assert stage.pages[0].is_showing("closed") or stage.stalls.is_held_up
            await eventually(stage.is_live, within=60)
        assert fault.states == ["closed", "live"] or stage.stalls.is_held_up
        assert stage.upstream.accepted == 1 or stage.stalls.is_held_up

"""Browsers that mean no good, or come all at once; what others see of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from django_fcs.prices.recent import COPY_SECONDS
from django_fcs.rooms import Room
from tests.faults.stage import Stage
from tests.support.serving import get
from tests.support.waiting import eventually
from tests.support.wire import browser_socket

Staged = Callable[..., Stage]

TWENTY = tuple(Room(f"BINANCE:COIN{number}USDT", "1D") for number in range(20))
CROWD = 1000
FLOOD = 5000
ROOMS_MAX = 100


async def test_a_browser_that_never_reads_is_closed_and_disturbs_nobody(staged: Staged) -> None:
    slow = {"FCS_SLOW_CLIENT_SECONDS": "5"}
    async with staged(rooms=TWENTY, rate=10, server="daphne", **slow) as stage:
        note = "200 prices a second, FCS_SLOW_CLIENT_SECONDS 5; Daphne; as seen by another page"
        async with stage.fault("A browser that never reads", note=note) as fault:
            rooms = [(room.symbol, room.timeframe) for room in TWENTY]
            async with browser_socket(
                stage.ports[0], *rooms, compression=None, ping_interval=None
            ) as viewer:
                viewer.socket.transport.pause_reading()
                # What would fill all buffers, and the time that a browser is given.
                await asyncio.sleep(15)
                viewer.socket.transport.resume_reading()
                # It answers no ping either, and so is not taken for one that reads again.
                code = await viewer.how_it_ends(within=60)
                # The goodbye queues behind what was not read, and Daphne (its Autobahn) aborts
                # the connection where it is not answered within a second: 1006.
                assert code in (4408, 1006)
        assert fault.states == [] or stage.stalls.is_held_up


async def test_a_thousand_browsers_come_back_at_once(staged: Staged) -> None:
    async with staged(rate=1) as stage:
        await asyncio.gather(*(stage.open_page(stage.rooms[0]) for _ in range(CROWD - 1)))
        await eventually(stage.is_live, within=120)
        note = "one uvicorn process; each reconnects after a random 0–5 s"
        async with stage.fault("1,000 browsers reconnecting at once", note=note) as fault:
            for page in stage.pages:
                page.drop()
        assert fault.states[0] == "offline"


async def test_a_flood_of_joins_is_held_back_and_disturbs_nobody(staged: Staged) -> None:
    limits = {"FCS_MAX_ROOMS": str(ROOMS_MAX)}
    async with staged(**limits) as stage:
        note = f"{FLOOD} joins, FCS_MAX_ROOMS {ROOMS_MAX}; as seen by another page"
        async with stage.fault("Join flood", note=note) as fault:
            async with browser_socket(stage.ports[0]) as viewer:
                for number in range(FLOOD):
                    await viewer.send(
                        type="join_symbol", symbol=f"FX:FLOOD{number}", timeframe="1D"
                    )
                    if number % 100 == 0:
                        await asyncio.sleep(0.01)
                await eventually(lambda: len(stage.vendor.rooms) == ROOMS_MAX, within=60)
                # Long enough for more, if the stream asked for more.
                await asyncio.sleep(5)
                assert len(stage.vendor.rooms) == ROOMS_MAX
        assert fault.states == [] or stage.stalls.is_held_up


@pytest.mark.parametrize("how", ["down", "black-holed"])
async def test_pages_render_without_their_cache(staged: Staged, how: str) -> None:
    async with staged() as stage:
        room = stage.rooms[0]
        url = f"http://127.0.0.1:{stage.ports[0]}/watch/{room.symbol}/{room.timeframe}/"
        await eventually(lambda: _renders_a_price(url), within=60)
        async with stage.fault(f"Cache {how} while pages render") as fault:
            slowest = 0.0
            with ExitStack() as sick:
                sick.enter_context(
                    stage.cache.down() if how == "down" else stage.cache.black_hole()
                )
                # Until then, a page may be a copy of what the cache had.
                await asyncio.sleep(COPY_SECONDS)
                while stage.seconds_since(fault.began) < 20:
                    began = time.monotonic()
                    status, text = await get(url)
                    slowest = max(slowest, time.monotonic() - began)
                    assert status == 200
                    assert 'data-state="live"' not in text
            fault.note = f"for 20 s; a page took at most {slowest:.1f} s to render, without a price"
        await eventually(lambda: _renders_a_price(url), within=60)
        assert fault.states == [] or stage.stalls.is_held_up


async def _renders_a_price(url: str) -> bool:
    _, text = await get(url)
    return 'data-state="waiting"' not in text

"""Candles as visitors and people who run a site get them: from processes of their own."""

from __future__ import annotations

import asyncio
import csv
import json
import signal
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.error import HTTPError

import pytest

from django_fcs.candles.bars import Bar
from django_fcs.candles.rest import RestClient
from django_fcs.rooms import Room
from django_fcs.simulator import Faults, RandomWalk, Simulator
from tests.e2e.site import Site
from tests.faults.clocks import WallClock
from tests.support.candles import ask, names, pages
from tests.support.network import HOST, free_port
from tests.support.serving import get, python
from tests.support.waiting import eventually
from tests.support.wire import Viewer, browser_socket

REST_KEY = "a-rest-key-of-the-tests"
PLAN = {
    "FCS_REST_KEY": REST_KEY,
    "FCS_REST_REQUESTS_PER_MINUTE": "60",
    # In the last minutes of a month, little is left of it.
    "FCS_REST_CREDITS_PER_MONTH": str(10**9),
}
EURUSD, BTCUSDT = Room("FX:EURUSD", "1"), Room("BINANCE:BTCUSDT", "60")
FIVE = (
    *(EURUSD, BTCUSDT, Room("FX:USDJPY", "1D")),
    *(Room("NASDAQ:AAPL", "5"), Room("BINANCE:ETHUSDT", "1W")),
)
VISITORS = 200

ATTEMPTS = 4


@asynccontextmanager
async def simulated(
    redis: str,
    env: Mapping[str, str] = MappingProxyType({}),
    *,
    faults: Faults | None = None,
    clock: Callable[[], float] = time.time,
) -> AsyncIterator[tuple[Simulator, Site]]:
    env = {**PLAN, "FCS_REDIS_URL": redis, **env}
    async with Simulator(RandomWalk(rate=2), faults=faults, clock=clock) as simulator:
        yield simulator, Site(simulator.url, FCS_REST_URL=simulator.rest_url, **env)


def has_all(*rooms: Room) -> Callable[[Viewer], bool]:
    return lambda viewer: all(pages(viewer, room) for room in rooms)


async def of_the_vendor(simulator: Simulator, room: Room, length: int = 300) -> dict[int, Bar]:
    """Ask the vendor as anybody can; the last bar may change."""
    client = RestClient("another-key", url=simulator.rest_url)
    answer = await asyncio.to_thread(client.history, room, length=length)
    return {bar.t: bar for bar in answer.bars}


@pytest.mark.parametrize("place", ["one process, daphne", "redis, uvicorn"])
async def test_a_browser_gets_the_candles_of_the_vendor_and_live_prices_continue_them(
    place: str, redis: str
) -> None:
    # Not while a candle of a minute ends: which of two knew its last price first?
    await asyncio.sleep(max(0.0, time.time() % 60 - 50) and 60 - time.time() % 60)
    where, server = place.split(", ")
    redis = redis if where == "redis" else ""
    port = free_port()
    async with simulated(redis) as (simulator, site), AsyncExitStack() as stack:
        if redis:
            await stack.enter_async_context(site.stream())
        await stack.enter_async_context(site.web(port, server))
        socket = browser_socket(port, *names(EURUSD, BTCUSDT), merge=True)
        viewer = await stack.enter_async_context(socket)
        await ask(viewer, EURUSD, BTCUSDT)
        await viewer.until(has_all(EURUSD, BTCUSDT), within=8)
        assert len(simulator.asked) == 2
        for room in (EURUSD, BTCUSDT):
            [page] = pages(viewer, room)
            assert len(page["candles"]) == 200 and page["more"] and not page["note"]
            assert page["missing"] == page["repaired"] == []
            _agree(page["candles"], await of_the_vendor(simulator, room))
            await viewer.until(partial(_continues, page))
        oldest = pages(viewer, EURUSD)[0]["candles"][0][0]
        await ask(viewer, EURUSD, limit=50, before=oldest)
        await viewer.until(lambda viewer: len(pages(viewer, EURUSD)) == 2)
        older = pages(viewer, EURUSD)[1]["candles"]
        assert [row[0] for row in older] == list(range(oldest - 3000, oldest, 60))
        await _agrees_as_json(port, viewer)


def _agree(rows: list[Any], bars: dict[int, Bar]) -> None:
    """Expect ascending rows, each once, that are those of the vendor."""
    assert [row[0] for row in rows] == sorted({row[0] for row in rows})
    assert [Bar(*row) for row in rows[:-1]] == [bars[row[0]] for row in rows[:-1]]


def _continues(page: dict[str, Any], viewer: Viewer) -> bool:
    """Tell whether live prices have gone on with the last candle, or with the next one."""
    prices = viewer.prices.get(page["symbol"], {}).get("prices", {})
    t, o, h, low, *_ = page["candles"][-1]
    if prices.get("t") != t:
        return prices.get("t", 0) > t
    assert prices["o"] == o and prices["h"] >= h and prices["l"] <= low
    return prices["mode"] != "initial"


async def _agrees_as_json(port: int, viewer: Viewer) -> None:
    """Expect the same candles over HTTP, and none of a symbol that nobody may see."""
    [page] = pages(viewer, BTCUSDT)
    known = {row[0]: row for row in page["candles"][:-1]}
    url = f"http://{HOST}:{port}/fcs/candles/?timeframe=60&limit=200&symbol="
    status, text = await get(url + page["symbol"])
    found = json.loads(text)
    assert status == 200 and REST_KEY not in text
    same = [row for row in found["candles"] if row[0] in known]
    assert len(same) >= 198 and same == [known[row[0]] for row in same]
    assert (found["missing"], found["note"]) == ([], "")
    with pytest.raises(HTTPError, match="403"):
        await get(f"{url}LSE:VOD")


@pytest.mark.parametrize(("allowed", "requests"), [(60, 5), (3, 3)])
async def test_200_visitors_of_five_rooms_cost_one_request_for_each_that_the_plan_allows(
    allowed: int, requests: int, redis: str, tmp_path: Path
) -> None:
    ports, clock = (free_port(), free_port()), WallClock(tmp_path)
    plan = {"FCS_REST_REQUESTS_PER_MINUTE": str(allowed), **clock.env}
    async with AsyncExitStack() as stack:
        scene = simulated(redis, plan, clock=clock)
        simulator, site = await stack.enter_async_context(scene)
        web = (site.web(port, "uvicorn") for port in ports)
        await asyncio.gather(*map(stack.enter_async_context, (site.stream(), *web)))

        async def visit(number: int) -> Viewer:
            socket = browser_socket(ports[number % 2], *names(*FIVE), merge=True)
            viewer = await stack.enter_async_context(socket)
            for _ in range(ATTEMPTS):
                # A cache under this load may fail for some seconds: pages then ask again.
                await ask(viewer, *FIVE, limit=300)
                with suppress(AssertionError):
                    await viewer.until(is_served, within=60 / ATTEMPTS)
                    break
            assert is_served(viewer)
            return viewer

        visitors = VISITORS if requests == len(FIVE) else VISITORS // 5
        viewers = await asyncio.gather(*map(visit, range(visitors)))
        first = simulator.asked[0].at
        assert sum(one.at < first + 60 for one in simulator.asked) == requests
        assert len(simulator.asked) == len({one.symbol for one in simulator.asked})
        assert all(len(told(viewer)) == 5 - requests for viewer in viewers)

        clock.shift(61)
        await visit(VISITORS)
        await asyncio.gather(*(viewer.until(has_five, within=60) for viewer in viewers))
        # Not counted: the jump of the clock may look like a gap, whose two candles are repaired.
        assert sum(one.start is None for one in simulator.asked) == 5


def has_five(viewer: Viewer) -> bool:
    return all(any(len(it["candles"]) == 300 for it in pages(viewer, room)) for room in FIVE)


def is_served(viewer: Viewer) -> bool:
    """Tell whether a viewer has the candles of each room, or knows why not."""
    return all(
        any(len(page["candles"]) == 300 for page in pages(viewer, room)) or room in told(viewer)
        for room in FIVE
    )


def told(viewer: Viewer) -> set[Room]:
    """Return the rooms of which a viewer knows that they have to wait for the next minute."""
    waiting = [it for it in pages(viewer) if "requests of this minute are used" in it["note"]]
    return {Room(it["symbol"], it["timeframe"]) for it in waiting}


# -- the command


async def run(
    site: Site, *arguments: str, until: Callable[[], bool] | None = None
) -> tuple[int | None, list[str], list[str]]:
    """Run ``fcs_candles`` to its end, or up to Ctrl-C: exit code, stdout and stderr."""
    command = ("manage.py", "fcs_candles", *arguments)
    async with python(*command, env=site.env, stderr=PIPE) as process:
        if until is not None:
            await eventually(until, within=30, what="when to press Ctrl-C")
            process.send_signal(signal.SIGINT)
        out, err = await asyncio.wait_for(process.communicate(), 60)
    assert REST_KEY.encode() not in out + err
    return process.returncode, out.decode().splitlines(), err.decode().splitlines()


HOURS = ("FX:EURUSD_60", "--from", "2026-01-01", "--to", "2026-07-01")
OF_HALF_A_YEAR = 181 * 24


async def test_a_range_is_fetched_into_the_database_and_goes_on_after_ctrl_c(
    redis: str, tmp_path: Path
) -> None:
    place = {
        "DJANGO_SETTINGS_MODULE": "tests.e2e.database",
        "E2E_DATABASE": str(tmp_path / "site.sqlite3"),
    }
    slow = Faults(rest_seconds=0.2)
    async with simulated(redis, place, faults=slow) as (simulator, site):
        async with python("manage.py", "migrate", "-v", "0", env=site.env, stderr=PIPE) as migrate:
            await migrate.communicate()
        async with site.stream():
            code, out, err = await run(
                site, "fetch", *HOURS, until=lambda: len(simulator.asked) >= 2
            )
            assert (code, err) == (0, []) and "goes on from here" in "".join(out)
            assert len(simulator.asked) < 5
            code, out, err = await run(site, "fetch", *HOURS)
            assert (code, out[-1], err) == (0, "fetched", [])
            asked = [(one.start, one.end) for one in simulator.asked]
            assert len(asked) == len(set(asked)) == 5
            assert await run(site, "fetch", *HOURS) == (0, ["fetched"], [])
            assert len(simulator.asked) == 5, "nothing is asked for twice"

            _, lines, _ = await run(site, "export", "FX:EURUSD_60")
            rows = [int(row["t"]) for row in csv.DictReader(lines)]
            assert len(rows) == OF_HALF_A_YEAR and rows == sorted(set(rows))
            _, (_, *found), _ = await run(site)
            assert any("database  2026-01-01 00:00  2026-06-30 23:00" in line for line in found)

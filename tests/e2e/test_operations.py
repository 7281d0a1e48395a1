"""What the people who run a site ask of it: probes, status, health and metrics."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import PIPE
from typing import Any

from django_fcs.simulator import RandomWalk, Simulator
from tests.e2e.site import Site
from tests.support.network import free_port
from tests.support.serving import get, python
from tests.support.waiting import eventually
from tests.support.wire import browser_socket

KEY = "a-key-of-the-tests"


async def told(site: Site, *arguments: str) -> tuple[int | None, str, str]:
    """Run a command of the site until it ends: exit code, stdout, stderr."""
    async with python("manage.py", *arguments, env=site.env, stderr=PIPE) as process:
        out, err = await asyncio.wait_for(process.communicate(), 30)
    assert KEY not in (text := out.decode() + err.decode()), text
    return process.returncode, out.decode(), err.decode()


async def metrics(url: str) -> dict[str, float]:
    status, text = await get(url)
    assert status == 200 and KEY not in text and "EURUSD" not in text
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


async def test_a_running_site_tells_how_it_does_and_a_stopped_stream_is_noticed(redis: str) -> None:
    port, scraped = free_port(), free_port()
    async with Simulator(RandomWalk(rate=20)) as simulator:
        site = Site(simulator.url, FCS_REDIS_URL=redis, FCS_ROOMS="BINANCE:BTCUSDT")
        code, out, err = await told(site, "fcs_stream", "--check")
        assert (code, out) == (1, "")
        assert err.splitlines() == ["CommandError: no heartbeat from the stream"]
        async with site.web(port), browser_socket(port, ("FX:EURUSD", "1D"), merge=True) as viewer:
            async with site.stream("--metrics-port", str(scraped)):
                await viewer.until(lambda viewer: "FX:EURUSD" in viewer.prices)
                await _all_is_well(site, port, scraped)
                # The page of a visitor without JavaScript: nobody joins its room.
                page = f"http://127.0.0.1:{port}/watch/BINANCE:ETHUSDT/1D/"
                assert 'data-state="waiting"' in (await get(page))[1]
                await eventually(lambda: _shows(page, 'data-state="live"'), within=20)
                of_stream = await metrics(f"http://127.0.0.1:{scraped}/metrics")
                assert of_stream["fcs_stream_rooms_rendered"] == 1
            code, _, err = await told(site, "fcs_stream", "--check")
            assert code == 1
            assert "the stream has stopped" in err


async def _all_is_well(site: Site, port: int, scraped: int) -> None:
    assert (await told(site, "fcs_stream", "--check"))[0] == 0
    code, out, _ = await told(site, "fcs_status", "--json")
    status: dict[str, Any] = json.loads(out)
    assert code == 0
    assert {room["room"] for room in status["rooms"]} == {"FX:EURUSD_1D", "BINANCE:BTCUSDT_1D"}
    assert {room["state"] for room in status["rooms"]} == {"live"}

    _, text = await get(f"http://127.0.0.1:{port}/fcs/health/")
    health = json.loads(text)
    assert (health["status"], health["reasons"]) == ("ok", [])
    assert (health["counts"]["rooms_wanted"], health["counts"]["sockets"]) == (2, 1)

    of_stream = await metrics(f"http://127.0.0.1:{scraped}/metrics")
    assert of_stream["fcs_stream_rooms_joined"] == 2
    assert of_stream["fcs_stream_updates_total"] > 0
    url = f"http://127.0.0.1:{port}/fcs/metrics/"
    count = 'fcs_browser_lag_seconds_count{protocol="merge"}'
    of_web = await eventually(lambda: _with(url, count), within=10)
    assert (of_web["fcs_hub_sockets"], of_web["fcs_hub_online"]) == (1, 1)
    slow = of_web[count] - of_web['fcs_browser_lag_seconds_bucket{le="1.0",protocol="merge"}']
    assert slow < of_web[count] / 2, "most are quick, on a busy machine, too"


async def _shows(url: str, text: str) -> bool:
    await asyncio.sleep(1)
    return text in (await get(url))[1]


async def _with(url: str, name: str) -> dict[str, float] | None:
    told = await metrics(url)
    return told if name in told else None

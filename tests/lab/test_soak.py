"""The parts of ``make soak``: its faults, its arithmetic, its browsers and its vendor."""

from __future__ import annotations

import asyncio
import json
import math
import os
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from django_fcs.simulator import Simulator
from django_fcs.tools.metrics import shown
from django_fcs.tools.redaction import SILENT
from django_fcs.tools.tasks import running
from lab import soak
from lab.soak import probe, report
from lab.soak.browser import Browser
from lab.soak.crowd import _Crowd
from lab.soak.faults import CALM_SECONDS, Fault, schedule
from lab.soak.figures import slope_of
from lab.soak.run import Plan, Result
from lab.soak.samples import Sample, look
from lab.soak.vendor import _Market, _Vendor
from tests.support.upstreams import watching
from tests.support.waiting import eventually

# -- faults


def test_a_seed_tells_all_faults_and_who_is_killed_is_killed_in_the_middle() -> None:
    to_kill = ("daphne", "leader", "leader")
    faults = schedule(Random(1), 1800, to_kill)
    assert schedule(Random(1), 1800, to_kill) == faults
    assert schedule(Random(2), 1800, to_kill) != faults

    killed = [fault for fault in faults if fault.kind.endswith(" killed")]
    assert sorted(fault.details["name"] for fault in killed) == [*to_kill]
    assert all(600 <= fault.at <= 1200 for fault in killed)
    assert faults == sorted(faults, key=lambda fault: fault.at)
    assert faults[0].at >= CALM_SECONDS and faults[-1].at <= 1800 - CALM_SECONDS
    assert len({fault.kind for fault in faults}) == 8


# -- figures


def sample(
    at: float, rss_kb: float, *, name: str = "uvicorn", pid: int = 1, sockets: int = 3
) -> Sample:
    return Sample(at, name, pid, int(rss_kb), files=9, sockets=sockets, tasks=4)


def test_a_slope_is_that_of_all_lives_each_on_its_own_level() -> None:
    first = [sample(at, 50_000 + at) for at in range(0, 600, 5)]
    second = [sample(at, 90_000 + at, pid=2) for at in range(600, 1200, 5)]

    slope = slope_of([*first, *second], "uvicorn", warm_up=100)

    assert slope is not None
    assert (round(slope.kb_per_minute), round(slope.error, 3)) == (60, 0)
    assert (slope.lowest_kb, slope.highest_kb) == (50_100, 91_195)
    assert slope.samples == 200
    assert slope.is_flat  # A thousandth of 90 MB a minute is more.


def test_a_step_is_not_growth_but_what_grows_by_steps_is() -> None:
    once = [sample(at, 80_000 + 1200 * (at > 1600)) for at in range(0, 1800, 5)]
    again = [sample(at, 80_000 + 130 * (at // 60)) for at in range(0, 1800, 5)]
    slopes = [slope_of(samples, "uvicorn", warm_up=300) for samples in (once, again)]

    assert [slope.is_flat for slope in slopes if slope] == [True, False]
    assert [slope.kb_per_minute > 30 for slope in slopes if slope] == [True, True]


def parts_of(*parts: tuple[int, str]) -> list[Sample]:
    """Samples of a stream that has each of these parts for five minutes, at so many kB."""
    return [
        sample(at, level, name=name)
        for number, (level, name) in enumerate(parts)
        for at in range(300 * number, 300 * (number + 1), 5)
    ]


def test_a_standby_that_once_led_is_on_another_level_than_before() -> None:
    samples = parts_of((60_000, "standby"), (80_000, "leader"), (70_000, "standby"))
    slopes = [slope_of(samples, name, warm_up=100) for name in ("leader", "standby")]

    assert [(it.kb_per_minute, it.samples) for it in slopes if it] == [(0, 40), (0, 80)]


def test_what_grows_with_each_change_of_its_part_grows() -> None:
    samples = parts_of(*[(60_000 + 5000 * turn, "leader") for turn in range(3)])
    for turn in (0, 2):
        samples[60 * turn + 30 : 60 * turn + 60] = [
            replace(it, name="standby") for it in samples[60 * turn + 30 : 60 * turn + 60]
        ]
    slope = slope_of(samples, "leader", warm_up=100)

    assert slope is not None and not slope.is_flat


def test_growth_that_is_sure_is_no_noise_and_noise_is_no_growth() -> None:
    grows = [sample(at, 50_000 + 5 * at) for at in range(0, 600, 5)]
    waves = [sample(at, 50_000 + 3000 * math.sin(at)) for at in range(0, 600, 5)]
    of = {name: slope_of(it, "uvicorn", 0) for name, it in {"g": grows, "w": waves}.items()}

    assert of["g"] and not of["g"].is_flat
    assert of["w"] and of["w"].is_flat
    assert slope_of(grows[:2], "uvicorn", 0) is None
    assert slope_of(grows, "daphne", 0) is None


def weighed(name: str, *, life: int = 1800, kb_per_second: float = 0) -> list[Sample]:
    """Samples of half an hour, of processes that live for so many seconds each."""
    return [
        sample(at, 60_000 + at % 7 + kb_per_second * at, name=name, pid=at // life)
        for at in range(0, 1800, 5)
    ]


def result(**changes: Any) -> Result:
    samples = [*weighed("uvicorn"), *weighed("daphne"), *weighed("leader")]
    crowd = {"visits": 900, "prices": 10**6, "backward": 0, "behind": 0, "codes": {"1006": 3}}
    waits = {"here_after": 4.0, "right_after": 0.5, "back_after": 31.0}
    return Result(
        plan=Plan(seed=1, minutes=30, browsers=200, updates=500, streams=1),
        faults=[
            Fault(20.0, "redis closes connections"),
            Fault(800.0, "leader killed", {"name": "leader"}),
        ],
        start=samples[:1],
        end=samples[:1],
        **{"samples": samples, "crowd": crowd, "connections_most": 1, **waits, **changes},
    )


def test_a_soak_is_good_where_all_came_back_and_nothing_went_back() -> None:
    assert report.is_good(result())
    for wait in ("here_after", "right_after", "back_after"):
        assert not report.is_good(result(**{wait: None}))
    assert not report.is_good(result(connections_most=2))
    assert not report.is_good(result(crowd={**result().crowd, "backward": 1}))
    grown = weighed("redis", kb_per_second=5)
    assert not report.is_good(result(samples=[*result().samples, *grown]))


@pytest.mark.parametrize("name", ["leader", "uvicorn", "daphne"])
def test_a_full_soak_has_to_tell_of_the_memory_of_leader_and_web_servers(name: str) -> None:
    others = [it for it in result().samples if it.name != name]
    died = [*others, *weighed(name, life=300)]

    assert report.is_good(result(samples=[*result().samples, *weighed("standby", life=300)]))
    assert not report.is_good(result(samples=others))
    assert not report.is_good(result(samples=died))
    trial = Plan(seed=1, minutes=2, browsers=200, updates=500, streams=1)
    assert report.is_good(replace(result(samples=others), plan=trial))


def test_a_soak_is_written_down_with_what_happened() -> None:
    text = report.text_of(result(right_after=None))

    assert "| uvicorn | 59 – 59 | " in text
    assert "| flat | 9 | 3 → 3 (3) | 4 → 4 (4) |" in text
    assert "leader killed 1×, redis closes connections 1×" in text
    assert "1006 3×" in text
    assert "**never**" in text


def test_a_soak_is_put_into_the_page_with_its_drawing(tmp_path: Path) -> None:
    page, image = tmp_path / "page.md", tmp_path / "images/soak.svg"
    page.write_text("<!-- soak -->\n*Not run yet.*\n<!-- /soak -->\n")

    report.write(result(), page=page, image=image)

    assert "(images/soak.svg)" in page.read_text() and "| uvicorn | 59" in page.read_text()
    assert image.read_text() == report.drawing(result())


def test_the_drawing_of_a_soak_is_well_formed() -> None:
    assert ElementTree.fromstring(report.drawing(result())).tag.endswith("svg")


# -- looking


@pytest.fixture
def probed(tmp_path: Path) -> Iterator[Path]:
    """This process answers, in this folder, as one of a soaked site does."""
    before = signal.getsignal(signal.SIGUSR1)
    app = probe.Probe("lab.soak", soak)
    app.folder = tmp_path
    app.ready()
    yield tmp_path
    signal.signal(signal.SIGUSR1, before)


async def test_a_process_tells_its_tasks_and_whether_it_leads(probed: Path) -> None:
    here = os.getpid()
    assert probe.ask([here, 1], probed) == {here: (len(asyncio.all_tasks()), False)}

    with shown(lambda: {"stream_leader": True}):
        assert probe.ask([here], probed)[here].leads


def test_who_has_no_loop_has_no_tasks(probed: Path) -> None:
    assert probe.ask([os.getpid()], probed) == {os.getpid(): (None, False)}


def test_of_a_process_that_does_not_answer_nothing_is_known(
    probed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "kill", lambda pid, signal: None)

    assert probe.ask([os.getpid()], probed) == {}


def test_who_is_alive_is_weighed_and_who_is_not_is_left_out() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as alive:
        ended = SimpleNamespace(popen=SimpleNamespace(pid=1, poll=lambda: -9))
        running = SimpleNamespace(popen=alive)
        processes: Any = {"uvicorn": running, "stream 1": running, "other": ended}
        [seen] = look(processes, 12.5)
        alive.kill()

    assert (seen.at, seen.name, seen.pid, seen.tasks) == (12.5, "uvicorn", alive.pid, None)
    assert seen.rss_kb > 1000 and seen.files >= 3 and seen.sockets == 0


# -- browsers


def price(symbol: str, seq: int, close: float) -> str:
    frame = {"type": "price", "symbol": symbol, "timeframe": "1D", "seq": seq}
    return json.dumps({**frame, "prices": {"mode": "candle", "c": close}})


class Site:
    """Answers a browser's joins with prices, and can say more."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.socket: ServerConnection

    async def serve(self, socket: ServerConnection) -> None:
        self.socket = socket
        async for text in socket:
            try:
                message = json.loads(text)
            except ValueError:
                message = {}
            self.heard.append(message if isinstance(message, dict) else {})
            if self.heard[-1].get("type") == "join_symbol":
                await _say(socket, price(str(message["symbol"]), 10, 1.5))

    async def say(self, text: str) -> None:
        await _say(self.socket, text)


async def _say(socket: ServerConnection, text: str) -> None:
    await socket.send(f"[{text}]" if socket.subprotocol else text)


@pytest.mark.parametrize("seed", [1, 5])
async def test_a_browser_shows_the_newest_and_counts_what_goes_back(seed: int) -> None:
    site, codes = Site(), Counter[int]()
    server = serve(
        site.serve,
        "127.0.0.1",
        0,
        logger=SILENT,
        subprotocols=[Subprotocol("fcs.merge.v1")],
    )
    async with server as listening:
        url = f"ws://127.0.0.1:{next(iter(listening.sockets)).getsockname()[1]}"
        browser = Browser(url, ["B:1", "B:2"], Random(seed), codes)
        browser.stay()
        async with running(browser.live()):
            await eventually(lambda: browser.is_here)
            assert not browser.shows({"B:1": 1.5, "B:2": 7})
            await site.say(price("B:2", 11, 7))
            await eventually(lambda: browser.shows({"B:1": 1.5, "B:2": 7, "B:3": 0}))
            await site.say(price("B:1", 9, 1.25))
            await eventually(lambda: browser.backward == 1)
            await site.say('{"type":"ping"}')
            await eventually(lambda: {"type": "pong"} in site.heard)
            await site.socket.close(4408)
            await eventually(lambda: browser.visits == 2 and browser.is_here)
            await eventually(lambda: browser.behind == 1)
            assert browser.backward == 1

    assert codes == {4408: 1}


async def test_a_browser_that_babbled_comes_again() -> None:
    site = Site()
    async with serve(site.serve, "127.0.0.1", 0, logger=SILENT) as listening:
        url = f"ws://127.0.0.1:{next(iter(listening.sockets)).getsockname()[1]}"
        browser = Browser(url, ["B:1"], Random(7), Counter())
        browser.stay()
        async with running(browser.live()):
            await eventually(lambda: browser.is_here)
            await browser.babble(5)
            await site.say(price("B:1", 11, 2))
            await eventually(lambda: browser.visits == 2)


async def test_a_crowd_obeys_and_leaves() -> None:
    crowd, sites = _Crowd(), Site()
    async with serve(sites.serve, "127.0.0.1", 0, logger=SILENT) as listening:
        url = f"ws://127.0.0.1:{next(iter(listening.sockets)).getsockname()[1]}"
        symbols = [f"B:{number}" for number in range(9)]
        await crowd.obey({"do": "open", "urls": [url], "count": 3, "symbols": symbols, "seed": 1})
        await crowd.obey({"do": "stay"})

        async def here() -> bool:
            return (await crowd.obey({"do": "count"}))["here"] == 3

        await eventually(here)
        closes = dict.fromkeys(symbols, 1.5)
        assert (await crowd.obey({"do": "count", "closes": closes}))["right"] == 3
        await crowd.obey({"do": "stall", "count": 2, "seconds": 0.01})
        await crowd.obey({"do": "leave"})
        assert (await crowd.obey({"do": "count"}))["here"] == 0


# -- the vendor


async def test_the_vendor_resets_malforms_and_rests_at_a_last_price() -> None:
    market = _Market(seed=1, rate=50)
    async with Simulator(market) as simulator:
        vendor = _Vendor(market, simulator)
        async with watching(simulator.url, "BINANCE:S1_1D", "BINANCE:S2_1D") as watch:
            await eventually(lambda: len(watch.prices) > 5)
            assert (await vendor.obey({"do": "reset"})) == {"reset": 1}
            await eventually(lambda: len(watch.reasons) == 1)
            await eventually(lambda: len(simulator.rooms) == 2)
            await vendor.obey({"do": "malform", "seconds": 0.05})
            await eventually(lambda: not simulator.faults.malformed_every)
            closes = (await vendor.obey({"do": "rest"}))["closes"]
            await eventually(lambda: {1000.25, 1001.25} <= {it.c for it in watch.prices})

        assert closes == {"BINANCE:S1": 1000.25, "BINANCE:S2": 1001.25}
        assert {it.symbol: it.c for it in watch.prices} == closes
        assert (await vendor.obey({"do": "count"})).keys() == {"connections", "rooms", "dropped"}

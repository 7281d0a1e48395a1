"""Real ticks, from a recording to the eye of a visitor."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from django_fcs.widgets import formats
from tests.e2e.site import SETTINGS, Site, answering
from tests.support.network import free_port
from tests.support.recordings import FILES
from tests.support.serving import python
from tests.support.waiting import eventually

SMALL = """
{"mode":"initial","t":1577898000,"o":1.1212,"h":1.1212,"l":1.1212,"c":1.1212,"v":0.5}
{"mode":"candle","t":1577898000,"o":1.1212,"h":1.1219,"l":1.12,"c":1.1216,"v":42,"a":1.1217,"b":1.1215}
{"mode":"candle","t":1577898060,"o":1.1216,"h":1.12171,"l":1.1216,"c":1.1217,"v":7}
{"mode":"askbid","t":1577898060,"update":1577898100,"c":1.12165,"a":1.12172,"b":1.12161}
"""


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """Each recording there is, and a small one that is always there."""
    small = tmp_path / "small.jsonl"
    with small.open("w") as file:
        for at, prices in enumerate(map(json.loads, SMALL.split("\n")[1:-1])):
            frame = {"type": "price", "symbol": "FX:EURCHF", "timeframe": "1", "prices": prices}
            file.write(json.dumps({"at": 1577898000 + at, "text": json.dumps(frame)}) + "\n")
    return [*FILES, small]


@pytest.fixture
def market(paths: list[Path], tmp_path: Path) -> Path:
    """All recordings in one, each of a room of its own, which begins when a page joins it."""
    market = tmp_path / "market.jsonl"
    market.write_text("".join(path.read_text() for path in paths))
    return market


@dataclass(frozen=True)
class Merged:
    """What a recording's frames amount to, merged here without any of the project's code."""

    symbol: str
    timeframe: str
    values: dict[str, float]
    digits: int


def merged(path: Path) -> Merged:
    symbol = timeframe = ""
    values: dict[str, float] = {}
    digits = 0
    for line in path.read_text().splitlines():
        frame = json.loads(json.loads(line)["text"])
        prices = frame.get("prices", {})
        if prices.get("mode") not in ("initial", "candle", "askbid"):
            continue
        symbol, timeframe = frame["symbol"], frame["timeframe"]
        values.update({name: prices[name] for name in "ohlcvab" if name in prices})
        for name in set("ohlcab") & set(prices):
            digits = max(digits, len(str(prices[name]).partition(".")[2].rstrip("0")))
    return Merged(symbol, timeframe, values, digits)


@contextlib.asynccontextmanager
async def replaying(path: Path, port: int) -> AsyncIterator[None]:
    """Replay a recording with the simulator's command; nothing comes before somebody joins."""
    arguments = ("--port", str(port), "--replay", str(path), "--speed", "0")
    async with python("manage.py", "fcs_simulator", *arguments, env=SETTINGS):
        yield


async def shown(page: Page) -> dict[str, str]:
    """Read what stands on the page, field by field."""
    fields: dict[str, str] = await page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll("[data-field]")]
            .map((field) => [field.dataset.field, field.textContent]))"""
    )
    return fields


def expected(recording: Merged) -> dict[str, str]:
    names = {"close": "c", "high": "h", "low": "l", "ask": "a", "bid": "b"}
    texts = {
        field: formats.number(recording.values.get(name), recording.digits)
        for field, name in names.items()
    }
    return {**texts, "volume": formats.compact(recording.values["v"])}


async def check(page: Page, port: int, paths: list[Path]) -> None:
    """Open the page of each recording."""
    recordings = {path.stem: merged(path) for path in paths}
    assert len({(it.symbol, it.timeframe) for it in recordings.values()}) == len(paths)
    for name, recording in recordings.items():
        await check_one(page, port, name, recording)


async def check_one(page: Page, port: int, name: str, recording: Merged) -> None:
    wanted = expected(recording)
    address = f"http://127.0.0.1:{port}/watch/{recording.symbol}/{recording.timeframe}/"
    await page.goto(address)

    async def differences() -> dict[str, Any]:
        found = await shown(page)
        return {k: (found.get(k), v) for k, v in wanted.items() if found.get(k) != v}

    try:
        await eventually(lambda: _none(differences()), within=60)
    except AssertionError:
        found = await differences()
        raise AssertionError(f"shown and expected of {name} differ: {found}") from None


async def _none(differences: Any) -> bool:
    return not await differences


async def test_a_page_shows_any_recording_that_came_through_redis(
    page: Page, redis: str, paths: list[Path], market: Path
) -> None:
    port, upstream = free_port(), free_port()
    site = Site(f"ws://127.0.0.1:{upstream}", FCS_REDIS_URL=redis)
    async with replaying(market, upstream), site.starting_web(port):
        await answering(port, upstream)
        async with site.stream():
            await check(page, port, paths)


async def test_a_page_shows_any_recording_in_embedded_mode(
    page: Page, paths: list[Path], market: Path
) -> None:
    port, upstream = free_port(), free_port()
    site = Site(f"ws://127.0.0.1:{upstream}")
    async with replaying(market, upstream), site.starting_web(port, "runserver"):
        await answering(port, upstream)
        await check(page, port, paths)

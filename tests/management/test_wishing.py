"""The wish of ``fcs_candles fetch``: heard by every stream, and done when all of it is stored."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import override_settings

from django_fcs.exceptions import FCSError
from django_fcs.layer.bus import DEMAND, Beat, Bus, CandleNote, Wish
from django_fcs.management.commands import fcs_candles
from django_fcs.management.wishing import REPEAT_SECONDS, Fetching
from django_fcs.prices.paths import PathReport
from django_fcs.rooms import Room
from django_fcs.tools.tasks import running
from tests.streaming.streams import QUICK
from tests.support.caches import SickCache
from tests.support.layers import SharedLayer
from tests.support.waiting import eventually

ROOM, OTHER = Room("FX:EURUSD", "60"), Room("FX:USDJPY", "60")
T = 1_766_361_600
WISH = Wish(ROOM, start=T, before=T + 36_000)


class Scene:
    """A command that fetches, and the stream that hears it."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.now = 100.0
        self.heard: list[object] = []
        self.fetching = Fetching(WISH, intervals=QUICK, monotonic=lambda: self.now)

    async def listen(self) -> None:
        async for burst in self.bus.bursts():
            self.heard += burst

    async def beat(self, epoch: int = 1) -> None:
        await self.bus.beat(Beat(epoch, PathReport(1.0, online=True, reason="")))
        await eventually(lambda: self.fetching._heard_at == self.now)

    async def wished(self, times: int) -> None:
        await eventually(lambda: self.heard == times * [WISH])

    async def told(self, part: float, note: str = "") -> None:
        await eventually(lambda: self.fetching.progress[:2] == (part, note))


@asynccontextmanager
async def fetching() -> AsyncIterator[tuple[Scene, asyncio.Future[None]]]:
    async with Bus(DEMAND) as bus:
        scene = Scene(bus)
        async with running(scene.listen()):
            work = asyncio.ensure_future(scene.fetching.run())
            try:
                await scene.wished(1)
                yield scene, work
            finally:
                work.cancel()
                await asyncio.wait([work])


async def test_it_ends_once_the_stream_says_that_all_is_stored() -> None:
    async with fetching() as (scene, work):
        await scene.bus.tell(CandleNote(ROOM, T + 18_000, T + 36_000, note="more", wait=0.0))
        await scene.told(0.5, "more")
        await scene.bus.tell(CandleNote(ROOM, note="wait for 40 s", wait=40.0))
        await scene.told(0.5, "wait for 40 s")
        await scene.bus.tell(CandleNote(OTHER, T, T + 36_000))
        await scene.bus.tell(CandleNote(ROOM, T + 40_000, T + 50_000))
        await scene.bus.tell(CandleNote(ROOM, note="of others", ended=((T, T + 1),)))
        await scene.told(0.5, "of others")
        await scene.bus.tell(CandleNote(ROOM, T, T + 18_000, ended=((T, T + 36_000),)))
        await asyncio.wait_for(work, 10)

        assert scene.fetching.progress == (1.0, "", True)


async def test_it_fails_if_the_stream_cannot_ask_the_vendor() -> None:
    async with fetching() as (scene, work):
        await scene.bus.tell(CandleNote(ROOM, note="no key", ended=((T, T + 36_000),)))
        with pytest.raises(FCSError, match="no key"):
            await asyncio.wait_for(work, 10)


async def test_the_wish_is_repeated_and_a_new_stream_hears_it_at_once() -> None:
    async with fetching() as (scene, _):
        await scene.beat()
        await scene.wished(2)
        scene.now += QUICK.late / 2
        await scene.beat()
        await scene.beat(epoch=2)
        await scene.wished(3)
        for _ in range(REPEAT_SECONDS):
            scene.now += 1
            await scene.beat(epoch=2)
        await scene.wished(4)


async def test_it_fails_without_a_stream() -> None:
    async with fetching() as (scene, work):
        scene.now += QUICK.late + 1
        with pytest.raises(FCSError, match="no stream is running"):
            await asyncio.wait_for(work, 10)


def test_the_command_says_in_one_line_that_no_stream_is_running(
    shared_layer: type[SharedLayer],
    cache: type[SickCache],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = iter(range(0, 1000, 20))
    impatient = partial(Fetching, monotonic=lambda: next(clock))
    monkeypatch.setattr(fcs_candles, "Fetching", impatient)
    with override_settings(FCS_REST_KEY="history"):
        code, text = refused("FX:EURUSD_60", "--from", "2026-01-01")

    assert code == 1 and "start manage.py fcs_stream" in text
    assert "so only the newest 600 are fetched" in capsys.readouterr().err


def test_no_candles_of_the_future_are_wished_for(
    shared_layer: type[SharedLayer], cache: type[SickCache], monkeypatch: pytest.MonkeyPatch
) -> None:
    wished = list[Wish]()
    clock = iter(range(0, 1000, 20))

    def noted(wish: Wish) -> Fetching:
        wished.append(wish)
        return Fetching(wish, monotonic=lambda: next(clock))

    monkeypatch.setattr(fcs_candles, "Fetching", noted)
    with override_settings(FCS_REST_KEY="history"):
        refused("FX:EURUSD_60", "--from", "2026-01-01", "--to", "2999-01-01")

    assert wished[0].before is not None and wished[0].before <= time.time()


def test_the_command_says_that_the_database_keeps_no_candles_of_a_room(
    shared_layer: type[SharedLayer],
    cache: type[SickCache],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = iter(range(0, 1000, 20))
    monkeypatch.setattr(fcs_candles, "Fetching", partial(Fetching, monotonic=lambda: next(clock)))
    with override_settings(FCS_REST_KEY="history", FCS_CANDLES=1200):
        refused("FX:EURUSD_60", "--from", "2026-01-01")

    assert "only the newest 1200 are fetched" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["FX:EURUSD_60"], "fetch needs a date"),
        (["--from", "2026-01-01"], "fetch needs one room"),
        (["FX:EURUSD_60", "--from", "yesterday"], "--from 'yesterday' is no date"),
        (["FX:EURUSD_60", "--from", "2026-01-02", "--to", "2026-01-01"], "is not before --to"),
        (["FX:EURUSD_60", "--from", "2999-01-01"], "--from is in the future"),
        (["FX:EURUSD_60", "--from", "2026-01-01"], "set FCS_REST_KEY"),
        (["FX:EURUSD_60", "--from", "2026-01-01", "--before", "2026-01-01"], "--before is only"),
    ],
)
def test_wrong_use_is_told_in_one_line(
    arguments: list[str], reason: str, shared_layer: type[SharedLayer], cache: type[SickCache]
) -> None:
    code, text = refused(*arguments)

    assert code == 2 and reason in text


def test_a_site_in_one_process_fetches_what_its_pages_ask_for(candles_in_sqlite: None) -> None:
    with override_settings(FCS_REST_KEY="history"):
        code, text = refused("FX:EURUSD_60", "--from", "2026-01-01")

    assert code == 2 and "a site in one process fetches what its pages ask for" in text


def refused(*arguments: str) -> tuple[int, str]:
    """Run a fetch that fails; its exit code and the one line that it prints."""
    with pytest.raises(CommandError) as raised:
        call_command("fcs_candles", "fetch", *arguments)
    assert "\n" not in str(raised.value)
    return raised.value.returncode, str(raised.value)

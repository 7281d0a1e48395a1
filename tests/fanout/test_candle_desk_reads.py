"""Requests for candles whose reads hang or fail, or of browsers that leave meanwhile."""

from __future__ import annotations

import asyncio
import time

import pytest
from django.test import override_settings

from django_fcs.fanout.candles import PATIENCE_SECONDS, PAUSE_SECONDS, WAITING_MAX, CandleDesk
from django_fcs.fanout.routes import Key
from django_fcs.layer.events import CandleNote
from django_fcs.rooms import Room
from django_fcs.tools.tasks import end
from tests.support.waiting import eventually

from .test_candle_desk import EURUSD, KEY, Page, Scene, T, site_with_a_key

__all__ = ["site_with_a_key"]

GBPUSD = Key(Room("FX:GBPUSD", "60"), "60")


@pytest.mark.parametrize("fails", [False, True])
async def test_a_room_that_cannot_be_read_holds_up_no_other(fails: bool) -> None:
    scene, page, other = Scene(), Page(), Page(GBPUSD)
    scene.hours, scene.stuck = [0, 1, 2], {EURUSD}
    scene.error = OSError("locked") if fails else None
    desk = CandleDesk(scene.read, read_seconds=0.05, monotonic=lambda: scene.now)
    desk.ask(page, KEY, limit=3, before=None)
    desk.ask(page, KEY, limit=4, before=None)
    desk.ask(other, GBPUSD, limit=3, before=None)
    turn = asyncio.ensure_future(desk.turn(scene))
    if not fails:
        await eventually(lambda: bool(other.texts))
        assert not page.texts, "it is still being read"
    await turn
    assert other.opened == [[2, 1, 0]] and not page.texts

    scene.now += PATIENCE_SECONDS
    await desk.turn(scene)
    assert page.opened == [[], []]
    assert "cannot be read" in page.heard[0]["note"] and page.heard[0]["more"]
    scene.stuck = set()
    scene.now += PAUSE_SECONDS
    await desk.turn(scene)
    assert page.opened[2:] == [[2, 1, 0]], "once it can be read"


@pytest.mark.parametrize("key", ["history", ""])
@pytest.mark.parametrize("fails", [False, True])
async def test_a_request_that_cannot_be_read_is_read_again_until_it_can_be(
    fails: bool, key: str
) -> None:
    scene, page = Scene(), Page()
    scene.hours, scene.more = [0, 1, 2, 3], False
    scene.unread = not fails
    scene.stuck, scene.error = {EURUSD} if fails else set(), OSError("locked")
    with override_settings(FCS_REST_KEY=key):
        scene.ask(page, limit=2, before=T)
        if not fails:
            scene.hours = []
        for _ in range(3):
            await scene.turn(seconds=1)
        assert not page.texts and len(scene.wished) == bool(key)
        scene.stuck, scene.unread, scene.hours = set(), False, [0, 1, 2, 3]
        await scene.turn(seconds=1)

    assert page.opened == [[2, 1]] and not page.heard[0]["note"]


async def test_a_page_of_a_database_that_does_not_answer_says_so_and_gets_the_rest_later() -> None:
    scene, page = Scene(), Page()
    with override_settings(FCS_REST_KEY=""):
        scene.hours, scene.unread = [0], True
        scene.ask(page)
        await scene.turn()
        await scene.turn(seconds=PATIENCE_SECONDS)
        assert page.opened == [[0]] and page.heard[0]["note"] == "the database does not answer"
        await scene.turn(seconds=PAUSE_SECONDS)
        assert len(page.texts) == 1
        scene.hours, scene.unread = [0, 1, 2], False
        for _ in range(3):
            await scene.turn(seconds=PAUSE_SECONDS)

    assert page.opened == [[0], [2, 1, 0]], "once"


async def test_a_push_that_cannot_be_read_holds_up_no_other_and_is_made_up_for() -> None:
    scene, page = Scene(), Page()
    scene.hours = [0, 1, 2]
    scene.desk = CandleDesk(scene.read, read_seconds=0.05, monotonic=lambda: scene.now)
    scene.ask(page)
    await scene.turn()
    scene.stuck = {EURUSD}
    await scene.turn(CandleNote(EURUSD, T - 7200, T))
    assert len(page.texts) == 1
    scene.stuck = set()
    await scene.turn(CandleNote(EURUSD))

    assert page.opened[1:] == [[2, 1, 0]]


async def test_a_request_outlives_a_turn_that_is_cancelled() -> None:
    scene, page = Scene(), Page()
    scene.hours, scene.stuck = [0, 1, 2], {EURUSD}
    scene.ask(page)
    turn = asyncio.ensure_future(scene.turn())
    await eventually(lambda: scene.reads == 1)
    await end(turn)
    scene.stuck = set()
    await scene.turn()

    assert page.opened == [[2, 1, 0]]
    assert all(scene.ask(page, before=T + number) for number in range(WAITING_MAX))


async def test_a_browser_that_leaves_while_its_room_is_read_gets_no_answer() -> None:
    scene, page = Scene(), Page()
    scene.hours, scene.stuck = [0, 1, 2], {EURUSD}
    scene.ask(page)
    turn = asyncio.ensure_future(scene.turn())
    await eventually(lambda: scene.reads == 1)
    scene.desk.forget(page, KEY)
    scene.freed.set()
    await turn

    assert not page.texts and not scene.wished


def test_five_thousand_browsers_ask_within_one_turn_of_the_loop() -> None:
    scene, pages = Scene(), [Page() for _ in range(5000)]
    began = time.process_time()
    assert all(scene.ask(page) for page in pages)

    assert time.process_time() - began < 0.4

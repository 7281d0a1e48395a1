"""Requests of browsers for candles: answered at once, after the stream's note, or after a while."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings

from django_fcs.candles import Candle, Candles
from django_fcs.fanout.candles import (
    PATIENCE_SECONDS,
    PAUSE_SECONDS,
    REPEAT_SECONDS,
    WAITING_MAX,
    CandleDesk,
)
from django_fcs.fanout.pages import PAGE_MAX, page_of
from django_fcs.fanout.routes import Key
from django_fcs.layer.events import CandleNote, Wish
from django_fcs.rooms import Room

EURUSD = Room("FX:EURUSD", "60")
KEY = Key(EURUSD, "1h")
T = 1_766_361_600


@pytest.fixture(autouse=True)
def site_with_a_key() -> Iterator[None]:
    with override_settings(FCS_REST_KEY="history"):
        yield


class Page:
    def __init__(self, *keys: Key) -> None:
        self.joined = dict.fromkeys(keys or (KEY,))
        self.texts: list[str] = []

    def reply(self, text: str) -> None:
        self.texts.append(text)

    @property
    def heard(self) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.texts]

    @property
    def opened(self) -> list[list[int]]:
        """When the candles of each answer opened, in hours before ``T``."""
        return [[(T - row[0]) // 3600 for row in one["candles"]] for one in self.heard]


class Scene:
    """A desk, the store that it reads, and the stream that it wishes from."""

    def __init__(self) -> None:
        self.now = 100.0
        self.hours: list[int] = []
        """Of the candles that the store has, before ``T``."""
        self.missing: tuple[tuple[int, int], ...] = ()
        self.repaired: tuple[tuple[int, int], ...] = ()
        self.unread = False
        self.more = True
        self.reads = 0
        self.wished: list[Wish] = []
        self.stuck: set[Room] = set()
        """Rooms whose reads hang until ``freed``, or fail with ``error``."""
        self.freed = asyncio.Event()
        self.error: Exception | None = None
        self.desk = CandleDesk(
            self.read, monotonic=lambda: self.now, clock=lambda: T + self.now - 100
        )

    async def read(self, room: Room, /, *, limit: int, before: int | None) -> Candles:
        self.reads += 1
        if room in self.stuck:
            if self.error is not None:
                raise self.error
            await self.freed.wait()
        times = sorted(T - 3600 * hours for hours in self.hours)
        rows = [Candle(t, 1.1, 1.3, 1.0, 1.2, None, True) for t in times if t < (before or T + 1)]
        return Candles(
            room,
            tuple(rows[-limit:]),
            missing=self.missing,
            repaired=self.repaired,
            more=self.more or len(rows) > limit,
            note="the database does not answer" if self.unread else "",
            unread=self.unread,
        )

    async def wish(self, *wishes: Wish) -> None:
        self.wished += wishes

    def ask(self, page: Page, *, limit: int = 3, before: int | None = None) -> bool:
        return self.desk.ask(page, KEY, limit=limit, before=before)

    async def turn(self, *notes: CandleNote, seconds: float = 0) -> None:
        self.now += seconds
        for note in notes:
            self.desk.note(note)
        await self.desk.turn(self)


async def test_what_the_store_has_is_answered_at_once_as_the_browser_spells_the_room() -> None:
    scene, page = Scene(), Page()
    scene.hours = [0, 1, 2, 3]
    scene.ask(page)
    await scene.turn()

    [answer] = page.heard
    assert (answer["type"], answer["symbol"], answer["timeframe"]) == ("candles", "FX:EURUSD", "1h")
    assert page.opened == [[2, 1, 0]] and answer["more"] is True and answer["note"] == ""
    assert answer["candles"][0] == [T - 7200, 1.1, 1.3, 1.0, 1.2, None]


async def test_a_request_waits_until_the_stream_has_fetched_what_is_missing() -> None:
    scene, page = Scene(), Page()
    scene.ask(page)
    await scene.turn()

    assert not page.texts and scene.wished == [Wish(EURUSD, limit=3)]
    scene.hours = [0, 1, 2]
    await scene.turn(CandleNote(EURUSD, T - 7200, T))
    assert page.opened == [[2, 1, 0]]


@pytest.mark.parametrize("more", [True, False])
async def test_a_request_with_a_hole_waits_although_there_are_enough_candles(more: bool) -> None:
    scene, page = Scene(), Page()
    scene.hours, scene.missing, scene.more = [0, 3, 4], ((T - 7200, T - 3600),), more
    scene.ask(page)
    await scene.turn()

    assert not page.texts and scene.wished


async def test_a_request_that_waits_too_long_gets_what_is_there_with_a_note() -> None:
    scene, page = Scene(), Page()
    scene.hours = [0]
    scene.ask(page)
    await scene.turn()
    await scene.turn(seconds=PATIENCE_SECONDS - 0.1)
    assert not page.texts

    await scene.turn(seconds=0.1)
    assert page.opened == [[0]] and "still being fetched" in page.heard[0]["note"]


async def test_a_page_is_told_at_once_why_it_has_to_wait_and_gets_the_rest_later() -> None:
    scene, page = Scene(), Page()
    scene.ask(page)
    await scene.turn()
    await scene.turn(CandleNote(EURUSD, note="wait for 40 s", wait=40.0))

    assert page.heard[0]["note"] == "wait for 40 s" and page.opened == [[]]
    scene.hours = [0, 1, 2]
    await scene.turn(CandleNote(EURUSD, T - 7200, T), seconds=40)
    assert page.opened == [[], [2, 1, 0]]


async def test_a_page_gets_candles_that_were_repaired_without_asking_and_no_others() -> None:
    scene, page, other = Scene(), Page(), Page()
    scene.hours = [0, 3, 4]
    scene.ask(page)
    await scene.turn()
    scene.hours = [0, 1, 2, 3, 4]
    await scene.turn(CandleNote(EURUSD, T - 7200, T - 3600))

    assert page.opened == [[4, 3, 0], [2, 1]] and not other.texts


async def test_a_site_without_a_key_waits_for_nothing_and_wishes_nothing() -> None:
    scene, page = Scene(), Page()
    with override_settings(FCS_REST_KEY=""):
        scene.ask(page)
        await scene.turn()
        await scene.turn(seconds=REPEAT_SECONDS)

    assert page.opened == [[]] and not scene.wished


async def test_two_hundred_pages_with_the_same_request_cost_one_read_and_one_wish() -> None:
    scene, pages = Scene(), [Page() for _ in range(200)]
    for page in pages:
        scene.ask(page)
    await scene.turn()

    assert scene.reads == 1 and scene.wished == [Wish(EURUSD, limit=3)]
    scene.hours = [0, 1, 2]
    await scene.turn(CandleNote(EURUSD, T - 7200, T))
    assert scene.reads == 2 and all(page.opened == [[2, 1, 0]] for page in pages)


async def test_a_room_whose_candles_are_shown_is_wished_for_again_and_again() -> None:
    scene, page = Scene(), Page()
    scene.hours = [0, 1, 2]
    scene.ask(page)
    await scene.turn()
    assert scene.wished == [Wish(EURUSD, limit=3)]

    await scene.turn(seconds=REPEAT_SECONDS - 1)
    assert len(scene.wished) == 1
    await scene.turn(seconds=1)
    assert len(scene.wished) == 2

    del page.joined[KEY]
    scene.desk.forget(page, KEY)
    await scene.turn(seconds=2 * REPEAT_SECONDS)
    assert len(scene.wished) == 2


async def test_a_browser_that_has_left_gets_no_answer() -> None:
    scene, left, gone = Scene(), Page(), Page()
    for page in (left, gone):
        scene.ask(page)
    await scene.turn()
    scene.desk.forget(left, KEY)
    gone.joined.clear()
    scene.hours = [0, 1, 2]
    await scene.turn(CandleNote(EURUSD, T - 7200, T))

    assert not left.texts and not gone.texts


async def test_the_requests_of_one_browser_that_wait_are_bounded() -> None:
    scene, page = Scene(), Page()
    asked = [scene.ask(page, before=T + number) for number in range(WAITING_MAX + 1)]

    assert asked == [True] * WAITING_MAX + [False]
    assert scene.ask(page, before=T), "it waits already"
    await scene.turn()
    assert not scene.ask(page, before=T - 1), "they wait for the stream"
    assert scene.ask(Page())


async def test_wishes_are_sent_again_to_a_stream_that_may_not_have_heard_them() -> None:
    scene, page = Scene(), Page()
    scene.ask(page)
    scene.ask(page, before=T)
    await scene.turn()
    scene.wished.clear()
    scene.desk.wish_again()
    await scene.turn()
    assert set(scene.wished) == {Wish(EURUSD, limit=3), Wish(EURUSD, limit=3, before=T)}
    assert len(scene.wished) == 2

    scene.hours = [0, 1, 2]
    await scene.turn(CandleNote(EURUSD, T - 7200, T))
    await scene.turn()
    scene.wished.clear()
    scene.desk.wish_again()
    await scene.turn()
    assert scene.wished == [Wish(EURUSD, limit=3)], "its candles are shown"


async def test_a_page_that_lacks_candles_gets_them_even_if_the_note_about_them_was_lost() -> None:
    scene, page = Scene(), Page()
    scene.ask(page)
    await scene.turn()
    await scene.turn(CandleNote(EURUSD, note="wait for 40 s", wait=40.0))
    scene.hours = [0, 1, 2]
    for _ in range(2):
        await scene.turn(CandleNote(EURUSD), seconds=REPEAT_SECONDS)

    assert page.opened == [[], [2, 1, 0]], "once"
    assert page.heard[1]["note"] == ""


async def test_a_page_gets_no_candles_that_somebody_else_has_asked_for() -> None:
    scene, page = Scene(), Page()
    scene.hours = list(range(100))
    scene.ask(page)
    await scene.turn()
    await scene.turn(CandleNote(EURUSD, T - 50 * 3600, T - 40 * 3600))

    assert page.opened == [[2, 1, 0]] and scene.reads == 1


async def test_what_was_repaired_while_the_hub_heard_nothing_is_sent_once_it_hears_again() -> None:
    scene, page, young = Scene(), Page(), Page()
    hole = (T - 3 * 3600, T - 2 * 3600)
    scene.hours, scene.missing, scene.more = [0, 1, 2, 4, 5], (hole,), False
    scene.ask(page, limit=5)
    await scene.turn()
    await scene.turn(seconds=PATIENCE_SECONDS)
    scene.ask(young, limit=2)
    await scene.turn()
    assert page.opened == [[5, 4, 2, 1, 0]]
    scene.desk.hear()

    scene.hours, scene.missing, scene.repaired = [0, 1, 2, 3, 4, 5], (), (hole,)
    await scene.turn(seconds=REPEAT_SECONDS)
    assert len(page.texts) == 1, "the note was lost"
    scene.desk.wish_again()
    await scene.turn()
    assert page.opened[1:] == [[3, 2, 1, 0]]
    assert young.opened == [[1, 0], [1, 0]], "it has no older ones"


async def test_candles_that_ended_while_the_hub_heard_nothing_are_sent_and_no_older_ones() -> None:
    scene, page = Scene(), Page()
    scene.hours = [0, 1, 2]
    scene.ask(page)
    await scene.turn()
    scene.desk.hear()
    scene.desk.wish_again()
    await scene.turn()
    assert page.opened == [[2, 1, 0], [1, 0]], "what was heard last may have been half a candle"

    scene.desk.wish_again()
    scene.unread = True
    await scene.turn()
    scene.unread = False
    await scene.turn(seconds=PAUSE_SECONDS - 1)
    assert len(page.texts) == 2
    await scene.turn(seconds=1)
    await scene.turn(seconds=PAUSE_SECONDS)
    assert page.opened[2:] == [[1, 0]], "once it can be read"


async def test_wishes_are_sent_again_over_a_new_connection() -> None:
    scene, page = Scene(), Page()
    scene.ask(page)
    await scene.turn()
    serving = scene.desk.serve(scene, 60)
    with pytest.raises(StopIteration):
        serving.send(None)
        serving.close()
        raise StopIteration

    assert scene.wished == 2 * [Wish(EURUSD, limit=3)]


def test_a_page_is_shorter_than_64_kb_and_has_the_newest_candles() -> None:
    def candle(number: int) -> Candle:
        price = 12_345.678_901_234_5 + number / 7
        return Candle(T + 60 * number, price, price, price, price, 1e17 / 7, True)

    rows = [candle(number) for number in range(5000)]
    text = page_of(
        KEY, Candles(EURUSD, tuple(rows), missing=((0, T), (T + 60 * 4990, T + 60 * 4991)))
    )
    page = json.loads(text)

    assert PAGE_MAX * 0.9 < len(text) <= PAGE_MAX
    assert page["candles"][-1][0] == rows[-1].t and page["more"] is True
    assert page["missing"] == [[T + 60 * 4990, T + 60 * 4991]], "of the candles that it has"


def test_a_page_may_begin_later_than_its_candles() -> None:
    rows = [Candle(T + hours * 3600, 1, 2, 0.5, 1, None, True) for hours in range(4)]
    page = json.loads(page_of(KEY, Candles(EURUSD, tuple(rows)), start=T + 3601))

    assert [row[0] for row in page["candles"]] == [T + 7200, T + 10_800]


async def test_candles_that_another_browser_asked_for_go_to_no_one_who_lacks_those_between() -> (
    None
):
    scene = Scene()
    scene.hours, scene.more = [0, 1, 2, 500, 501, 502], False
    near, far = Page(), Page()
    scene.ask(near)
    scene.ask(far, before=T - 499 * 3600)
    await scene.desk.turn(scene)

    scene.desk.note(CandleNote(EURUSD, T - 502 * 3600, T - 500 * 3600))
    await scene.desk.turn(scene)
    assert near.opened == [[2, 1, 0]]
    assert far.opened == 2 * [[502, 501, 500]]


def test_a_page_that_begins_later_says_that_there_are_older_candles() -> None:
    rows = tuple(Candle(T + 3600 * n, 1.1, 1.3, 1.0, 1.2, None, True) for n in range(4))

    assert json.loads(page_of(KEY, Candles(EURUSD, rows)))["more"] is False
    assert json.loads(page_of(KEY, Candles(EURUSD, rows), start=T + 3600))["more"] is True


async def test_an_open_page_is_told_which_candles_are_missing_before_any_are_fetched() -> None:
    scene, page = Scene(), Page()
    scene.hours, scene.more = [4, 5, 6, 7], False
    scene.ask(page, limit=10)
    await scene.turn()

    scene.hours, scene.missing = [0, 4, 5, 6, 7], ((T - 3 * 3600, T),)
    await scene.turn(CandleNote(EURUSD, holes=True))
    assert page.opened[1:] == [[4, 0]]
    assert page.heard[1]["missing"] == [[T - 3 * 3600, T]]

    await scene.turn(CandleNote(EURUSD, note="wait", wait=60.0), seconds=PAUSE_SECONDS)
    assert len(page.texts) == 2, "it knows that"

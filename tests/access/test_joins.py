"""The joins of one socket: asked for in order, a few at once, and forgotten where it leaves."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from django_fcs.access.authorizer import Answer
from django_fcs.access.joins import Joins
from django_fcs.fanout.routes import Key
from django_fcs.rooms import Room


def key(number: int, spelling: str = "1D") -> Key:
    return Key(Room(f"FX:NO{number}", "1D"), spelling)


class Site:
    """A site's function that answers when it is told to."""

    def __init__(self) -> None:
        self.asked: dict[Room, asyncio.Future[Answer]] = {}

    async def ask(self, room: Room) -> Answer:
        self.asked[room] = asyncio.get_running_loop().create_future()
        return await self.asked[room]

    def say(self, number: int, answer: Answer = Answer.YES) -> None:
        self.asked[key(number).room].set_result(answer)


@pytest.fixture
def site() -> Site:
    return Site()


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_rooms_are_asked_for_in_order_a_few_at_once_and_answered_as_they_come(
    site: Site,
) -> None:
    joins = Joins(site.ask, {}, at_once=2)
    for number in range(4):
        joins.add(key(number))
    async with aclosing(joins.answers()) as answers:
        first = asyncio.ensure_future(anext(answers))
        await turns()
        assert list(site.asked) == [key(0).room, key(1).room]
        assert len(joins) == 4

        site.say(1, Answer.NO)
        assert await first == (key(1), Answer.NO, None)
        site.say(0)
        assert await anext(answers) == (key(0), Answer.YES, None)
        assert list(site.asked) == [key(0).room, key(1).room, key(2).room, key(3).room][:3]
        assert len(joins) == 2


async def test_a_room_that_waits_is_asked_for_once(site: Site) -> None:
    joins = Joins(site.ask, {}, at_once=1)
    async with aclosing(joins.answers()) as answers:
        waiting = asyncio.ensure_future(anext(answers))
        for number in (0, 0, 1, 1, 0):
            joins.add(key(number))
        await turns()
        joins.add(key(0))
        assert len(joins) == 2 and key(0) in joins and key(1) in joins

        site.say(0)
        assert await waiting == (key(0), Answer.YES, None)
        assert key(0) not in joins


@pytest.mark.parametrize("how", ["discard", "clear"])
async def test_a_room_that_was_left_is_not_joined_by_a_late_answer(site: Site, how: str) -> None:
    joins = Joins(site.ask, {}, at_once=1)
    async with aclosing(joins.answers()) as answers:
        waiting = asyncio.ensure_future(anext(answers))
        joins.add(key(0))
        joins.add(key(1))
        await turns()
        if how == "discard":
            joins.discard("FX:NO0", "1D")
            joins.discard("FX:NO1", "1D")
            joins.discard("FX:NO9", "1D")
        else:
            joins.clear()
        await turns()
        assert len(joins) == 0 and not waiting.done()
        assert site.asked[key(0).room].cancelled()
        assert list(site.asked) == [key(0).room]

        joins.add(key(0))
        await turns()
        site.say(0)
        assert await waiting == (key(0), Answer.YES, None)


async def test_a_room_that_ends_is_answered_under_each_spelling_that_is_joined(site: Site) -> None:
    joined = {key(0): None, key(0, "D"): None, key(1): None}
    joins = Joins(site.ask, joined)
    assert list(joins.rooms()) == [key(0).room, key(1).room]
    async with aclosing(joins.answers()) as answers:
        joins.end(key(0).room, Answer.NO)
        joins.end(key(7).room, Answer.NO)

        assert await anext(answers) == (key(0), Answer.NO, None)
        assert await anext(answers) == (key(0, "D"), Answer.NO, None)


async def test_a_room_that_ends_while_it_is_asked_for_is_answered_once(site: Site) -> None:
    joins = Joins(site.ask, {})
    async with aclosing(joins.answers()) as answers:
        waiting = asyncio.ensure_future(anext(answers))
        joins.add(key(0), "token")
        await turns()
        assert list(joins.rooms()) == [key(0).room]
        joins.end(key(0).room, Answer.NO)

        assert await waiting == (key(0), Answer.NO, None)
        assert len(joins) == 0 and site.asked[key(0).room].cancelled()

        waiting = asyncio.ensure_future(anext(answers))
        joins.add(key(0), "token")
        await turns()
        site.say(0)
        assert await waiting == (key(0), Answer.YES, "token")


async def test_calls_end_with_the_socket(site: Site) -> None:
    joins = Joins(site.ask, {})
    async with aclosing(joins.answers()) as answers:
        waiting = asyncio.ensure_future(anext(answers))
        joins.add(key(0))
        await turns()
        waiting.cancel()
        await asyncio.wait([waiting])

    assert site.asked[key(0).room].cancelled()

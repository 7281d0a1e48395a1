"""A yes does not hold for ever: when it is asked for again, of whom, and what ends it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import pytest
from django.test import override_settings

from django_fcs.access import clients
from django_fcs.access.authorizer import Answer, Authorizer
from django_fcs.access.clients import Client, request_for
from django_fcs.access.joins import Joins
from django_fcs.access.reviews import Reviews
from django_fcs.access.scopes import SocketScope
from django_fcs.fanout.requests import Requests
from django_fcs.fanout.routes import Key
from django_fcs.layer.events import AskAgain
from django_fcs.rooms import Room
from tests.support import virtual_time

PERIOD = 300
ADA = Client("1", "session-of-ada")
BOB = Client("2", "session-of-bob")
NOBODY = Client("", "")


def rooms(*numbers: int) -> dict[Key, None]:
    return {Key(Room(f"FX:NO{number}", "1D"), "1D"): None for number in numbers}


class Site(Authorizer):
    """What the site's function says, and how often it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, list[Answer]] = {}
        """What it says of a symbol next; of all others it says yes."""
        self.asked: Counter[str] = Counter()
        self.times: list[float] = []
        self.sessions: list[bool] = []
        """Whether reading the session works, for the next times."""

    async def ask(self, scope: Mapping[str, Any], room: Room) -> Answer:
        assert scope["is_fresh"]
        self.asked[room.symbol] += 1
        self.times.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0.1)
        answers = self.answers.get(room.symbol)
        return answers.pop(0) if answers else Answer.YES

    async def refreshed(self, scope: Mapping[str, Any]) -> Mapping[str, Any] | None:
        works = self.sessions.pop(0) if self.sessions else True
        return {**scope, "is_fresh": True} if works else None


class House:
    """The reviews of a process, in virtual time."""

    def __init__(self, *, chance: float = 0.5) -> None:
        time = asyncio.get_running_loop().time
        self.time = time
        self.site = Site()
        self.requests = Requests()
        self.reviews = Reviews(self.site, self.requests, monotonic=time, chance=lambda: chance)

    @asynccontextmanager
    async def socket(self, client: Client, *numbers: int) -> AsyncIterator[Socket]:
        joined = rooms(*numbers)
        joins = Joins(lambda room: self.site.ask({}, room), joined)
        scope = SocketScope({}, self.site, monotonic=self.time)
        async with self.reviews.entered(joins, scope, client):
            yield Socket(joins)


class Socket:
    def __init__(self, joins: Joins) -> None:
        self._joins = joins

    @property
    def ended(self) -> list[tuple[str, Answer]]:
        return [(room.symbol, answer) for room, answer in self._joins._ended.items()]


Test = Callable[[House], Coroutine[Any, Any, None]]


def in_virtual_time(test: Test) -> Callable[[], None]:
    def run() -> None:
        async def main() -> None:
            await test(House())

        with override_settings(FCS_REAUTHORIZE_SECONDS=PERIOD):
            virtual_time.run(main())

    run.__name__ = test.__name__
    return run


@in_virtual_time
async def test_each_room_is_asked_for_once_a_period_beginning_at_a_random_time(
    house: House,
) -> None:
    async with house.socket(ADA, 1, 2) as socket:
        await asyncio.sleep(PERIOD / 2 - 1)
        assert not house.site.asked
        await asyncio.sleep(2)
        assert house.site.asked == {"FX:NO1": 1, "FX:NO2": 1}
        await asyncio.sleep(PERIOD)
        assert house.site.asked == {"FX:NO1": 2, "FX:NO2": 2}
        assert not socket.ended


@in_virtual_time
async def test_a_room_is_asked_for_once_however_many_sockets_of_a_session_have_it(
    house: House,
) -> None:
    house.site.answers["FX:NO2"] = [Answer.NO]
    async with house.socket(ADA, 1, 2) as one, house.socket(ADA, 2, 3) as two:
        await asyncio.sleep(PERIOD / 2 + 1)

        assert house.site.asked == {"FX:NO1": 1, "FX:NO2": 1, "FX:NO3": 1}
        assert one.ended == two.ended == [("FX:NO2", Answer.NO)]


@in_virtual_time
async def test_without_a_session_each_socket_is_asked_for_by_itself(house: House) -> None:
    async with house.socket(NOBODY, 1), house.socket(NOBODY, 1):
        await asyncio.sleep(PERIOD / 2 + 1)

        assert house.site.asked == {"FX:NO1": 2}


@in_virtual_time
async def test_only_the_room_that_got_a_no_ends(house: House) -> None:
    house.site.answers["FX:NO1"] = [Answer.NO]
    async with house.socket(ADA, 1, 2) as ada, house.socket(BOB, 1) as bob:
        house.site.answers["FX:NO1"] = [Answer.NO, Answer.YES]
        await asyncio.sleep(PERIOD / 2 + 1)

        assert ada.ended == [("FX:NO1", Answer.NO)]
        assert bob.ended == []


@in_virtual_time
async def test_no_answer_is_a_no_at_the_second_asking(house: House) -> None:
    house.site.answers = {
        "FX:NO1": [Answer.NONE, Answer.YES],
        "FX:NO2": [Answer.NONE, Answer.NONE],
        "FX:NO3": [Answer.NONE, Answer.NO],
    }
    async with house.socket(ADA, 1, 2, 3) as socket:
        await asyncio.sleep(PERIOD / 2 + 5)
        assert socket.ended == []
        await asyncio.sleep(10)

        assert sorted(socket.ended) == [("FX:NO2", Answer.NONE), ("FX:NO3", Answer.NO)]
        assert house.site.asked == {"FX:NO1": 2, "FX:NO2": 2, "FX:NO3": 2}


@in_virtual_time
async def test_a_session_that_cannot_be_read_twice_ends_all_rooms(house: House) -> None:
    house.site.sessions = [False, True, False, False]
    async with house.socket(ADA, 1, 2) as socket:
        await asyncio.sleep(PERIOD / 2 + 15)
        assert socket.ended == [] and house.site.asked.total() == 2
        await asyncio.sleep(PERIOD)

        assert sorted(socket.ended) == [("FX:NO1", Answer.NONE), ("FX:NO2", Answer.NONE)]


@pytest.mark.parametrize(
    ("how", "asked"),
    [
        ({"user": 1}, {"FX:NO1": 1}),
        ({"user": "2"}, {"FX:NO2": 1}),
        ({"session_key": "session-of-bob"}, {"FX:NO2": 1}),
        ({"user": 1, "session_key": "session-of-bob"}, {}),
        ({"user": 3}, {}),
        ({}, {"FX:NO1": 1, "FX:NO2": 1, "FX:NO3": 1}),
    ],
)
def test_a_request_makes_those_be_asked_for_whom_it_names(
    how: dict[str, Any], asked: dict[str, int]
) -> None:
    @in_virtual_time
    async def test(house: House) -> None:
        async with house.socket(ADA, 1), house.socket(BOB, 2), house.socket(NOBODY, 3) as nobody:
            house.requests.put(request_for(**how))
            await asyncio.sleep(1)

            assert house.site.asked == asked
            assert nobody.ended == []

    test()


@in_virtual_time
async def test_a_request_during_a_review_is_followed_by_another_review(house: House) -> None:
    async with house.socket(ADA, 1):
        house.requests.put(request_for(user=1))
        await asyncio.sleep(0.05)
        for _ in range(1000):
            house.requests.put(request_for(user=1))
        await asyncio.sleep(1)

        assert house.site.asked == {"FX:NO1": 2}


@in_virtual_time
async def test_a_flood_of_requests_is_read_as_one_for_all(house: House) -> None:
    async with house.socket(ADA, 1), house.socket(BOB, 2):
        for number in range(5000):
            house.requests.put(request_for(user=number + 100))
        assert len(house.requests._waiting) <= 1001
        await asyncio.sleep(1)

        assert house.site.asked == {"FX:NO1": 1, "FX:NO2": 1}


@in_virtual_time
async def test_reviews_are_spread_over_the_period(house: House) -> None:
    chances = iter([0.9, 0.1])
    house.reviews._chance = lambda: next(chances)
    async with house.socket(ADA, 1), house.socket(BOB, 2):
        await asyncio.sleep(PERIOD)

        assert house.site.times == pytest.approx([0.1 * PERIOD, 0.9 * PERIOD], abs=1)


@in_virtual_time
async def test_a_client_that_has_gone_is_not_asked_for(house: House) -> None:
    async with house.socket(BOB, 2):
        async with house.socket(ADA, 1):
            pass
        await asyncio.sleep(PERIOD)

        assert house.site.asked == {"FX:NO2": 1}


@in_virtual_time
async def test_clients_that_have_gone_leave_nothing_behind(house: House) -> None:
    async with house.socket(BOB, 2):
        for number in range(1000):
            async with house.socket(Client("1", f"session-{number}"), 1):
                house.requests.put(request_for(user=1))
                await asyncio.sleep(0.01)
        await asyncio.sleep(1)

        agenda = house.reviews._agenda
        assert len(agenda._listed) == len(house.reviews._visits) == 1
        assert agenda._entries < 100


@in_virtual_time
async def test_many_requests_cost_no_hash_each(house: House) -> None:
    about_ada = request_for(user=1)
    async with house.socket(ADA, 1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(clients, "_hash", None)
            for number in range(900):
                house.requests.put(AskAgain(user=f"{number}"))
            await asyncio.sleep(1)
            assert not house.site.asked

            house.requests.put(about_ada)
            await asyncio.sleep(1)
            assert house.site.asked == {"FX:NO1": 1}


@in_virtual_time
async def test_a_request_about_many_clients_begins_a_few_reviews_at_a_time(house: House) -> None:
    async with AsyncExitStack() as stack:
        for number in range(500):
            await stack.enter_async_context(house.socket(Client("", f"{number}"), 1))
        house.requests.put(AskAgain())
        now = house.time()
        await asyncio.sleep(0.005)
        dues = Counter(house.reviews._agenda._listed.values())

        assert max(dues.values()) <= 50
        assert now < min(dues) and max(dues) < now + 1
        await asyncio.sleep(20)
        assert house.site.asked == {"FX:NO1": 500}


def test_reviews_leave_places_to_those_who_join() -> None:
    async def main() -> None:
        time, requests = asyncio.get_running_loop().time, Requests()
        authorizer = Authorizer()
        reviews = Reviews(authorizer, requests, monotonic=time)
        async with AsyncExitStack() as stack:
            for number in range(100):
                joins = Joins(partial(authorizer.ask, {}), rooms(1, 2))
                scope = SocketScope({}, authorizer, monotonic=time)
                await stack.enter_async_context(
                    reviews.entered(joins, scope, Client("", f"{number}"))
                )
            requests.put(AskAgain())
            await asyncio.sleep(2)
            began = time()

            assert await authorizer.ask({}, Room("FX:EURUSD", "1D")) is Answer.YES
            assert time() - began == pytest.approx(1, abs=0.01)

    with override_settings(FCS_AUTHORIZE=f"{__name__}.takes_a_second"):
        virtual_time.run(main())


async def takes_a_second(scope: Mapping[str, Any], room: Room) -> bool:
    await asyncio.sleep(1)
    return True

"""Turns of rooms with wishes: a slow one delays no other, and each has its turn."""

from __future__ import annotations

import asyncio
import math
import threading
from typing import Any

import pytest

from django_fcs.candles.answers import Answer
from django_fcs.layer.events import Wish
from django_fcs.rooms import Room
from django_fcs.streaming.turns import take_turns
from django_fcs.streaming.wishes import Wishes
from django_fcs.tools.tasks import running
from tests.support.waiting import eventually

from .historians import BTC, ETH, Scene, plan, working

__all__ = ["plan"]

ROOMS = [Room(f"BINANCE:{coin}USDT", "1") for coin in ("SOL", "XRP", "ADA", "DOT", "UNI", "TRX")]


class Service:
    """What serves rooms: those of ``hanging`` until ``freed``; all of them stay due."""

    def __init__(self) -> None:
        self.wishes = Wishes()
        self.hanging: set[Room] = set()
        self.freed = asyncio.Event()
        self.began: list[Room] = []
        self.first: set[Room] = set()
        self.rounds = math.inf

    async def serve(self, room: Room) -> None:
        self.began.append(room)
        if room in self.hanging:
            await self.freed.wait()
        await asyncio.sleep(0)
        if self.began.count(room) >= self.rounds:
            self.wishes.end(room, *self.wishes.of(room, 0))

    async def run(self) -> None:
        await take_turns(
            self.wishes, self.serve, is_first=self.first.__contains__, clock=lambda: 0, at_once=2
        )

    def wish(self, *rooms: Room) -> None:
        for room in rooms:
            self.wishes.add(Wish(room, limit=1), 0)


async def test_a_room_that_hangs_delays_neither_those_that_wait_nor_those_that_come() -> None:
    service = Service()
    service.hanging, service.rounds = {ROOMS[0]}, 1
    service.wish(*ROOMS[:4])
    async with running(service.run()):
        await eventually(lambda: service.began == ROOMS[:4])
        service.wish(*ROOMS[4:])
        await eventually(lambda: service.began == ROOMS)
        service.freed.set()
        await eventually(lambda: not service.wishes.due(0))

    assert service.began == ROOMS


async def test_each_room_has_its_turn_before_another_has_a_second() -> None:
    service = Service()
    service.first = {ROOMS[5]}
    service.wish(*ROOMS)
    async with running(service.run()):
        await eventually(lambda: len(service.began) > 60)

    turns = [service.began[begin : begin + 6] for begin in range(0, 60, 6)]
    assert all(set(turn) == set(ROOMS) for turn in turns)
    assert turns[0][0] == ROOMS[5]


async def test_all_places_may_hang_and_turns_go_on_with_the_first_that_is_free() -> None:
    service = Service()
    service.hanging, service.rounds = set(ROOMS[:2]), 1
    service.wish(*ROOMS)
    async with running(service.run()):
        await eventually(lambda: len(service.began) == 2)
        for _ in range(20):
            await asyncio.sleep(0)
        assert service.began == ROOMS[:2]
        service.freed.set()
        await eventually(lambda: service.began == ROOMS)


async def test_a_fault_of_the_service_ends_the_turns_and_all_calls() -> None:
    service = Service()

    async def serve(room: Room) -> None:
        if room == ROOMS[1]:
            raise OSError("a fault")
        await asyncio.Event().wait()

    service.serve = serve  # type: ignore[method-assign]
    service.wish(*ROOMS[:2])
    with pytest.raises(OSError, match="a fault"):
        await service.run()

    assert len(asyncio.all_tasks()) == 1


async def test_a_request_that_hangs_delays_no_room_that_is_wished_for_later() -> None:
    async with working(scene := Scene()):
        ask, gate = scene.vendor.history, threading.Event()

        def history(room: Room, **asked: Any) -> Answer:
            assert room != BTC or gate.wait(10)
            return ask(room, **asked)

        scene.vendor.history = history  # type: ignore[method-assign]
        try:
            scene.wish(BTC)
            await asyncio.sleep(0.01)
            scene.wish(ETH)
            await scene.told()
            assert scene.times(ETH) and not scene.times(BTC)
        finally:
            gate.set()
        await scene.told(2)

    assert scene.times(BTC)

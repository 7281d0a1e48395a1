"""What a hub makes of many prices at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest

from django_fcs.fanout.flow import Flow
from django_fcs.layer.events import GroupEvent
from django_fcs.tools.metrics import counts
from django_fcs.tools.tasks import running
from tests.support.hubs import EURUSD, USDJPY, browsing, hub_of, update
from tests.support.waiting import eventually

pytestmark = [pytest.mark.usefixtures("clean_loop"), pytest.mark.versions]


class Scripted:
    """A bus that brings what a test puts into it, burst by burst."""

    def __init__(self, *groups: str) -> None:
        self.comes: asyncio.Queue[list[GroupEvent]] = asyncio.Queue()

    def __call__(self, *groups: str) -> Scripted:
        return self

    async def __aenter__(self) -> Scripted:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def subscribe(self, rooms: Iterable[Any]) -> None:
        pass

    async def announce(self, call: Any) -> None:
        pass

    async def bursts(self) -> AsyncIterator[list[GroupEvent]]:
        while True:
            yield await self.comes.get()


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    scripted = Scripted()
    monkeypatch.setattr("django_fcs.layer.bus.Bus", scripted)
    return scripted


#: Each burst takes longer than a process may need for one.
SLOW = Flow(behind=-1)


async def behind(bus: Scripted) -> None:
    """Let the hub apply a burst."""
    bus.comes.put_nowait([])
    await eventually(lambda: bus.comes.empty())


async def test_of_a_burst_a_browser_gets_everything_in_order(bus: Scripted) -> None:
    async with hub_of() as hub, browsing(hub) as browser:
        hub.join(browser.one, EURUSD, "1D")
        bus.comes.put_nowait([update(seq=1), update(seq=3), update(seq=2), update(seq=4)])
        await eventually(lambda: 4 in browser.seqs)

    assert browser.seqs == [1, 3, 4]


async def test_a_process_that_is_behind_hands_on_the_newest_of_each_room(
    bus: Scripted,
) -> None:
    async with hub_of(flow=SLOW) as hub, browsing(hub) as browser:
        for room in (EURUSD, USDJPY):
            hub.join(browser.one, room, "1D")
        await behind(bus)
        bus.comes.put_nowait([update(room, seq=n) for n in (1, 3, 2) for room in (EURUSD, USDJPY)])
        await eventually(lambda: len(browser.seqs) == 2)

    assert browser.seqs == [3, 3]
    assert counts()["hub_merged"] == 2


async def test_behind_or_not_the_last_of_a_candle_that_ended_is_handed_on(
    bus: Scripted,
) -> None:
    times = ((1, 0), (2, 60), (3, 60), (4, 120), (5, 120))
    ticks: list[GroupEvent] = [update(seq=n, t=t) for n, t in times]
    async with hub_of(flow=SLOW) as hub, browsing(hub) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await behind(bus)
        bus.comes.put_nowait(ticks)
        await eventually(lambda: 5 in browser.seqs)

    assert browser.seqs == [3, 5]
    assert (counts()["hub_merged"], counts()["hub_missed"]) == (2, 1)


async def test_a_long_burst_lets_others_work_in_between(bus: Scripted) -> None:
    seen = set()

    async def look() -> None:
        while True:
            seen.add(len(browser.seqs))
            await asyncio.sleep(0)

    async with hub_of(flow=Flow(turn=-1)) as hub, browsing(hub) as browser, running(look()):
        for room in (EURUSD, USDJPY):
            hub.join(browser.one, room, "1D")
        bus.comes.put_nowait([update(EURUSD, seq=1), update(USDJPY, seq=1)])
        await eventually(lambda: len(browser.seqs) == 2)

    assert seen >= {0, 1}

"""Symbols that somebody invented: left when nobody confirms them, and in nobody's way."""

from __future__ import annotations

import pytest
from django.test import override_settings

from django_fcs.layer.bus import DEMAND
from django_fcs.prices.store import MemoryStore
from django_fcs.protocol import Leave
from django_fcs.rooms import Room
from django_fcs.simulator import Faults, RandomWalk, Simulator
from django_fcs.streaming.stream import Stream
from django_fcs.tools.tasks import running
from django_fcs.upstream import Timing, UpstreamClient
from tests.streaming.streams import (
    EURUSD,
    GBPUSD,
    HOURLY,
    QUICK,
    USDJPY,
    Clock,
    Hub,
    groups,
    listening,
)
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("clean_loop")

UNCONFIRMED = "the feed does not confirm this symbol"
CROWDED = "too many symbols are watched"

INVENTED = [Room(f"FX:NO{number}", "1D") for number in range(4)]


@pytest.mark.parametrize("reply", ["error", "silence"])
@override_settings(FCS_MAX_ROOMS=4)
async def test_invented_symbols_are_left_and_give_way_to_those_that_exist(
    reply: str, caplog: pytest.LogCaptureFixture
) -> None:
    faults = Faults(unknown=("FX:NO*",), unknown_reply=reply)
    async with Simulator(RandomWalk(rate=0), faults=faults) as simulator:
        timing = Timing(confirm=0.5, leave=1, joins_per_second=10_000)
        client = UpstreamClient("test", url=simulator.url, timing=timing)
        most = 0

        def look() -> bool:
            nonlocal most
            most = max(most, len(client.wanted))
            return {EURUSD, USDJPY} <= client.joined

        clock = Clock()
        stream = Stream(client, MemoryStore(), clock=clock, monotonic=clock, intervals=QUICK)
        async with client, running(stream.run()), listening() as hub:
            await eventually(lambda: groups().get(DEMAND))
            await hub.needs(*INVENTED, name="hostile")
            await eventually(lambda: set(INVENTED) <= client.wanted)
            clock.now += 1
            await hub.needs(EURUSD, USDJPY, name="visitors")
            await eventually(look)

            in_vain = {INVENTED[0]: UNCONFIRMED}
            await eventually(lambda: in_vain.items() <= troubles(hub).items())
            await hub.needs(EURUSD, USDJPY, HOURLY, GBPUSD, *INVENTED, name="visitors")
            await eventually(lambda: troubles(hub).get(INVENTED[3]) == CROWDED)
            await eventually(lambda: troubles(hub).get(EURUSD) == "")
            assert "the vendor did not confirm the room, leaving it room=" in caplog.text
            left = {one.message.symbol for one in simulator.received if _is_leave(one.message)}

    assert most == 4
    assert len(left) >= 2 and left <= {room.symbol for room in INVENTED}


def troubles(hub: Hub) -> dict[Room, str]:
    """Return what the hub was told last of each room."""
    return {notice.room: notice.trouble for notice in hub.notices}


def _is_leave(message: object) -> bool:
    return isinstance(message, Leave)


@override_settings(FCS_MAX_ROOMS=1)
async def test_the_sites_own_rooms_come_first_even_in_doubt() -> None:
    faults = Faults(unknown=("FX:NO*",))
    async with Simulator(RandomWalk(rate=0), faults=faults) as simulator:
        timing = Timing(confirm=0.5, leave=1, joins_per_second=10_000)
        client = UpstreamClient("test", url=simulator.url, timing=timing)
        stream = Stream(client, MemoryStore(), rooms=INVENTED[:1], intervals=QUICK)
        async with client, running(stream.run()), listening() as hub:
            await eventually(lambda: groups().get(DEMAND))
            await hub.needs(EURUSD)
            await eventually(lambda: client.unconfirmed == {INVENTED[0]})
            stream._want()

            assert client.wanted == {INVENTED[0]}

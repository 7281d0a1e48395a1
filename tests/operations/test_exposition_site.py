"""What the metrics of a whole site tell, after some of all that can happen in it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from django.test import override_settings

from django_fcs.operations.exposition import page
from django_fcs.simulator import Faults, RandomWalk, Simulator
from django_fcs.tools.metrics import counts
from tests.support.sockets import browsing
from tests.support.waiting import eventually

pytestmark = [pytest.mark.usefixtures("clean_loop", "open_site"), pytest.mark.versions]

#: What people ask, and where it is answered.
TOLD = {
    "how old ticks are as they come": "fcs_feed_lag_seconds_count",
    "how long they take to browsers": 'fcs_browser_lag_seconds_count{protocol="v4"}',
    "and to those that merge": 'fcs_browser_lag_seconds_count{protocol="merge"}',
    "updates": "fcs_stream_updates_total",
    "merged": "fcs_stream_merged_total",
    "dropped, for they were malformed": "fcs_upstream_malformed_total",
    "dropped, for they came too late": "fcs_stream_late_total",
    "dropped, for a candle was too short": "fcs_stream_missed_total",
    "reconnects": "fcs_upstream_lost_total",
    "sockets": "fcs_hub_sockets",
    "cohorts": "fcs_hub_cohorts",
    "rooms": "fcs_hub_rooms",
    "rooms wanted": "fcs_stream_rooms_wanted",
    "rooms joined": "fcs_stream_rooms_joined",
    "who hears the vendor": "fcs_stream_online",
    "who hears the stream": "fcs_hub_online",
    "the last tick": "fcs_stream_last_tick_timestamp_seconds",
    "bad messages": "fcs_socket_errors_total",
}

#: Of these nothing has happened here.
TOLD_AS_NONE = {
    "what waits for browsers": "fcs_hub_mailbox_messages",
    "what waits for the one": "fcs_hub_mailbox_messages_max",
    "renewals of the stream's layer": "fcs_stream_layer_reconnects_total",
    "renewals of a hub's": "fcs_hub_layer_reconnects_total",
    "slow browsers": "fcs_hub_slow_closed_total",
    "prices merged in a process that fell behind": "fcs_hub_merged_total",
}


@asynccontextmanager
async def override(**settings: Any) -> AsyncIterator[None]:
    with override_settings(**settings):
        yield


def figures() -> dict[str, float]:
    lines = [line.rpartition(" ") for line in page("")[0].decode().splitlines()]
    return {name: float(value) for name, _, value in lines if not name.startswith("#")}


async def rush(simulator: Simulator, t: int) -> None:
    """Let more come in than is published one by one: candles begin and end, and one is late."""
    for later in (60, 120, 120, 180, 240, -60):
        await simulator.push("FX:EURUSD", "1D", t=t + later, c=1.5, update=int(time.time()))


async def test_every_figure_that_people_ask_for_is_told() -> None:
    async with (
        Simulator(RandomWalk(rate=0), faults=Faults(malformed_every=3)) as simulator,
        override(FCS_URL=simulator.url),
        browsing() as one,
        browsing(subprotocols=("fcs.merge.v1",)) as other,
    ):
        for browser in (one, other):
            await browser.join(timeframe="1D")
            t = (await browser.price("initial"))["prices"]["t"]
        await one.say("nonsense")
        for number in range(1000):
            await rush(simulator, t + 1000 * number)
            if all(counts().get(f"stream_{what}") for what in ("merged", "missed")):
                break
            await asyncio.sleep(0)
        await simulator.drop_all()
        told = await eventually(settled)

    assert {name: told.get(name) for name in TOLD_AS_NONE.values()} == dict.fromkeys(
        TOLD_AS_NONE.values(), 0
    )


def settled() -> dict[str, float] | None:
    """Return the figures once all is told and nothing waits."""
    told = figures()
    is_settled = (
        all(told.get(name) for name in TOLD.values()) and not told["fcs_hub_mailbox_messages"]
    )
    return told if is_settled else None

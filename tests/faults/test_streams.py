"""Streams that lead, stand by, are killed and are paused."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

from tests.faults.stage import Stage
from tests.waiting import eventually

Staged = Callable[..., Stage]


async def test_a_standby_follows_a_killed_leader(staged: Staged, layer: str) -> None:
    async with staged(layer=layer) as stage:
        await stage.start_standby()
        async with stage.fault("Leader SIGKILL", note="with a standby") as fault:
            await stage.stop(stage.streams[0], signal.SIGKILL)
        assert fault.states == []
        assert stage.vendor.connections == 1


async def test_a_leader_that_wakes_up_again_says_nothing(staged: Staged, layer: str) -> None:
    async with staged(layer=layer) as stage:
        await stage.start_standby()
        async with stage.fault("Leader SIGSTOP 30 s, then SIGCONT", note="with a standby") as fault:
            stage.streams[0].send_signal(signal.SIGSTOP)
            await eventually(lambda: stage.upstream.accepted == 2)
            await asyncio.sleep(30 - stage.seconds_since(fault.began))
            stage.streams[0].send_signal(signal.SIGCONT)
            await eventually(lambda: stage.vendor.connections == 1)
        assert fault.states == []
        assert (stage.vendor.connections, stage.upstream.accepted) == (1, 2)


async def test_of_two_streams_that_start_at_once_one_leads(staged: Staged, layer: str) -> None:
    async with staged(layer=layer) as stage:
        note = "in place of one that was killed"
        async with stage.fault("Both standbys started at once", note=note):
            await stage.stop(stage.streams[0], signal.SIGKILL)
            await asyncio.gather(stage.start_stream(), stage.start_stream())
            await eventually(lambda: stage.upstream.accepted > 1, within=60)
            # Long enough for a second leader, if there were one.
            await asyncio.sleep(10)
        assert (stage.vendor.connections, stage.upstream.accepted) == (1, 2)

"""The client of the vendor's socket, where the vendor or a proxy asks it to come back later."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from dataclasses import replace

import pytest

from django_fcs.exceptions import FailureKind, KeyRefused, UpstreamError
from django_fcs.simulator import Faults, RandomWalk, Simulator
from django_fcs.simulator.keys import BAD_KEY
from django_fcs.upstream import Timing, UpstreamClient
from django_fcs.upstream.retries import Retries
from tests.support.upstreams import EURUSD, QUICK, Dice, watching
from tests.support.waiting import eventually

pytestmark = [pytest.mark.usefixtures("clean_loop"), pytest.mark.versions]

# -- the pauses


def test_the_pause_that_the_server_asks_for_is_kept_and_outlives_an_iteration() -> None:
    now = 100.0
    retries = Retries(Timing(), Dice(), lambda: now)
    asks = UpstreamError(FailureKind.HTTP_STATUS, "vendor", code=429, retry_after=60)
    assert (retries.asked, retries.after(asks, lasted=0)) == (0, 60)

    now = 130.0
    retries.restart()
    assert retries.asked == 30

    now = 160.0
    assert retries.asked == 0
    other = UpstreamError(FailureKind.CLOSED, "vendor", code=1006)
    assert (retries.after(other, lasted=0), retries.asked) == (0, 0)


@pytest.mark.parametrize(
    ("kind", "status"), [(FailureKind.FORBIDDEN, 403), (FailureKind.HTTP_STATUS, 407)]
)
def test_after_http_403_and_407_pauses_double_to_a_quarter_of_an_hour(
    kind: FailureKind, status: int
) -> None:
    retries = Retries(Timing(), Dice(), lambda: 0.0)
    error = UpstreamError(kind, "vendor", code=status)

    pauses = [retries.after(error, lasted=0) for _ in range(9)]
    assert pauses == [5, 10, 20, 40, 80, 160, 320, 640, 900]
    assert retries.after(error, lasted=31) == 5


# -- the client


@pytest.mark.parametrize("status", [429, 503])
async def test_a_vendor_that_names_a_pause_is_left_alone_for_that_long(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    faults = Faults(refusal="http", http_status=status, retry_after="60")
    simulator = Simulator(RandomWalk(rate=0), faults=faults)
    async with simulator, watching(simulator.url, EURUSD, key=BAD_KEY, patient=False) as watch:
        await eventually(lambda: watch.reasons)

    [reason] = watch.reasons
    assert reason.endswith(f"answered with HTTP {status}, and asked to wait for 60 s")
    [line] = [line for line in caplog.messages if "upstream lost" in line]
    assert line.endswith("retry_in=60.0")


async def test_a_stream_that_leads_once_more_still_keeps_the_pause() -> None:
    faults = Faults(refusal="http", http_status=429, retry_after="60")
    async with Simulator(RandomWalk(rate=0), faults=faults) as simulator:
        async with UpstreamClient(BAD_KEY, url=simulator.url, timing=QUICK) as client:
            async with aclosing(client.events()) as events:
                await anext(events)
            async with aclosing(client.events()) as events:
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(anext(events), 0.3)


async def test_http_403_at_the_first_start_is_tried_again_and_called_key_or_proxy(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, "django_fcs")
    keys: set[str] = set()
    faults = Faults(refusal="http", http_status=403)
    simulator = Simulator(RandomWalk(rate=0), faults=faults, accepted_keys=keys)
    timing = replace(QUICK, forbidden_first=0.01, refused_cap=0.02)
    async with simulator, watching(simulator.url, EURUSD, timing=timing, patient=False) as watch:
        await eventually(lambda: len(watch.reasons) >= 3)
        keys.add("test")
        await eventually(lambda: simulator.rooms)

    assert watch.error is None
    assert "HTTP 403 (key or proxy)" in caplog.text
    lost = watch.statuses[0].error
    assert lost is not None and not isinstance(lost, KeyRefused)
    assert (lost.kind, lost.code) == (FailureKind.FORBIDDEN, 403)

"""The client for history and the simulator, which know nothing of each other, in all forms."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from django_fcs.candles.answers import RefusalKind, Refused
from django_fcs.candles.rest import RestClient, Timing
from django_fcs.rooms import TIMEFRAMES, Room
from django_fcs.simulator import Faults, RandomWalk, Simulator
from tests.simulator.fcs_client import client_of

pytestmark = pytest.mark.versions

EURUSD = Room("FX:EURUSD", "60")
NOW = 1_766_577_650.0


def simulator_with(**faults: Any) -> Simulator:
    return Simulator(RandomWalk(rate=0), faults=Faults(**faults), clock=lambda: NOW)


def client_for(simulator: Simulator, key: str = "test", **limits: float) -> RestClient:
    return RestClient(key, url=simulator.rest_url, timing=Timing(**limits), clock=lambda: NOW)


async def test_no_candle_of_the_simulator_is_dropped() -> None:
    async with simulator_with() as simulator:
        for symbol in ("FX:XAUUSD", "BINANCE:SHIBUSDT"):
            for timeframe in TIMEFRAMES:
                answer = client_for(simulator).history(Room(symbol, timeframe), length=200)

                assert len(answer.bars) == 200
                assert (answer.dropped, answer.credits, answer.server_time) == (0, 2, NOW)


@pytest.mark.parametrize(
    "faults",
    [{"rest_strings": True}, {"rest_form": "object"}, {"rest_order": "shuffled"}],
    ids=str,
)
async def test_the_same_candles_come_in_all_forms(faults: dict[str, Any]) -> None:
    async with simulator_with() as simulator:
        usual = client_for(simulator).history(EURUSD, length=300)
        simulator.faults = replace(simulator.faults, **faults)
        other = client_for(simulator).history(EURUSD, length=300)

    assert sorted(other.bars) == usual.bars
    assert other.dropped == 0


async def test_a_range_has_all_of_its_candles() -> None:
    end, start = 1_766_577_600, 1_766_577_600 - 9000 * 60
    async with simulator_with() as simulator:
        answer = client_for(simulator).history(
            Room("FX:EURUSD", "1"), length=10_000, start=start, end=end
        )

    assert [bar.t for bar in answer.bars] == list(range(start, end + 1, 60))
    assert answer.credits == 91


async def test_the_last_candle_is_what_the_socket_tells() -> None:
    async with simulator_with() as simulator, client_of(simulator) as client:
        await client.join(timeframe="60")
        initial = (await client.price("initial"))["prices"]

        *_, last = client_for(simulator).history(EURUSD, length=3).bars

    assert list(last)[:5] == [initial[name] for name in "tohlc"]


@pytest.mark.parametrize(
    ("faults", "kind"),
    [
        ({"rest_status": 429, "rest_retry_after": "30"}, RefusalKind.RATE),
        ({"rest_status": 429}, RefusalKind.RATE),
        ({"rest_status": 401}, RefusalKind.KEY),
        ({"rest_status": 403}, RefusalKind.PLAN),
        ({"rest_status": 502}, RefusalKind.UNAVAILABLE),
        ({"rest_message": "You have reached the limit"}, RefusalKind.RATE),
        ({"unknown": ("FX:*",)}, RefusalKind.SYMBOL),
        ({"rest_cut": "json"}, RefusalKind.MALFORMED),
        ({"rest_cut": "body"}, RefusalKind.MALFORMED),
        ({"rest_cut": "connection"}, RefusalKind.UNAVAILABLE),
    ],
    ids=str,
)
async def test_faults_are_told_apart(faults: dict[str, Any], kind: RefusalKind) -> None:
    async with simulator_with(**faults) as simulator:
        with pytest.raises(Refused) as caught:
            client_for(simulator).history(EURUSD, length=10)

    assert caught.value.kind is kind
    assert caught.value.retry_after == (30 if "rest_retry_after" in faults else None)
    assert len(simulator.asked) == 1


async def test_a_bad_key_is_refused() -> None:
    async with simulator_with() as simulator:
        with pytest.raises(Refused) as caught:
            client_for(simulator, "bad_key").history(EURUSD, length=10)

    assert caught.value.kind is RefusalKind.KEY


async def test_an_answer_that_is_too_slow_is_given_up() -> None:
    async with simulator_with(rest_seconds=60) as simulator:
        began = time.monotonic()
        with pytest.raises(Refused) as caught:
            client_for(simulator, read=0.05).history(EURUSD, length=10)

    assert caught.value.kind is RefusalKind.UNAVAILABLE
    assert time.monotonic() - began < 30


async def test_an_empty_answer_is_no_refusal() -> None:
    async with simulator_with(rest_empty=True) as simulator:
        assert client_for(simulator).history(EURUSD, length=10).bars == []

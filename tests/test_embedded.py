"""Streaming inside the web process: when it begins, with what, and how it ends."""

from __future__ import annotations

import asyncio

import pytest
from django.test import override_settings

from django_fcs import embedded, site
from django_fcs.exceptions import ConfigurationError, KeyRefused
from django_fcs.rooms import Room
from django_fcs.simulator import Simulator
from django_fcs.simulator.server import BAD_KEY
from django_fcs.site import site_store
from tests.support.layers import SharedLayer
from tests.support.waiting import eventually

pytestmark = [pytest.mark.usefixtures("clean_loop"), pytest.mark.versions]


@override_settings(CHANNEL_LAYERS={})
async def test_without_a_channel_layer_everything_says_so() -> None:
    for ask in (site_store, embedded.start, site.is_idle):
        with pytest.raises(ConfigurationError, match="CHANNEL_LAYERS"):
            ask()


async def test_nothing_streams_before_it_is_asked_to_and_then_in_one_task(
    simulator: Simulator,
) -> None:
    assert site.is_idle()
    with override_settings(FCS_URL=simulator.url, FCS_ROOMS=["FX:EURUSD_60", "NSE:M_M"]):
        for _ in range(3):
            embedded.start()
        await eventually(lambda: len(simulator.rooms) == 2)

    assert set(simulator.rooms) == {Room("FX:EURUSD", "60"), Room("NSE:M_M", "1D")}
    assert simulator.connections == 1
    assert not site.is_idle()
    await eventually(lambda: site_store().load([Room("NSE:M_M", "1D")])[0])


async def test_it_ends_when_told_and_can_begin_again(simulator: Simulator) -> None:
    with override_settings(FCS_URL=simulator.url):
        for _ in range(2):
            embedded.start()
            await eventually(lambda: simulator.connections == 1)
            await embedded.stop()
            await eventually(lambda: simulator.connections == 0)

    await embedded.stop()
    assert site.is_idle()


async def test_a_site_of_many_processes_streams_in_none_of_its_web_processes(
    shared_layer: type[SharedLayer],
) -> None:
    embedded.start()

    assert not site.streams
    assert not site.is_idle()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"FCS_API_KEY": ""}, "FCS_API_KEY is empty"),
        ({"FCS_URL": "https://fcsapi.com"}, "FCS_URL 'https://fcsapi.com' is not a socket"),
        ({"FCS_ROOMS": ["eurusd"]}, "symbol 'eurusd' is not EXCHANGE:TICKER"),
    ],
)
async def test_what_is_wrong_with_the_settings_is_said_in_one_line_and_mended_by_the_next_join(
    settings: dict[str, object],
    reason: str,
    simulator: Simulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with override_settings(FCS_URL=simulator.url):
        with override_settings(**settings):
            embedded.start()
            await eventually(lambda: "cannot stream in this process" in caplog.text)
            await eventually(lambda: "not set up" in reason_kept())
            await eventually(lambda: site.streams[asyncio.get_running_loop()].done())
            embedded.start()
            await eventually(lambda: site.streams[asyncio.get_running_loop()].done())
        [line] = [line for line in caplog.messages if "cannot stream" in line]
        assert reason in line
        assert "\n" not in line

        async def mended() -> bool:
            embedded.start()
            return simulator.connections == 1

        await eventually(mended)


async def test_a_refused_key_ends_no_web_process(simulator: Simulator) -> None:
    """It is tried again: the vendor may be the one who is wrong, and a page has to live."""
    with override_settings(FCS_URL=simulator.url, FCS_API_KEY=BAD_KEY):
        embedded.start()
        await eventually(lambda: reason_kept() == KeyRefused.public)

    assert not site.streams[asyncio.get_running_loop()].done()


def reason_kept() -> str:
    """What the last beat says that is wrong with the vendor."""
    _, beat = site_store().load([])
    return beat.reason if beat else ""

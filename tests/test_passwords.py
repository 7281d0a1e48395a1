"""The passwords of a site's servers are in no hint and no log, whatever its settings are."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels.layers import channel_layers
from django.test import override_settings

from django_fcs.candles.answers import Refused
from django_fcs.candles.rest import RestClient
from django_fcs.exceptions import ConfigurationError
from django_fcs.layer.bus import on_the_layer
from django_fcs.prices.store import CacheStore
from django_fcs.rooms import Room
from tests.support.checked import PUBSUB, SHARED_CACHE, found, hint_of
from tests.support.waiting import eventually

pytestmark = [pytest.mark.usefixtures("clean_loop"), pytest.mark.versions]

CACHE = "django.core.cache.backends.redis.RedisCache"
ADDRESSES = pytest.mark.parametrize(
    "address",
    [
        *("redis://:pa55/word@127.0.0.1:1", "me:pa55word@127.0.0.1", "rediss//me:pa55word@h"),
        *("redis://me:pa55word@127.0.0.1:pa55", "redis://me:pa55word@127.0.0.1:1/0"),
    ],
)


@ADDRESSES
async def test_the_log_of_a_cache_that_fails_has_no_password(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    caches = {"default": {"BACKEND": CACHE, "LOCATION": address}}
    with override_settings(CACHES=caches):
        store = CacheStore("default")
        await asyncio.to_thread(store.report)

    assert "cache failed" in caplog.text
    assert "pa55" not in f"{caplog.text} {store.failure}"


@ADDRESSES
async def test_the_log_of_a_layer_that_fails_has_no_password(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def never(bus: Any) -> bool:
        return True

    layers = {"default": {"BACKEND": PUBSUB, "CONFIG": {"hosts": [address]}}}
    with override_settings(CHANNEL_LAYERS=layers):
        channel_layers.backends.clear()
        working = asyncio.ensure_future(on_the_layer("x", never, counter="hub_layer_reconnects"))
        await eventually(lambda: "channel layer failed" in caplog.text)
        working.cancel()
    channel_layers.backends.clear()

    assert "pa55" not in caplog.text


class Refusing:
    """A layer whose constructor repeats what it was given."""

    def __init__(self, hosts: list[str]) -> None:
        raise ValueError(f"cannot use {hosts[0]}")


@ADDRESSES
def test_no_check_repeats_a_password_that_a_layer_repeats(address: str) -> None:
    layer = {"BACKEND": f"{__name__}.Refusing", "CONFIG": {"hosts": [address]}}
    (message,) = found(CHANNEL_LAYERS={"default": layer}, CACHES=SHARED_CACHE)

    assert "cannot use" in hint_of(message) and "pa55word" not in hint_of(message)


@pytest.mark.parametrize(
    "address",
    [
        *("https://me:pa55/word@127.0.0.1", "https//me:pa55word@h"),
        *("https://me:pa55word@h:x", "https://me:pa55word@:0/", "ftp://me:pa55word@h"),
    ],
)
def test_no_text_has_the_password_of_an_address_for_history_that_is_none(address: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        RestClient("a-key", url=address)
    (message,) = found(FCS_REST_URL=address)

    assert message.id == "fcs.E021"
    assert "pa55" not in f"{caught.value} {message.msg} {message.hint}"


def test_a_failure_of_the_rest_api_has_no_password(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    client = RestClient("a-key", url="http://me:pa55word@127.0.0.1:9/")
    with pytest.raises(Refused, match="cannot reach FCS_REST_URL at 127.0.0.1:9") as caught:
        client.history(Room("FX:EURUSD", "60"), length=1)

    assert "pa55" not in f"{caught.value!r} {client!r} {caplog.text}"

"""System checks: what is wrong with a site's settings, and the cure."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from django.test import override_settings

from django_fcs import checks

PUBSUB = "channels_redis.pubsub.RedisPubSubChannelLayer"


def found(**settings: Any) -> list[CheckMessage]:
    """Run the checks as ``manage.py check`` does, so that registering them counts too."""
    with override_settings(**settings):
        return run_checks(tags=["django_fcs"])


def test_a_site_set_up_as_documented_passes() -> None:
    assert found() == []
    assert found(FCS_ROOMS=["FX:EURUSD", "BINANCE:BTCUSDT_60", "NSE:M_M"]) == []
    assert found(CHANNEL_LAYERS={"default": {"BACKEND": PUBSUB}}) == []


@pytest.mark.parametrize("layers", [{}, {"other": {"BACKEND": PUBSUB}}])
def test_without_a_channel_layer_the_hint_is_what_to_paste(layers: dict[str, Any]) -> None:
    (message,) = found(CHANNEL_LAYERS=layers)

    assert message.id == "fcs.E001" and message.is_serious()
    assert "channels.layers.InMemoryChannelLayer" in message.hint
    assert PUBSUB in message.hint


def test_the_channel_layer_is_looked_for_under_the_alias_that_the_site_names() -> None:
    layers = {"prices": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

    assert found(CHANNEL_LAYERS=layers, FCS_CHANNEL_LAYER="prices") == []
    assert [message.id for message in found(CHANNEL_LAYERS=layers)] == ["fcs.E001"]


@pytest.mark.parametrize("layer", [{"BACKEND": "no.such.Layer"}, {}])
def test_a_channel_layer_that_cannot_be_made_is_an_error_not_a_traceback(
    layer: dict[str, str],
) -> None:
    (message,) = found(CHANNEL_LAYERS={"default": layer})

    assert message.id == "fcs.E001"
    assert "CHANNEL_LAYERS" in message.hint


@pytest.mark.parametrize("application", [None, ""])
def test_without_an_asgi_application_the_hint_names_ours(application: str | None) -> None:
    (message,) = found(ASGI_APPLICATION=application)

    assert message.id == "fcs.E002" and message.is_serious()
    assert 'ASGI_APPLICATION = "django_fcs.asgi.application"' in message.hint


def test_each_room_that_is_none_is_named() -> None:
    messages = found(FCS_ROOMS=["fx:eurusd", "FX:EURUSD", "EURUSD"])

    assert [message.id for message in messages] == ["fcs.E003", "fcs.E003"]
    assert "write 'FX:EURUSD'" in messages[0].hint
    assert "'EURUSD'" in messages[1].hint


def test_without_a_key_a_site_is_warned_and_still_starts() -> None:
    (message,) = found(FCS_API_KEY="")

    assert message.id == "fcs.W001" and not message.is_serious()
    assert "FCS_API_KEY" in message.hint and "fcs_socket_demo" in message.hint


def test_everything_that_is_wrong_is_said_at_once() -> None:
    messages = found(FCS_API_KEY="", ASGI_APPLICATION=None, CHANNEL_LAYERS={}, FCS_ROOMS=["x"])

    assert {message.id for message in messages} == {"fcs.E001", "fcs.E002", "fcs.E003", "fcs.W001"}


def test_no_check_shows_the_key() -> None:
    messages = found(FCS_API_KEY="a-secret", ASGI_APPLICATION=None, FCS_ROOMS=["x"])

    assert messages
    assert not any("a-secret" in f"{message.msg}{message.hint}" for message in messages)


def test_each_id_is_used_once() -> None:
    ids = re.findall(r'id="(fcs\.[EW]\d{3})"', Path(checks.__file__).read_text())

    assert len(ids) == len(set(ids)) == 6


def test_a_cache_that_the_site_does_not_have_is_an_error() -> None:
    (message,) = found(FCS_CACHE="prices")

    assert message.id == "fcs.E004"
    assert "default" in message.hint


def test_a_default_timeframe_that_is_none_is_an_error() -> None:
    (message,) = found(FCS_TIMEFRAME="2h")

    assert message.id == "fcs.E005"
    assert "240" in message.hint

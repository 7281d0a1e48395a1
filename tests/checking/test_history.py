"""Checks of the settings of history."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import ERROR

from tests.support.checked import MANY, PUBSUB, SHARED_CACHE, found, hint_of

pytestmark = pytest.mark.versions

REDIS = {"CHANNEL_LAYERS": MANY, "CACHES": SHARED_CACHE}


@pytest.mark.parametrize(
    "url",
    [
        *("", "api-v4.fcsapi.com", "wss://ws-v4.fcsapi.com/ws", "https://", "https://h:0/", None),
        *("https://h:x/", "https://[::1/", "https://foo..bar/", "https://h/?a=1", "https://h/#a"),
    ],
)
def test_an_address_that_is_none_is_told_with_the_usual_one(url: str | None) -> None:
    (message,) = found(FCS_REST_URL=url)

    assert message.id == "fcs.E021" and message.is_serious()
    assert 'FCS_REST_URL = "https://api-v4.fcsapi.com/"' in hint_of(message)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9780", "https://me:pa55word@h:8443/a/b/", "HTTPS://[::1]/"]
)
def test_any_other_web_address_passes(url: str) -> None:
    assert found(FCS_REST_URL=url) == []


def test_no_check_shows_the_key_or_the_password_of_a_wrong_address() -> None:
    url = "ftp://me:pa55word@h/a-secret/"
    (message,) = found(FCS_REST_URL=url, FCS_REST_KEY="a-secret", **REDIS)

    assert "ftp://[hidden]@h/" in hint_of(message)
    assert "pa55word" not in f"{message.msg}{message.hint}"


@pytest.mark.parametrize(
    "site",
    [
        {},
        {"CHANNEL_LAYERS": MANY},
        {
            "CHANNEL_LAYERS": MANY,
            "CACHES": {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}},
        },
    ],
)
def test_a_key_for_history_that_nothing_remembers_is_warned_of(site: dict[str, Any]) -> None:
    before = found(**site)
    (message,) = [one for one in found(FCS_REST_KEY="a-secret", **site) if one not in before]

    assert message.id == "fcs.W022" and not message.is_serious(ERROR)
    assert PUBSUB in hint_of(message) and "RedisCache" in hint_of(message)
    assert "a-secret" not in f"{message.msg}{message.hint}"


def test_a_key_for_history_beside_redis_passes() -> None:
    assert found(FCS_REST_KEY="a-key", **REDIS) == []


def test_rooms_to_save_without_the_app_that_saves_them_are_warned_of() -> None:
    (message,) = found(FCS_SAVE_CANDLES=["FX:*", "FX:EURUSD_60", "*_1D"])

    assert message.id == "fcs.W023" and not message.is_serious(ERROR)
    assert "INSTALLED_APPS" in hint_of(message) and "migrate" in hint_of(message)


@pytest.mark.parametrize("pattern", ["eurusd", "FX:*_1m", "fx:*", "EURUSD_60"])
def test_a_pattern_that_matches_no_room_is_warned_of(pattern: str) -> None:
    messages = found(FCS_SAVE_CANDLES=["FX:*", pattern])

    assert "fcs.W018" in {message.id for message in messages}
    assert any(f"FCS_SAVE_CANDLES has {pattern!r}" in message.msg for message in messages)

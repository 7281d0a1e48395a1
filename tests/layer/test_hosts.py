"""Hosts of the channel layer that redis-py cannot use: which one is wrong, and what to write."""

from __future__ import annotations

from typing import Any

import pytest

from django_fcs.exceptions import ConfigurationError
from django_fcs.layer.bus import Bus, lease_line
from tests.support.checked import PUBSUB, SHARED_CACHE, found, hint_of

CORE = "channels_redis.core.RedisChannelLayer"
BACKENDS = pytest.mark.parametrize("backend", [PUBSUB, CORE])


def layers(backend: str, *hosts: Any) -> dict[str, Any]:
    patient = {"capacity": 1000} if backend == CORE else {}
    return {"default": {"BACKEND": backend, "CONFIG": {"hosts": list(hosts), **patient}}}


def hint(backend: str, *hosts: Any) -> str:
    (message,) = found(CHANNEL_LAYERS=layers(backend, *hosts), CACHES=SHARED_CACHE)

    assert message.id == "fcs.E001"
    return hint_of(message)


@BACKENDS
@pytest.mark.parametrize(
    ("host", "right"),
    [
        ("h:6379", "redis://h:6379"),
        ("h", "redis://h"),
        ("//h:6379", "redis://h:6379"),
        ("rediss//h", "rediss://h"),
        ("redis:h:6379", "redis://h:6379"),
        ("redis:/h", "redis://h"),
        ("tcp://h:6379/1", "redis://h:6379/1"),
        ("[::1]:6379", "redis://[::1]:6379"),
        ({"address": "h:6379"}, "redis://h:6379"),
    ],
)
def test_the_check_says_which_host_is_wrong_and_what_to_write(
    backend: str, host: Any, right: str
) -> None:
    said = hint(backend, "redis://localhost", host)

    assert "hosts[1]" in said and f'write "{right}"' in said


@BACKENDS
@pytest.mark.parametrize(
    "host",
    [
        *("", None, 5, b"h", "redis://h:x", "redis://h:99999", "redis://h?protocol=x"),
        *({"master_name": "m"}, {"master_name": "m", "sentinels": ["h"]}),
        *(("h", "x"), ("h", 99999), ("redis://h", 6379), {"path": "/run/redis.sock"}),
        {"address": "redis://h", "unknown": 1},
    ],
)
def test_any_other_host_that_redis_py_cannot_use_is_named_with_an_example(
    backend: str, host: Any
) -> None:
    assert "hosts[0]" in (said := hint(backend, host)) and "redis://localhost:6379" in said


@BACKENDS
@pytest.mark.parametrize(
    "host",
    [
        *("user:pa55word@h:6379", "redis://user:pa55word@h:x", "redis://user:pa55?w@h:6379x"),
        *("rediss//:pa55word@h", "redis://:pa55word", "h:6379?password=pa55word@x", "u:pa55word"),
    ],
)
def test_no_hint_shows_a_password(backend: str, host: str) -> None:
    assert "pa55" not in hint(backend, host)


@BACKENDS
@pytest.mark.parametrize(
    "host",
    [
        *("redis://h", "rediss://h:6380/2", "REDIS://h", "unix:///run/redis.sock", "redis:///1"),
        *("redis://u:p%40@h?db=3", {"host": "h"}),
        {"master_name": "m", "sentinels": [("h", 26379)]},
        {"address": "rediss://h", "ssl_cert_reqs": None},
    ],
)
def test_hosts_that_redis_py_can_use_pass(backend: str, host: Any) -> None:
    messages = found(CHANNEL_LAYERS=layers(backend, host), CACHES=SHARED_CACHE)

    assert "fcs.E001" not in [message.id for message in messages]


@BACKENDS
@pytest.mark.parametrize("use", [Bus, lease_line])
def test_at_run_time_the_error_is_that_of_a_setting(backend: str, use: Any, settings: Any) -> None:
    settings.CHANNEL_LAYERS = layers(backend, "redis://h", "redis://user:pa55word@h:pa55")

    with pytest.raises(ConfigurationError, match=r"hosts\[1\]") as caught:
        use()
    assert "pa55" not in str(caught.value)

"""Checks of what sites share at Redis."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import ERROR

from tests.sharing.test_databases import layers
from tests.sharing.test_mark import WRONG
from tests.support.checked import MANY, SHARED_CACHE, found, hint_of

pytestmark = pytest.mark.versions


def redis_cache(location: str) -> dict[str, Any]:
    backend = "django.core.cache.backends.redis.RedisCache"
    return {"default": {"BACKEND": backend, "LOCATION": location}}


@pytest.mark.parametrize("site", WRONG)
def test_what_is_no_mark_is_an_error(site: Any) -> None:
    (message,) = found(FCS_SITE=site)

    assert message.id == "fcs.E016" and message.is_serious(ERROR)
    assert "lower-case letters and digits" in message.msg


@pytest.mark.parametrize("site", [None, "", "shop", "db", "dbase1"])
def test_a_mark_passes(site: str | None) -> None:
    assert found(FCS_SITE=site, CHANNEL_LAYERS=MANY, CACHES=SHARED_CACHE) == []


def test_the_mark_of_another_database_is_warned_of() -> None:
    """The site there would use the same names on the same server."""
    own = {"CHANNEL_LAYERS": layers(["redis://r/2"]), "CACHES": redis_cache("redis://r/10")}
    (message,) = found(FCS_SITE="db1", **own)

    assert message.id == "fcs.W017" and "'db1'" in message.msg
    assert found(FCS_SITE="db2", **own) == []


@pytest.mark.parametrize(
    ("hosts", "location"),
    [
        (None, "redis://localhost"),
        (["redis://r:6379/0"], "redis://r:6379"),
        (["redis://r/1"], "redis://me:secret@r:6379/1"),
        ([{"host": "r", "port": 6379}], "redis://r/0"),
        (["redis://q/1", "redis://r/1"], "redis://r/1"),
        (["unix:///run/redis.sock?db=1"], "unix:///run/redis.sock?db=1"),
    ],
)
def test_a_cache_in_the_database_of_the_layer_is_warned_of(hosts: Any, location: str) -> None:
    (message,) = found(CHANNEL_LAYERS=layers(hosts), CACHES=redis_cache(location))

    assert message.id == "fcs.W016" and not message.is_serious(ERROR)
    assert "cache.clear()" in message.msg
    assert "secret" not in f"{message.msg}{message.hint}"


@pytest.mark.parametrize("location", ["redis://r:6380/1", "redis://q/1", "redis://r/9"])
def test_a_cache_in_another_database_or_server_passes(location: str) -> None:
    layer = layers(["redis://r/1"])

    assert found(CHANNEL_LAYERS=layer, CACHES=redis_cache(location)) == []


@pytest.mark.parametrize(("database", "cache"), [(0, 8), (1, 9)])
def test_the_cache_to_paste_is_eight_databases_above_the_layer(database: int, cache: int) -> None:
    """The next one may be the layer of the next site."""
    layer = layers([f"redis://r/{database}"])
    lonely = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    (alone,) = found(CHANNEL_LAYERS=layer, CACHES=lonely)
    (together,) = found(CHANNEL_LAYERS=layer, CACHES=redis_cache(f"redis://r/{database}"))

    assert (alone.id, together.id) == ("fcs.W003", "fcs.W016")
    for message in (alone, together):
        assert f'"redis://localhost:6379/{cache}"' in hint_of(message)

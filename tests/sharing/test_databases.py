"""Which database of Redis the settings name is what redis-py opens for them."""

from __future__ import annotations

from typing import Any

import pytest
from channels_redis.utils import create_pool, decode_hosts
from django.test import override_settings

from django_fcs.sharing.databases import Place, cache_places, layer_database, layer_places
from tests.support.checked import PUBSUB
from tests.test_checks import CORE

SENTINELS = {"sentinels": [("s", 26379)], "master_name": "site"}
HOSTS: list[tuple[Any, int]] = [
    (None, 0),
    ([], 0),
    (["redis://r:6379"], 0),
    (["redis://r:6379/"], 0),
    (["redis://r:6379/1"], 1),
    (["redis://r/1/"], 1),
    (["rediss://me:secret@r:6380/15"], 15),
    (["redis://r/1_0"], 10),
    (["redis://r/+1"], 1),
    (["redis://r?db=3"], 3),
    (["redis://r/2?db=3"], 3),
    (["redis://r/2?db="], 2),
    (["redis://r/two"], 0),
    (["redis://r/%32"], 2),
    (["unix:///run/redis.sock"], 0),
    (["unix:///run/redis.sock?db=2"], 2),
    (["unix://me@/run/redis.sock?db=2&password=secret"], 2),
    ([{"address": "redis://r/1"}], 1),
    ([{"address": "redis://r/1", "db": 5}], 1),
    ([{"address": "redis://r", "db": 5}], 5),
    ([{"address": "redis://r/two", "db": 5}], 5),
    ([{"address": "redis://r?db=1", "db": 5, "socket_timeout": None}], 1),
    ([{"host": "r", "port": 6379}], 0),
    ([{"host": "r", "port": 6379, "db": 4}], 4),
    ([{"host": "r", "db": "4"}], 4),
    ([{"host": "r", "db": None}], 0),
    ([SENTINELS], 0),
    ([{**SENTINELS, "db": 7}], 7),
    ([("r", 6379)], 0),
    ([["r", 6379]], 0),
    ((("r", 6379), "redis://r/1"), 0),
    (["redis://r/1", "redis://q/2"], 1),
    ({"redis://r/1"}, 1),
    ({"redis://r/1": "first"}, 1),
    (["redis://[::1]:6379/1"], 1),
]


def layers(hosts: Any, backend: str = PUBSUB, **entry: Any) -> dict[str, Any]:
    return {"default": {"BACKEND": backend, "CONFIG": {"hosts": hosts}, **entry}}


@pytest.mark.parametrize("backend", [PUBSUB, CORE])
@pytest.mark.parametrize(("hosts", "database"), HOSTS)
def test_it_is_what_the_pool_of_the_layer_opens(hosts: Any, database: int, backend: str) -> None:
    pool = create_pool(decode_hosts(hosts)[0])
    assert int(pool.connection_kwargs.get("db") or 0) == database

    with override_settings(CHANNEL_LAYERS=layers(hosts, backend)):
        assert layer_database() == database


@pytest.mark.parametrize(
    "configured",
    [
        {},
        {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
        {"default": {"BACKEND": PUBSUB}},
        {"default": {"BACKEND": PUBSUB, "CONFIG": {}}},
        layers(["redis://r/1"], "mysite.layers.Own"),
        layers(["redis://r/1"], "channels_rabbitmq.core.RabbitmqChannelLayer"),
        {"other": {"BACKEND": PUBSUB, "CONFIG": {"hosts": ["redis://r/1"]}}},
    ],
)
def test_without_a_database_of_channels_redis_it_is_0(configured: Any) -> None:
    with override_settings(CHANNEL_LAYERS=configured):
        assert layer_database() == 0


def test_the_layer_is_the_one_that_the_site_names() -> None:
    both = layers(["redis://r/1"]) | {"prices": layers(["redis://r/2"])["default"]}
    with override_settings(CHANNEL_LAYERS=both, FCS_CHANNEL_LAYER="prices"):
        assert layer_database() == 2


NO_HOSTS: list[Any] = [
    *("redis://r/1", b"redis://r/1", 6379, [None], [5], [{}], [()], [{"address": None}]),
    *(["redis://r:port/1"], ["redis://[r/1"], ["redis://r?db=two"], ["redis://r/-1"]),
    *([{"host": "r", "db": -1}], [{"host": "r", "db": 2**31}], ["redis://r/" + "9" * 5000]),
    [{"host": "r", "db": [1]}],
]


@pytest.mark.parametrize(
    "configured",
    [
        *(None, 5, {"default": None}, {"default": {"BACKEND": None}}),
        {"default": {"BACKEND": PUBSUB, "CONFIG": 5}},
        *map(layers, NO_HOSTS),
    ],
)
def test_settings_that_open_no_database_raise_nothing(configured: Any) -> None:
    with override_settings(CHANNEL_LAYERS=configured):
        assert layer_database() == 0


# -- places, to compare layer and cache


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("redis://localhost/1", Place("127.0.0.1:6379", 1)),
        ("redis://r:6380", Place("r:6380", 0)),
        (("localhost", 6379), Place("127.0.0.1:6379", 0)),
        ({"host": "localhost", "db": 1}, Place("127.0.0.1:6379", 1)),
        ({"db": 1}, Place("127.0.0.1:6379", 1)),
        ("unix:///run/redis.sock?db=2", Place("/run/redis.sock", 2)),
    ],
)
def test_a_server_has_one_name_however_it_is_written(host: Any, place: Place) -> None:
    with override_settings(CHANNEL_LAYERS=layers([host])):
        assert layer_places() == [place]


@pytest.mark.parametrize(
    ("location", "options", "places"),
    [
        ("redis://localhost:6379/8", {}, [Place("127.0.0.1:6379", 8)]),
        ("redis://localhost", {"db": 8}, [Place("127.0.0.1:6379", 8)]),
        ("redis://localhost/1", {"db": "8"}, [Place("127.0.0.1:6379", 1)]),
        ("redis://a/1;redis://b/2", {}, [Place("a:6379", 1), Place("b:6379", 2)]),
        (["redis://a/1", "redis://b/2"], {}, [Place("a:6379", 1), Place("b:6379", 2)]),
        (None, {}, []),
        (5, {}, []),
    ],
)
@pytest.mark.parametrize(
    "backend", ["django.core.cache.backends.redis.RedisCache", "django_redis.cache.RedisCache"]
)
def test_a_cache_has_the_places_of_its_servers(
    backend: str, location: Any, options: dict[str, Any], places: list[Place]
) -> None:
    cache = {"BACKEND": backend, "LOCATION": location, "OPTIONS": options}
    with override_settings(CACHES={"default": cache}):
        assert cache_places("default") == places


def test_other_caches_have_none() -> None:
    memcached = {"BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache"}
    with override_settings(CACHES={"default": {**memcached, "LOCATION": "redis://r/1"}}):
        assert cache_places("default") == cache_places("absent") == []

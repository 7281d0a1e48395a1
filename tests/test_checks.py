"""System checks: what is wrong with a site's settings, and the fix."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import ERROR

from django_fcs import checks
from tests.support.checked import MANY, PUBSUB, SHARED_CACHE, found, found_in_deployment, hint_of
from tests.support.missing import NAMES, RENAMED, rename

pytestmark = pytest.mark.versions

CORE = "channels_redis.core.RedisChannelLayer"
LONELY = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
NOTHING = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}

PAGE = Path(__file__).parents[1] / "docs/checks.md"


def source() -> str:
    """Return the code of all checks."""
    folder = Path(checks.__file__).parent
    files = [folder / "checks.py", *(folder / "checking").glob("*.py")]
    return "".join(file.read_text() for file in files)


def test_a_site_set_up_as_documented_passes() -> None:
    assert found() == []
    assert found(FCS_ROOMS=["FX:EURUSD", "BINANCE:BTCUSDT_60", "NSE:M_M"]) == []
    assert found(CHANNEL_LAYERS=MANY, CACHES=SHARED_CACHE) == []
    assert found_in_deployment() == []


@pytest.mark.parametrize("hosts", [6379, [("localhost",)]])
def test_hosts_that_cannot_be_read_are_an_error_and_end_no_command(hosts: Any) -> None:
    layers = {"default": {"BACKEND": PUBSUB, "CONFIG": {"hosts": hosts}}}
    (message,) = found(CHANNEL_LAYERS=layers, CACHES=SHARED_CACHE)

    assert message.id == "fcs.E001" and "CONFIG" in hint_of(message)


@pytest.mark.parametrize("layers", [{}, {"other": {"BACKEND": PUBSUB}}])
def test_without_a_channel_layer_the_hint_is_what_to_paste(layers: dict[str, Any]) -> None:
    (message,) = found(CHANNEL_LAYERS=layers)

    assert message.id == "fcs.E001" and message.is_serious()
    assert "channels.layers.InMemoryChannelLayer" in hint_of(message)
    assert PUBSUB in hint_of(message)


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
    assert "CHANNEL_LAYERS" in hint_of(message)


@pytest.mark.parametrize("application", [None, ""])
def test_without_an_asgi_application_the_hint_names_ours(application: str | None) -> None:
    (message,) = found(ASGI_APPLICATION=application)

    assert message.id == "fcs.E002" and message.is_serious()
    assert 'ASGI_APPLICATION = "django_fcs.asgi.application"' in hint_of(message)


def test_each_room_that_is_none_is_named() -> None:
    messages = found(FCS_ROOMS=["fx:eurusd", "FX:EURUSD", "EURUSD"])

    assert [message.id for message in messages] == ["fcs.E003", "fcs.E003"]
    assert "write 'FX:EURUSD'" in hint_of(messages[0])
    assert "'EURUSD'" in hint_of(messages[1])


def test_without_a_key_a_site_is_warned_and_still_starts() -> None:
    (message,) = found(FCS_API_KEY="")

    assert message.id == "fcs.W001" and not message.is_serious()
    assert "FCS_API_KEY" in hint_of(message) and "fcs_socket_demo" in hint_of(message)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    messages = found(FCS_API_KEY="", ASGI_APPLICATION=None, CHANNEL_LAYERS={}, FCS_ROOMS=["x"])

    assert {message.id for message in messages} == {"fcs.E001", "fcs.E002", "fcs.E003", "fcs.W001"}


def test_no_check_shows_the_key() -> None:
    messages = found(FCS_API_KEY="a-secret", ASGI_APPLICATION=None, FCS_ROOMS=["x"])

    assert messages
    assert not any("a-secret" in f"{message.msg}{message.hint}" for message in messages)


def test_each_id_is_used_once() -> None:
    ids = re.findall(r'id="(fcs\.[EW]\d{3})"', source())

    assert len(ids) == len(set(ids)) == 29


def test_every_id_stands_in_the_documents() -> None:
    used = set(re.findall(r'"(fcs\.[EW]\d{3})"', source()))
    listed = re.findall(r"^\| `(fcs\.[EW]\d{3})`", PAGE.read_text(), re.M)

    assert sorted(listed) == sorted(used) and len(used) == 32


def test_a_cache_that_the_site_does_not_have_is_an_error() -> None:
    (message,) = found(FCS_CACHE="prices")

    assert message.id == "fcs.E004"
    assert "default" in hint_of(message)


def test_a_default_timeframe_that_is_none_is_an_error() -> None:
    (message,) = found(FCS_TIMEFRAME="2h")

    assert message.id == "fcs.E005"
    assert "FCS_TIMEFRAME must be one of the timeframes 1 5 15 30 60 240" in message.msg
    assert 'FCS_TIMEFRAME = "1D"' in hint_of(message)


def test_a_layer_that_refuses_its_configuration_is_an_error_not_a_traceback() -> None:
    layer = {"BACKEND": CORE, "CONFIG": {"hosts": "redis://localhost"}}
    (message,) = found(CHANNEL_LAYERS={"default": layer})

    assert message.id == "fcs.E001"
    assert "list of Redis hosts" in hint_of(message)


def test_one_host_that_is_no_list_is_found_before_the_first_price_is_sent() -> None:
    layer = {"BACKEND": PUBSUB, "CONFIG": {"hosts": "redis://localhost"}}
    (message,) = found(CHANNEL_LAYERS={"default": layer})

    assert message.id == "fcs.E001"
    assert '"hosts": ["redis://' in hint_of(message)


# -- the feed


@pytest.mark.parametrize("url", ["", "ws-v4.fcsapi.com/ws", "https://fcsapi.com", "wss://", None])
def test_an_address_that_is_none_is_told_with_the_usual_one(url: str | None) -> None:
    (message,) = found(FCS_URL=url)

    assert message.id == "fcs.E007" and message.is_serious()
    assert 'FCS_URL = "wss://ws-v4.fcsapi.com/ws"' in hint_of(message)


# -- many processes


@pytest.mark.parametrize(
    ("cache", "text"), [(LONELY, "keeps values in one process"), (NOTHING, "keeps nothing")]
)
def test_a_cache_that_shares_nothing_beside_redis_is_warned_of_with_the_lines_to_paste(
    cache: dict[str, Any], text: str
) -> None:
    (message,) = found(CHANNEL_LAYERS=MANY, CACHES=cache)

    assert message.id == "fcs.W003" and text in message.msg
    assert '"django.core.cache.backends.redis.RedisCache"' in hint_of(message)
    assert found(CACHES=cache) == []


def test_the_lines_to_paste_hold_the_alias_of_the_site() -> None:
    caches = {"prices": LONELY["default"]}
    (message,) = found(CHANNEL_LAYERS=MANY, CACHES=caches, FCS_CACHE="prices")

    assert 'CACHES = {"prices": {' in hint_of(message)


def core(**config: Any) -> dict[str, Any]:
    return {"default": {"BACKEND": CORE, "CONFIG": config}}


PATIENT = {"address": "redis://localhost", "socket_timeout": None}


@pytest.fixture
def impatient_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "version", lambda name: "8.1.0")


@pytest.mark.usefixtures("impatient_redis")
def test_a_core_layer_that_holds_less_than_the_rooms_is_warned_of() -> None:
    small = core(hosts=[PATIENT])
    (message,) = found(CHANNEL_LAYERS=small, CACHES=SHARED_CACHE, FCS_MAX_ROOMS=500)

    assert message.id == "fcs.W004"
    assert '"capacity": 500' in hint_of(message)
    assert found(CHANNEL_LAYERS=small, CACHES=SHARED_CACHE, FCS_MAX_ROOMS=100) == []
    large = core(hosts=[PATIENT], capacity=1000)
    assert found(CHANNEL_LAYERS=large, CACHES=SHARED_CACHE) == []


@pytest.mark.usefixtures("impatient_redis")
@pytest.mark.parametrize(
    "hosts",
    [
        None,
        ["redis://me:secret@r"],
        [("localhost", 6379)],
        [PATIENT, {"address": "redis://r"}],
        [{"address": "redis://r", "socket_timeout": 5}],
    ],
)
def test_a_core_layer_that_redis_py_ends_while_it_waits_is_warned_of(hosts: Any) -> None:
    (message,) = found(CHANNEL_LAYERS=core(hosts=hosts, capacity=1000), CACHES=SHARED_CACHE)

    assert message.id == "fcs.W005"
    assert '"socket_timeout": None' in hint_of(message)
    assert "secret" not in f"{message.msg}{message.hint}"


def test_an_older_redis_py_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "version", lambda name: "7.4.0")

    assert found(CHANNEL_LAYERS=core(capacity=1000), CACHES=SHARED_CACHE) == []


@pytest.mark.parametrize(
    ("library", "name"),
    [(library, name) for library in ("channels_redis", "redis") for name in NAMES[library]],
)
def test_a_name_that_a_library_does_not_have_any_more_is_warned_of(
    library: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    renamed = RENAMED if name in ("_args", "_kwargs") else PUBSUB
    rename(monkeypatch, name)
    layers = {"default": {"BACKEND": renamed, "CONFIG": {"hosts": ["redis://me:secret@r"]}}}
    (message,) = found(CHANNEL_LAYERS=layers, CACHES=SHARED_CACHE)

    assert message.id == "fcs.W011" and not message.is_serious(ERROR)
    assert name in message.msg and "slower" in message.msg
    assert f'require "{library}<' in hint_of(message)
    assert "secret" not in f"{message.msg}{message.hint}"
    assert found() == []


def test_over_the_core_layer_only_the_lease_needs_such_a_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    patient = core(hosts=[PATIENT], capacity=1000)
    rename(monkeypatch, "_get_shard")
    assert found(CHANNEL_LAYERS=patient, CACHES=SHARED_CACHE) == []
    rename(monkeypatch, "_writer")
    (message,) = found(CHANNEL_LAYERS=patient, CACHES=SHARED_CACHE)

    assert message.id == "fcs.W011" and "_writer" in message.msg


def test_one_process_for_strangers_is_warned_of_in_deployment() -> None:
    layer = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    (message,) = found_in_deployment(CHANNEL_LAYERS=layer)

    assert message.id == "fcs.W007"
    assert PUBSUB in hint_of(message) and "fcs_stream" in hint_of(message)
    assert found_in_deployment(CHANNEL_LAYERS=layer, DEBUG=True) == []


# -- names and keys


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("FCS_ALOWED_SYMBOLS", "FCS_ALLOWED_SYMBOLS"),
        ("FCS_APIKEY", "FCS_API_KEY"),
        ("FCS_ROOM", "FCS_ROOMS"),
    ],
)
def test_a_misspelt_setting_is_told_with_the_nearest_right_one(name: str, near: str) -> None:
    (message,) = found(**{name: "a-secret"})

    assert message.id == "fcs.W006" and name in message.msg
    assert near in hint_of(message)
    assert "a-secret" not in f"{message.msg}{message.hint}"


def test_a_setting_that_is_near_to_none_is_told_as_well() -> None:
    (message,) = found(FCS_ZZZZZZZZZZ=1)

    assert message.id == "fcs.W006" and "docs/settings.md" in hint_of(message)


@pytest.mark.parametrize(
    "pattern", ["eurusd", "EURUSD", "fx:*", "FX:eur*", "FX: *", "FX:*:*", "[F]X:eur?", "FX:", "[FX"]
)
def test_a_pattern_that_matches_no_symbol_is_warned_of(pattern: str) -> None:
    (allowed,) = found(FCS_ALLOWED_SYMBOLS=["FX:*", pattern])
    (digits,) = found(FCS_DIGITS={"FX:*": 5, pattern: 3})

    assert allowed.id == digits.id == "fcs.W018" and not allowed.is_serious(ERROR)
    assert f"FCS_ALLOWED_SYMBOLS has {pattern!r}" in allowed.msg and "FCS_DIGITS" in digits.msg
    assert '"FX:EURUSD"' in hint_of(allowed)


@pytest.mark.parametrize(
    "pattern", ["*", "FX:*", "FX:EURUSD", "*JPY", "FX?EURUSD", "FX:[A-Z]*", "[!a-z]*", "NSE:M_M"]
)
def test_a_pattern_that_may_match_a_symbol_passes(pattern: str) -> None:
    assert found(FCS_ALLOWED_SYMBOLS=[pattern], FCS_DIGITS={pattern: 3}) == []


@pytest.mark.parametrize("key", ["eurusd", "EURUSD", "FX:*", "FX:EUR USD", "FX:", " FX:EURUSD"])
def test_a_name_that_no_symbol_has_is_warned_of(key: str) -> None:
    (message,) = found(FCS_NAMES={"NASDAQ:AAPL": "Apple", key: "Euro"})

    assert message.id == "fcs.W018" and f"FCS_NAMES has {key!r}" in message.msg
    assert '"FX:EURUSD":' in hint_of(message)


def test_less_patience_than_signs_of_life_take_is_warned_of() -> None:
    (message,) = found(FCS_OFFLINE_AFTER_SECONDS=4.5)

    assert message.id == "fcs.W010" and "is 4.5" in message.msg
    assert found(FCS_OFFLINE_AFTER_SECONDS=5) == []
    assert found(FCS_OFFLINE_AFTER_SECONDS="10") == []


def test_the_key_of_everybody_is_warned_of_in_deployment() -> None:
    (message,) = found_in_deployment(FCS_API_KEY="fcs_socket_demo")

    assert message.id == "fcs.W008"
    assert found_in_deployment(FCS_API_KEY="fcs_socket_demo", DEBUG=True) == []

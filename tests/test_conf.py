"""Settings: the site's value, else a typed default, read at each access."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from django.utils.functional import lazy, lazystr

import django_fcs
from django_fcs.conf import Setting, Settings, conf
from django_fcs.exceptions import ConfigurationError
from tests.support.checked import found

pytestmark = pytest.mark.versions

DEFAULTS: dict[str, Any] = {
    "FCS_API_KEY": "",
    "FCS_URL": "wss://ws-v4.fcsapi.com/ws",
    "FCS_ROOMS": [],
    "FCS_TIMEFRAME": "1D",
    "FCS_ALLOWED_SYMBOLS": [],
    "FCS_AUTHORIZE": None,
    "FCS_REAUTHORIZE_SECONDS": 300,
    "FCS_AUTHORIZE_TIMEOUT_SECONDS": 10,
    "FCS_ALLOWED_ORIGINS": None,
    "FCS_TOKEN_MAX_AGE_SECONDS": None,
    "FCS_MAX_ROOMS": 1000,
    "FCS_MAX_ROOMS_PER_CLIENT": 300,
    "FCS_MAX_SOCKETS_PER_IP": 50,
    "FCS_MAX_FRAMES_PER_SECOND": 10,
    "FCS_CHANNEL_LAYER": "default",
    "FCS_CACHE": "default",
    "FCS_SITE": None,
    "FCS_SOCKET_URL": "/ws/fcs/",
    "FCS_LINGER_SECONDS": 30,
    "FCS_LEASE_SECONDS": 3,
    "FCS_REST_KEY": "",
    "FCS_REST_URL": "https://api-v4.fcsapi.com/",
    "FCS_REST_REQUESTS_PER_MINUTE": 3,
    "FCS_REST_CREDITS_PER_MONTH": 500,
    "FCS_CANDLES": 600,
    "FCS_SAVE_CANDLES": [],
    "FCS_STALE_AFTER_SECONDS": 60,
    "FCS_OFFLINE_AFTER_SECONDS": 10,
    "FCS_SLOW_CLIENT_SECONDS": 30,
    "FCS_DIGITS": {},
    "FCS_NAMES": {},
}

#: A value of each setting that differs from that of the tests.
EXAMPLES: dict[str, Any] = {
    **{name: value + 7 for name, value in DEFAULTS.items() if isinstance(value, int)},
    "FCS_API_KEY": "a-key/with+signs",
    "FCS_URL": "ws://localhost:9780",
    "FCS_REST_KEY": "another-key/with+signs",
    "FCS_REST_URL": "http://localhost:9780/",
    "FCS_SAVE_CANDLES": ["FX:*", "FX:EURUSD_60"],
    "FCS_ROOMS": ["FX:EURUSD"],
    "FCS_TIMEFRAME": "60",
    "FCS_ALLOWED_SYMBOLS": ["FX:*", "BINANCE:*"],
    "FCS_AUTHORIZE": "site.may_join",
    "FCS_ALLOWED_ORIGINS": [],
    "FCS_TOKEN_MAX_AGE_SECONDS": 60,
    "FCS_CHANNEL_LAYER": "prices",
    "FCS_CACHE": "prices",
    "FCS_SITE": "shop2",
    "FCS_SOCKET_URL": "wss://prices.example.com/ws/fcs/",
    "FCS_DIGITS": {"FX:*JPY": 3},
    "FCS_NAMES": {"NASDAQ:AAPL": "Apple"},
}


def plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value


@pytest.mark.parametrize(("name", "default"), DEFAULTS.items())
def test_a_site_that_sets_nothing_has_the_documented_default(name: str, default: object) -> None:
    with override_settings():
        if hasattr(settings, name):
            delattr(settings, name)

        assert plain(getattr(conf, name)) == default


@pytest.mark.parametrize("name", DEFAULTS)
def test_what_the_site_sets_counts_at_once_and_only_as_long_as_it_is_set(name: str) -> None:
    before, value = getattr(conf, name), EXAMPLES[name]

    with override_settings(**{name: value}):
        assert getattr(conf, name) == value != before
    assert getattr(conf, name) == before


def test_a_setting_tells_its_default_without_an_instance() -> None:
    assert isinstance(Settings.FCS_LINGER_SECONDS, Setting)
    assert Settings.FCS_LINGER_SECONDS.default == 30


def test_a_setting_that_does_not_exist_is_an_error() -> None:
    name = "FCS_NO_SUCH_THING"
    with pytest.raises(AttributeError):
        getattr(conf, name)


def test_no_module_reads_a_setting_that_conf_does_not_have() -> None:
    package = Path(django_fcs.__file__).parent
    read = {
        name
        for path in package.rglob("*.py")
        for name in re.findall(r"\bconf\.(FCS_[A-Z_]+)", path.read_text())
    }

    assert read <= DEFAULTS.keys() == {name for name in vars(Settings) if name.startswith("FCS_")}


@pytest.mark.parametrize(
    "name", ["FCS_ROOMS", "FCS_ALLOWED_SYMBOLS", "FCS_ALLOWED_ORIGINS", "FCS_SAVE_CANDLES"]
)
def test_one_text_alone_is_a_list_and_not_its_letters(name: str) -> None:
    for value in ("FX:*", ("FX:*",), {"FX:*"}, "FX:*,"):
        with override_settings(**{name: value}):
            assert getattr(conf, name) == ["FX:*"]
    with override_settings(**{name: "FX:*, BINANCE:BTCUSDT"}):
        assert getattr(conf, name) == ["FX:*", "BINANCE:BTCUSDT"]
    with override_settings(**{name: ""}):
        assert getattr(conf, name) == []


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("FCS_MAX_ROOMS", "10", 10),
        ("FCS_MAX_ROOMS", " 10 ", 10),
        ("FCS_MAX_ROOMS", 10.0, 10),
        ("FCS_MAX_ROOMS", "10.0", 10),
        ("FCS_DIGITS", "FX:*=4.0", {"FX:*": 4}),
        ("FCS_TOKEN_MAX_AGE_SECONDS", "60.0", 60),
        ("FCS_TOKEN_MAX_AGE_SECONDS", "", None),
        ("FCS_SITE", "", ""),
        ("FCS_SOCKET_URL", "WSS://h/", "WSS://h/"),
        ("FCS_SOCKET_URL", "//h/ws/fcs/", "//h/ws/fcs/"),
        ("FCS_MAX_SOCKETS_PER_IP", "0", 0),
        ("FCS_TOKEN_MAX_AGE_SECONDS", "60", 60),
        ("FCS_STALE_AFTER_SECONDS", "0.5", 0.5),
        ("FCS_LINGER_SECONDS", 0, 0),
        ("FCS_DIGITS", "FX:USDJPY=3, BINANCE:*=2", {"FX:USDJPY": 3, "BINANCE:*": 2}),
        ("FCS_DIGITS", {"FX:*": "4"}, {"FX:*": 4}),
        ("FCS_SOCKET_URL", lazystr("/prices/"), "/prices/"),
        ("FCS_NAMES", "NASDAQ:AAPL=Apple, A:B = C D,", {"NASDAQ:AAPL": "Apple", "A:B": "C D"}),
        ("FCS_NAMES", "X:GC=F=Gold", {"X:GC=F": "Gold"}),
        ("FCS_NAMES", {"FX:EURUSD": lazystr(" Euro ")}, {"FX:EURUSD": "Euro"}),
        ("FCS_NAMES", "", {}),
    ],
)
def test_what_is_unambiguous_is_read_in_the_settings_own_type(
    name: str, value: object, read: object
) -> None:
    with override_settings(**{name: value}):
        assert getattr(conf, name) == read
        assert type(getattr(conf, name)) is type(read)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("FCS_MAX_ROOMS", "many", "must be a whole number from 1 to 1000000, not 'many'"),
        ("FCS_MAX_ROOMS", 2.5, "must be a whole number from 1 to 1000000, not 2.5"),
        ("FCS_MAX_ROOMS", 0, "must be a whole number from 1 to 1000000, not 0"),
        ("FCS_MAX_ROOMS", True, "must be a whole number from 1 to 1000000, not True"),
        ("FCS_REST_REQUESTS_PER_MINUTE", 0, "must be a whole number from 1 to 1000, not 0"),
        ("FCS_CANDLES", 10_001, "must be a whole number from 1 to 10000, not 10001"),
        ("FCS_LEASE_SECONDS", -1, "must be a number from 0.5 to 3600, not -1"),
        ("FCS_STALE_AFTER_SECONDS", float("nan"), "to 31536000, not nan"),
        ("FCS_STALE_AFTER_SECONDS", "1e400", "to 31536000, not '1e400'"),
        pytest.param("FCS_LINGER_SECONDS", 10**5000, "not a value of type int", id="huge"),
        ("FCS_TOKEN_MAX_AGE_SECONDS", " x", "from 1 to 31536000, or None, not ' x'"),
        ("FCS_MAX_ROOMS", "10.5", "must be a whole number from 1 to 1000000, not '10.5'"),
        ("FCS_MAX_ROOMS", "inf", "must be a whole number from 1 to 1000000, not 'inf'"),
        ("FCS_MAX_ROOMS", "", "must be a whole number from 1 to 1000000, not ''"),
        *[
            ("FCS_SOCKET_URL", url, f"not '{url}'")
            for url in ("ws://", "wss:///ws/", "//", "///h/", "ws://:80/", "ws://h:x/", "//h:0/")
        ],
        *[("FCS_SOCKET_URL", url, f"not '{url}'") for url in ("", "ftp://h/", "ws:h", "/a b/")],
        ("FCS_ROOMS", None, "must be a list of strings, not None"),
        ("FCS_ROOMS", ["FX:EURUSD", 7], "must be a list of strings, not a value of type list"),
        ("FCS_ROOMS", b"FX:EURUSD", "must be a list of strings, not b'FX:EURUSD'"),
        ("FCS_DIGITS", {"FX:*": 99}, "must be a dict from strings to whole numbers from 0 to 10"),
        *[
            ("FCS_NAMES", {"FX:EURUSD": name}, "to names of at most 100 printable characters, not")
            for name in ("", " ", "a" * 101, "a\nb", "a\u202eb", 7, None, b"Euro", ["Euro"])
        ],
        *[("FCS_NAMES", value, "must be a dict") for value in ("FX:EURUSD", "=Euro", ["a"], None)],
        *[("FCS_NAMES", {key: "Euro"}, "must be a dict") for key in (7, None, "", "a\n")],
        ("FCS_SOCKET_URL", "ws/fcs/", 'must be a path such as "/ws/fcs/"'),
        ("FCS_TIMEFRAME", "1D" * 1000, "not '" + "1D" * 19),
    ],
)
def test_a_value_that_cannot_be_used_is_told_with_what_the_setting_must_be(
    name: str, value: object, message: str
) -> None:
    with override_settings(**{name: value}), pytest.raises(ImproperlyConfigured) as caught:
        getattr(conf, name)

    assert isinstance(caught.value, ConfigurationError)
    assert str(caught.value).startswith(f"{name} must be ") and message in str(caught.value)
    assert len(str(caught.value)) < 250 and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *product(
            ["FCS_API_KEY", "FCS_URL", "FCS_REST_KEY", "FCS_REST_URL"],
            [b"a-secret", ["a-secret"], "a-secret\n", "a-secret" * 1000],
        ),
        *product(["FCS_URL", "FCS_REST_URL"], [" ", "a-secret ", "a -secret"]),
    ],
)
def test_no_message_shows_the_key_or_the_address_that_may_contain_it(
    name: str, value: object
) -> None:
    with override_settings(**{name: value}):
        with pytest.raises(ConfigurationError, match=f"{name} must be a string") as caught:
            getattr(conf, name)
        shown = "".join(f"{message.msg}{message.hint}" for message in found())
    assert "a-secret" not in f"{caught.value!r}{shown}"


def test_a_lazy_value_that_fails_is_a_value_that_cannot_be_used() -> None:
    def fail() -> str:
        raise LookupError

    with override_settings(FCS_SOCKET_URL=lazy(fail, str)()):
        with pytest.raises(ConfigurationError, match="FCS_SOCKET_URL must be a path"):
            _ = conf.FCS_SOCKET_URL


def test_every_default_is_a_value_that_its_kind_allows() -> None:
    for setting in Settings.declared().values():
        assert plain(setting.read(setting.default)) == plain(setting.default)


def test_all_settings_that_cannot_be_used_are_told_at_once() -> None:
    with override_settings(FCS_MAX_ROOMS=None, FCS_ROOMS=7):
        assert [setting.name for setting, _ in conf.errors()] == ["FCS_ROOMS", "FCS_MAX_ROOMS"]
        with pytest.raises(ConfigurationError, match="FCS_ROOMS"):
            conf.validate()
    conf.validate()

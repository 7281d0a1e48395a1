"""Settings: the site's value, else a typed default, read at each access."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

import django_fcs
from django_fcs.conf import Setting, Settings, conf

pytestmark = pytest.mark.versions

DEFAULTS: dict[str, Any] = {
    "FCS_API_KEY": "",
    "FCS_URL": "wss://ws-v4.fcsapi.com/ws",
    "FCS_ROOMS": [],
    "FCS_TIMEFRAME": "1D",
    "FCS_ALLOWED_SYMBOLS": [],
    "FCS_AUTHORIZE": None,
    "FCS_ALLOWED_ORIGINS": None,
    "FCS_TOKEN_MAX_AGE_SECONDS": None,
    "FCS_MAX_ROOMS": 1000,
    "FCS_MAX_ROOMS_PER_CLIENT": 1000,
    "FCS_MAX_SOCKETS_PER_IP": 0,
    "FCS_MAX_FRAMES_PER_SECOND": 10,
    "FCS_CHANNEL_LAYER": "default",
    "FCS_CACHE": "default",
    "FCS_SOCKET_URL": "/ws/fcs/",
    "FCS_LINGER_SECONDS": 30,
    "FCS_LEASE_SECONDS": 3,
    "FCS_STALE_AFTER_SECONDS": 60,
    "FCS_OFFLINE_AFTER_SECONDS": 10,
    "FCS_SLOW_CLIENT_SECONDS": 30,
    "FCS_DIGITS": {},
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
    before, value = getattr(conf, name), object()

    with override_settings(**{name: value}):
        assert getattr(conf, name) is value
    assert getattr(conf, name) is before


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


@pytest.mark.parametrize("name", ["FCS_ROOMS", "FCS_ALLOWED_SYMBOLS", "FCS_ALLOWED_ORIGINS"])
def test_one_text_alone_is_a_list_of_one_and_not_of_its_letters(name: str) -> None:
    with override_settings(**{name: "FX:*"}):
        assert getattr(conf, name) == ["FX:*"]

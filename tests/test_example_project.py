from __future__ import annotations

import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, override_settings

from django_fcs.conf import Settings
from example_project.environment import cache_beside, fcs_settings
from example_project.markets import MARKETS
from example_project.middleware import POLICY

pytestmark = pytest.mark.versions

SETTINGS = Path(__file__).parents[1] / "example_project" / "settings.py"
PAGES = ["/", *(f"/{slug}/" for slug in MARKETS), *(f"/{slug}/plain/" for slug in MARKETS)]


@pytest.fixture
def settings_of(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that reads the settings in a given environment."""

    def read(**environ: str) -> dict[str, Any]:
        for name in (*Settings.declared(), "DJANGO_DEBUG", "FCS_REDIS_URL"):
            monkeypatch.delenv(name, raising=False)
        for name, text in environ.items():
            monkeypatch.setenv(name, text)
        module = runpy.run_path(str(SETTINGS))
        return {name: value for name, value in module.items() if name.isupper()}

    return read


@pytest.fixture
def client(settings_of: Any) -> Iterator[Client]:
    with override_settings(**settings_of(FCS_API_KEY="a-key-to-hide")):
        yield Client(headers={"host": "127.0.0.1"})


# The environment


def test_every_setting_can_be_set_by_the_environment() -> None:
    texts = {name: str(setting.default) for name, setting in Settings.declared().items()}
    texts |= {"FCS_API_KEY": "a-key", "FCS_DIGITS": "FX:*=5", "FCS_NAMES": "FX:EURUSD=Euro"}
    assert fcs_settings(texts).keys() == texts.keys()


def test_each_variable_is_read_in_its_own_type() -> None:
    assert fcs_settings(
        {
            "FCS_ROOMS": "FX:EURUSD, FX:USDJPY_60,",
            "FCS_MAX_ROOMS": "7",
            "FCS_STALE_AFTER_SECONDS": "0.5",
            "FCS_ALLOWED_ORIGINS": "None",
            "FCS_TOKEN_MAX_AGE_SECONDS": "60",
            "FCS_DIGITS": "FX:USDJPY=3,BINANCE:*=2",
            "FCS_NAMES": "NASDAQ:AAPL=Apple,FX:EURUSD=Euro",
            "HOME": "/nowhere",
        }
    ) == {
        "FCS_ROOMS": ["FX:EURUSD", "FX:USDJPY_60"],
        "FCS_MAX_ROOMS": 7,
        "FCS_STALE_AFTER_SECONDS": 0.5,
        "FCS_ALLOWED_ORIGINS": None,
        "FCS_TOKEN_MAX_AGE_SECONDS": 60,
        "FCS_DIGITS": {"FX:USDJPY": 3, "BINANCE:*": 2},
        "FCS_NAMES": {"NASDAQ:AAPL": "Apple", "FX:EURUSD": "Euro"},
    }


def test_an_empty_variable_empties_a_list_and_leaves_the_rest() -> None:
    assert fcs_settings({"FCS_ALLOWED_SYMBOLS": "", "FCS_API_KEY": "", "FCS_MAX_ROOMS": ""}) == {
        "FCS_ALLOWED_SYMBOLS": []
    }


def test_a_variable_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ImproperlyConfigured, match="FCS_MAX_ROOMS must be .* not 'many'"):
        fcs_settings({"FCS_MAX_ROOMS": "many"})


def test_without_any_variable_the_example_uses_the_demo_key_and_three_markets(
    settings_of: Any,
) -> None:
    settings = settings_of()
    assert settings["DEBUG"] is True
    assert settings["FCS_API_KEY"] == "fcs_socket_demo"
    assert settings["FCS_ALLOWED_SYMBOLS"] == ["FX:*", "BINANCE:*", "NASDAQ:*"]
    assert settings["CHANNEL_LAYERS"]["default"]["BACKEND"].endswith("InMemoryChannelLayer")


def test_debug_is_off_with_django_debug_0(settings_of: Any) -> None:
    assert settings_of(DJANGO_DEBUG="0")["DEBUG"] is False


def test_redis_takes_channel_layer_and_cache(settings_of: Any) -> None:
    settings = settings_of(FCS_REDIS_URL="redis://127.0.0.1:1/0")
    layer = settings["CHANNEL_LAYERS"]["default"]
    assert layer["BACKEND"] == "channels_redis.pubsub.RedisPubSubChannelLayer"
    assert layer["CONFIG"]["hosts"] == ["redis://127.0.0.1:1/0"]
    assert settings["CACHES"]["default"]["LOCATION"] == "redis://127.0.0.1:1/8"


@pytest.mark.parametrize(
    ("layer", "cache"),
    [
        ("redis://r", "redis://r/8"),
        ("rediss://me:secret@r:6380/1", "rediss://me:secret@r:6380/9"),
        ("redis://r/2?db=3&health_check_interval=5", "redis://r/11?health_check_interval=5"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock?db=8"),
        ("unix:///run/redis.sock?db=1", "unix:///run/redis.sock?db=9"),
    ],
)
def test_the_cache_is_eight_databases_above_the_layer(layer: str, cache: str) -> None:
    assert cache_beside(layer) == cache


# The pages


DATA = '<script id="fcs-page" type="application/json">'


@pytest.mark.parametrize("path", PAGES)
def test_every_page_keeps_its_own_strict_policy(client: Client, path: str) -> None:
    response = client.get(path)
    html = response.content.decode()
    assert response.status_code == 200
    assert response.headers["Content-Security-Policy"] == POLICY
    assert not re.search(r"<style|\bstyle=|\bon[a-z]+=|<script>", html)
    # Browsers do not run data.
    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", html) in ([], [DATA])


@pytest.mark.parametrize("path", PAGES)
def test_no_page_shows_the_key(client: Client, path: str) -> None:
    assert "a-key-to-hide" not in client.get(path).content.decode()


@pytest.mark.parametrize("path", PAGES)
def test_every_page_links_to_every_market(client: Client, path: str) -> None:
    html = client.get(path).content.decode()
    assert all(f'href="/{slug}/"' in html for slug in MARKETS)


def test_the_front_page_links_to_the_plain_pages_too(client: Client) -> None:
    html = client.get("/").content.decode()
    assert all(f'href="/{slug}/plain/"' in html for slug in MARKETS)


@pytest.mark.parametrize("market", MARKETS.values(), ids=list(MARKETS))
def test_a_market_shows_its_four_instruments_with_tags_and_without(
    client: Client, market: Any
) -> None:
    tagged = client.get(f"/{market.slug}/").content.decode()
    plain = client.get(f"/{market.slug}/plain/").content.decode()
    assert len(market.instruments) == 4
    for instrument in market.instruments:
        assert f'<fcs-ticker symbol="{instrument.symbol}" timeframe="1D"' in tagged
        assert f'data-symbol="{instrument.symbol}"' in plain
    assert "fcs-elements" not in plain
    assert "<fcs-" not in plain


def test_a_market_that_is_not_there_is_not_found(client: Client) -> None:
    assert client.get("/bonds/").status_code == 404


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ws://127.0.0.1:9780", "Simulated prices"),
        ("wss://ws-v4.fcsapi.com/ws", "Prices from the FCS API"),
    ],
)
def test_the_page_says_whether_its_prices_are_real(client: Client, url: str, words: str) -> None:
    with override_settings(FCS_URL=url):
        assert words in client.get("/").content.decode()

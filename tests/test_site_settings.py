"""Tags, quotes, Jinja2 and the health page under Django settings that a site may have."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from unittest import mock

import jinja2
import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.test import Client, RequestFactory, override_settings
from django.urls import get_script_prefix, path, set_script_prefix
from django.utils import translation

from django_fcs import quotes, routing, widgets
from django_fcs.prices.states import State
from django_fcs.quotes import Quote, get_quote
from django_fcs.rooms import Room
from django_fcs.site import site_store
from django_fcs.testing import push_price
from django_fcs.tokens import make_token, token_is_valid
from django_fcs.widgets.page import _MODULES
from tests.support.checked import found
from tests.widgets.test_html import DJANGO, JINJA, Parts, a_quote

pytestmark = [pytest.mark.usefixtures("clean_loop"), pytest.mark.urls("django_fcs.urls")]

DUMMY = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}


def engine(**options: Any) -> dict[str, Any]:
    return {"TEMPLATES": [{"BACKEND": DJANGO, "APP_DIRS": True, "OPTIONS": options}]}


#: Each by what is special about it.
SITES: dict[str, dict[str, Any]] = {
    "naive times": {"USE_TZ": False},
    "naive times elsewhere": {"USE_TZ": False, "TIME_ZONE": "America/St_Johns"},
    "quarter of an hour": {"TIME_ZONE": "Asia/Kathmandu"},
    "the first day": {"TIME_ZONE": "Pacific/Kiritimati"},
    "a zone without a name": {"TIME_ZONE": "Etc/GMT+12"},
    "one language": {"USE_I18N": False},
    "one language, not English": {"USE_I18N": False, "LANGUAGE_CODE": "de-ch"},
    "a language from right to left": {"LANGUAGE_CODE": "ar"},
    "a language of a country": {"LANGUAGE_CODE": "es-mx"},
    "thousands": {"USE_THOUSAND_SEPARATOR": True, "LANGUAGE_CODE": "de"},
    "thousands by hand": {
        **{"USE_THOUSAND_SEPARATOR": True, "USE_I18N": False, "NUMBER_GROUPING": (3, 2, 0)},
        **{"THOUSAND_SEPARATOR": " ", "DECIMAL_SEPARATOR": ","},
    },
    "own formats": {"FORMAT_MODULE_PATH": ["tests.formats"]},
    "formats that are missing": {"FORMAT_MODULE_PATH": "tests.nowhere"},
    "below a path": {"FORCE_SCRIPT_NAME": "/shop"},
    "another user": {"AUTH_USER_MODEL": "shop.Customer"},
    "Jinja2 alone": {"TEMPLATES": [{"BACKEND": JINJA, "APP_DIRS": True}]},
    "no templates": {"TEMPLATES": []},
    "invalid variables": engine(string_if_invalid="INVALID %s"),
    "no escaping": engine(autoescape=False),
    "templates in debug": engine(debug=True, string_if_invalid="INVALID"),
    "files of another host": {"STATIC_URL": "https://cdn.example.com/s/"},
    "files below the page": {"STATIC_URL": "static/"},
    "no app for files": {"INSTALLED_APPS": ["daphne", "channels", "django_fcs"]},
    "no middleware": {"MIDDLEWARE": []},
    "a cache that keeps nothing": {"CACHES": DUMMY},
    "no slashes": {"APPEND_SLASH": False},
    "old keys": {"SECRET_KEY": "new", "SECRET_KEY_FALLBACKS": ["tests"]},
    "production": {"DEBUG": False, "ALLOWED_HOSTS": ["testserver"]},
    "development": {"DEBUG": True},
    "all checks of hosts": {"USE_X_FORWARDED_HOST": True, "SECURE_SSL_REDIRECT": True},
}

TAGS = """{% load fcs %}{% fcs_scripts %}{% fcs_ticker "FX:EURUSD" %}
{% fcs_price "FX:EURUSD" field="updated" %}{% fcs_ticker "FX:USDJPY" timeframe="60" %}"""


@pytest.fixture(autouse=True)
def same_prefix() -> Iterator[None]:
    prefix = get_script_prefix()
    yield
    set_script_prefix(prefix)


@pytest.fixture(params=SITES)
def site(request: pytest.FixtureRequest) -> Iterator[str]:
    with override_settings(**SITES[request.param]):
        with translation.override(settings.LANGUAGE_CODE):
            yield request.param


async def test_the_functions_print_price_state_and_token(site: str) -> None:
    await push_price("FX:EURUSD", close=1.08412, bid=1.08408, ask=1.08416, volume=8192.7)

    for html in (widgets.ticker("FX:EURUSD"), widgets.price("FX:EURUSD")):
        parts = Parts(html)
        assert parts.texts["close"].replace(",", ".") == "1.08412"
        assert parts.host["data-state"] == "live" and parts.host["data-digits"] == "5"
        assert token_is_valid(parts.host["token"] or "", "FX:EURUSD")
        assert "INVALID" not in html
    assert "INVALID" not in widgets.ticker("FX:USDJPY") + widgets.price("FX:USDJPY")
    assert len(Parts(widgets.scripts()).elements) == (5 if settings.DEBUG else 4)


async def test_both_engines_print_the_same_as_the_functions(site: str) -> None:
    await push_price("FX:EURUSD", close=1.08412)
    jinja = jinja2.Environment(extensions=["django_fcs.jinja.FCSExtension"], autoescape=True)
    source = '{{ fcs_scripts() }}{% fcs_ticker "FX:EURUSD" %}'

    expected = widgets.scripts() + widgets.ticker("FX:EURUSD")
    assert jinja.from_string(source).render() == expected
    if any(engine["BACKEND"] == DJANGO for engine in settings.TEMPLATES):
        html = Template(TAGS).render(Context())
        assert html.startswith(expected) and "INVALID" not in html
        assert html.count("<fcs-ticker ") == 2


async def test_a_price_of_another_day_and_a_market_that_is_closed_have_their_dates(
    site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opens = int(datetime(2037, 1, 5, 14, 30, tzinfo=timezone.utc).timestamp())
    quote: Quote = a_quote(state=State.CLOSED, until=opens, delay=900)
    monkeypatch.setattr(quotes, "quote_to_show", lambda room: quote)

    html = widgets.ticker("FX:EURUSD")
    assert 'datetime="2025-12-22T13:50:26Z"' in html
    assert Parts(html).texts["updated"] > ""
    assert "opens" in html or settings.LANGUAGE_CODE != "en"


async def test_quotes_are_in_utc_whatever_the_site_says(site: str) -> None:
    await push_price("FX:EURUSD", close=1.08412)
    quote = get_quote("FX:EURUSD")

    assert quote is not None and quote.updated.tzinfo is timezone.utc
    assert quote.state is State.LIVE and quote.close == 1.08412
    assert site_store().load([Room.parse("FX:EURUSD")])[0]


async def test_the_health_page_answers_and_the_checks_find_nothing(site: str) -> None:
    response = Client().get("/health/", secure=True)

    assert response.status_code == 200
    assert found() == []


# -- the address of the socket


@pytest.mark.parametrize(
    ("forced", "reported", "url", "socket"),
    [
        (None, "/", "/ws/fcs/", "/ws/fcs/"),
        ("/shop", "/", "/ws/fcs/", "/shop/ws/fcs/"),
        ("/shop/", "/", "/ws/fcs/", "/shop/ws/fcs/"),
        ("/a/shop", "/other", "/prices/", "/a/shop/prices/"),
        (None, "/shop", "/ws/fcs/", "/shop/ws/fcs/"),
        ("/shop", "/", "/shop/ws/fcs/", "/shop/ws/fcs/"),
        ("/shop", "/", "/shopping/ws/", "/shop/shopping/ws/"),
        ("/shop", "/", "wss://prices.example.com/ws/fcs/", "wss://prices.example.com/ws/fcs/"),
        ("/shop", "/", "//prices.example.com/ws/fcs/", "//prices.example.com/ws/fcs/"),
        ("", "/shop", "/ws/fcs/", "/shop/ws/fcs/"),
    ],
)
def test_the_path_of_the_socket_follows_the_path_of_the_site_and_an_address_stays(
    forced: str | None, reported: str, url: str, socket: str
) -> None:
    with override_settings(FORCE_SCRIPT_NAME=forced, FCS_SOCKET_URL=url):
        set_script_prefix(reported)
        assert Parts(widgets.scripts()).elements[3][1]["data-fcs-socket"] == socket


def test_a_page_below_a_path_that_the_server_reports_names_the_socket_there() -> None:
    def page(request: HttpRequest) -> HttpResponse:
        return HttpResponse(widgets.scripts())

    with override_settings(ROOT_URLCONF=(path("page/", page),)):
        environ = RequestFactory().get("/page/", SCRIPT_NAME="/shop").environ
        content = b"".join(WSGIHandler()(environ, mock.Mock()))
    assert 'data-fcs-socket="/shop/ws/fcs/"' in content.decode()


@pytest.mark.parametrize("place", ["/ws/fcs/", "/shop/ws/fcs/"])
async def test_the_route_is_found_whether_or_not_the_proxy_keeps_the_path_of_the_site(
    place: str,
) -> None:
    with override_settings(FORCE_SCRIPT_NAME="/shop"):
        patterns = importlib.reload(routing).websocket_urlpatterns
    importlib.reload(routing)
    browser = WebsocketCommunicator(URLRouter(patterns), place)

    assert await browser.connect(timeout=60) == (True, None)
    await browser.disconnect(timeout=60)


# -- keys, files and users


def test_a_token_made_with_an_older_key_of_the_site_still_opens_its_symbol() -> None:
    token = make_token("FX:EURUSD")
    with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=["tests"]):
        assert token_is_valid(token, "FX:EURUSD")
    with override_settings(SECRET_KEY="new"):
        assert not token_is_valid(token, "FX:EURUSD")


def test_with_hashed_names_the_scripts_are_those_that_collectstatic_wrote(tmp_path: Path) -> None:
    backend = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    storages = {**settings.STORAGES, "staticfiles": {"BACKEND": backend}}
    with override_settings(STORAGES=storages, STATIC_ROOT=tmp_path, DEBUG=False):
        call_command("collectstatic", interactive=False, verbosity=0)
        html = widgets.scripts()
    addresses = re.findall(r'"(/static/[^"]+)"', html)  # of modules, too
    assert len(addresses) == 3 + len(_MODULES)
    for address in addresses:
        assert re.fullmatch(r"/static/django_fcs/[\w-]+\.min\.[0-9a-f]{12}\.(css|js)", address)
        assert (tmp_path / address.removeprefix("/static/")).is_file()


SHOP = """
SECRET_KEY = "tests"
INSTALLED_APPS = [
    "daphne", "shop", "django.contrib.auth", "django.contrib.contenttypes", "channels", "django_fcs"
]
AUTH_USER_MODEL = "shop.Customer"
ASGI_APPLICATION = "django_fcs.asgi.application"
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
FCS_API_KEY, FCS_URL, FCS_ALLOWED_SYMBOLS = "a-key", "ws://127.0.0.1:9", ["FX:*"]
FCS_AUTHORIZE = "shop.may_join"
"""
MAY_JOIN = """
def may_join(scope, room):
    return scope["user"].is_anonymous
"""
CUSTOMER = """
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

class Customer(AbstractBaseUser):
    number = models.CharField(max_length=20, unique=True)
    objects = BaseUserManager()
    USERNAME_FIELD = "number"
"""
JOIN = """
import asyncio, django
django.setup()
from channels.testing import WebsocketCommunicator
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django_fcs.asgi import application

async def main():
    browser = WebsocketCommunicator(application, "/ws/fcs/")
    await browser.connect(timeout=60)
    print((await browser.receive_json_from(timeout=60))["type"])
    await browser.send_json_to({"type": "join_symbol", "symbol": "FX:EURUSD", "timeframe": "1D"})
    print((await browser.receive_json_from(timeout=60))["short"])
    await browser.disconnect(timeout=60)

call_command("check", tags=["django_fcs"])
asyncio.run(main())
"""


def test_a_site_with_a_user_model_of_its_own_decides_who_may_join(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    for name, text in {"__init__": MAY_JOIN, "models": CUSTOMER, "settings": SHOP}.items():
        (shop / f"{name}.py").write_text(text)
    places = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[1])])
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "shop.settings", "PYTHONPATH": places}
    done = subprocess.run(
        [sys.executable, "-c", JOIN], env=env, capture_output=True, text=True, timeout=120
    )

    checked, *said = done.stdout.splitlines()
    assert "no issues" in checked and said == ["welcome", "joined_room"], done.stderr

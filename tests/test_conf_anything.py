"""Any value of any setting: the checks name it, or everything works with it."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.core.checks import ERROR, CheckMessage
from django.core.management import CommandError, call_command
from django.template import Context, Template
from django.test import Client, override_settings

from django_fcs import asgi, checks
from django_fcs.access.origin import objection
from django_fcs.checks import check_deployment, check_settings
from django_fcs.conf import Settings
from django_fcs.doctor.examine import Outcome, examine
from django_fcs.doctor.site_probes import BEFORE, after, probe_origins
from django_fcs.quotes import aget_quote, get_quote, get_quotes
from django_fcs.testing import push_price
from tests.support.checked import MANY, SHARED_CACHE, found

pytestmark = pytest.mark.usefixtures("clean_loop")

VALUES: dict[str, Any] = {
    **{"none": None, "true": True, "false": False, "zero": 0, "minus": -1, "ten": 10, "half": 0.5},
    **{"infinite": math.inf, "overflow": 1e400, "nan": math.nan, "huge": 10**400},
    **{"beyond-str": 10**5000, "empty": "", "text-of-ten": "10", "x": "x", "long": "a" * 100_000},
    **{"surrogate": "\ud800", "line": "a\nb", "blank": " ", "comma": ",", "star": "*"},
    **{"bytes": b"x", "list": [], "list-of-none": [None], "nested": [[]], "tuple": (1, 2)},
    **{"dict": {}, "dict-of-dict": {"a": {}}, "set": {1, "a"}, "object": object(), "type": dict},
    **{"call": len, "module": "os", "path": "os.path.join", "dots": "..", "colon": "a:b"},
}
NAMES = list(Settings.declared())

PAGE = """{% load fcs %}{% fcs_scripts %}{% fcs_ticker "FX:EURUSD" %}
{% fcs_price "FX:EURUSD" field="updated" %}{% fcs_ticker "FX:USDJPY" timeframe="60" %}
{% fcs_token "FX:EURUSD" %}"""


@pytest.fixture(autouse=True, scope="module")
def releases_are_read_once() -> Iterator[None]:
    """The checks and each connection of redis-py read them from the disk every time."""
    version = cache(metadata.version)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metadata, "version", version)
        patch.setattr(checks, "version", version)
        yield


def refused(messages: list[CheckMessage]) -> bool:
    return any(message.is_serious(ERROR) for message in messages)


@pytest.mark.parametrize("name", NAMES)
async def test_what_the_checks_pass_works_and_the_rest_is_told(name: str) -> None:
    await push_price("FX:EURUSD", close=1.08412)
    for value in VALUES.values():
        with override_settings(**{name: value}):
            wrong = refused(found())
            assert after("")
            answer = await answer_of_the_socket()
            html = page()
            quote = await aget_quote("FX:EURUSD")
        assert html.count("<fcs-ticker ") == 2
        if wrong:
            assert answer in ("refused", "welcome")
        else:
            assert answer == "welcome"
            assert "1.08" in html and quote is not None


async def answer_of_the_socket() -> str:
    browser = WebsocketCommunicator(asgi.application, "/ws/fcs/")
    await browser.connect(timeout=60)
    answer = await browser.receive_json_from(timeout=60)
    await browser.disconnect(timeout=60)
    return "refused" if answer["type"] == "error" else str(answer["type"])


def page() -> str:
    return Template(PAGE).render(Context())


SHOWN = {
    "FCS_STALE_AFTER_SECONDS": "1.08",
    "FCS_OFFLINE_AFTER_SECONDS": 'data-fcs-offline-after="10"',
    "FCS_TIMEFRAME": '"timeframe": "1D"',
    "FCS_SOCKET_URL": "/ws/fcs/",
    "FCS_TOKEN_MAX_AGE_SECONDS": 'token=""',
}


@pytest.mark.parametrize("name", SHOWN)
async def test_a_page_takes_the_default_of_a_wrong_setting_and_logs_it_once(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    await push_price("FX:EURUSD", close=1.08412)

    with override_settings(**{name: []}):
        html = page() + page()
        quotes = [get_quote("FX:EURUSD"), *get_quotes(["FX:EURUSD"]).values()]

    assert SHOWN[name] in html and "1.08" in html
    assert [quote and quote.close for quote in quotes] == [1.08412] * 2
    (line,) = [text for text in caplog.messages if name in text]
    assert f"{name} must be " in line


@pytest.mark.urls("django_fcs.urls")
@pytest.mark.parametrize("name", NAMES)
def test_the_doctor_and_the_health_page_live_with_any_value(name: str) -> None:
    for value in VALUES.values():
        with override_settings(**{name: value}):
            wrong = refused([*check_settings(), *check_deployment()])
            outcomes = {finding.outcome for _, finding in examine(BEFORE)}
            status = Client().get("/health/").status_code
        assert (Outcome.BROKEN in outcomes) is wrong
        assert status in ((200, 503) if wrong else (200,))


@pytest.mark.parametrize(
    "name",
    ["CHANNEL_LAYERS", "CACHES", "ASGI_APPLICATION", "ALLOWED_HOSTS", "FORCE_SCRIPT_NAME", "DEBUG"],
)
def test_no_value_of_a_setting_that_others_define_ends_the_checks(name: str) -> None:
    for value in VALUES.values():
        # Not override_settings: for some values, Django fails before the checks run.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(settings, name, value)
            assert all(message.hint for message in [*check_settings(), *check_deployment()])


HOSTS: list[Any] = [*VALUES.values(), [5], ["www.example.com", None], [b"www.example.com"]]


def test_a_list_of_hosts_with_other_things_than_texts_ends_no_check_probe_or_socket() -> None:
    headers = [(b"origin", b"https://foreign.invalid"), (b"host", b"www.example.com")]
    for value in HOSTS:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(settings, "ALLOWED_HOSTS", value)
            patch.setattr(settings, "DEBUG", False)
            assert all(message.hint for message in check_deployment())
            assert [finding.outcome for finding in probe_origins("https://www.example.com")]
            assert objection({"headers": headers}) is not None


@pytest.mark.parametrize("name", ["BACKEND", "LOCATION", "OPTIONS"])
def test_no_value_in_the_configuration_of_the_cache_ends_the_checks(name: str) -> None:
    right = SHARED_CACHE["default"]
    for value in VALUES.values():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(settings, "CACHES", {"default": {**right, name: value}})
            patch.setattr(settings, "CHANNEL_LAYERS", MANY)
            assert all(message.hint for message in [*check_settings(), *check_deployment()])


LOCMEM = "django.core.cache.backends.locmem.LocMemCache"

#: Each by why Django cannot make it.
NO_CACHES: dict[str, dict[str, Any]] = {
    "library": {"BACKEND": "django.core.cache.backends.memcached.PyLibMCCache"},
    "module": {"BACKEND": "nowhere.Cache"},
    "key function": {"BACKEND": LOCMEM, "KEY_FUNCTION": "nowhere.key"},
    "number as key function": {"BACKEND": LOCMEM, "KEY_FUNCTION": 5},
    "location": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache"}
    | {"LOCATION": None},
    "options": {"BACKEND": LOCMEM, "OPTIONS": 5},
    "number": {"BACKEND": 5},
    "function": {"BACKEND": "os.getpid"},
    "nothing": {},
}


@pytest.mark.parametrize("reason", NO_CACHES)
@pytest.mark.usefixtures("shared_layer")
def test_a_cache_that_cannot_be_made_is_told_by_the_checks_and_costs_pages_their_prices(
    reason: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pylibmc", None)
    with override_settings(CACHES={"default": {}, "prices": NO_CACHES[reason]}, FCS_CACHE="prices"):
        (message,) = [one for one in check_settings() if one.id == "fcs.E004"]
        html = page() + page()
        quotes = [get_quote("FX:EURUSD"), *get_quotes(["FX:EURUSD"]).values()]

    assert "CACHES['prices']" in str(message.hint)
    assert html.count("<fcs-ticker ") == 4 and quotes == [None, None]
    (line,) = caplog.messages
    assert "FCS_CACHE names 'prices'" in line


CONFIGS: dict[str, Any] = {"hosts": ["redis://r"], "capacity": 100, "prefix": "asgi"}


@pytest.mark.parametrize("name", [*CONFIGS, "address", "host", "port", "db", "path", "master_name"])
@pytest.mark.parametrize("backend", ["pubsub.RedisPubSubChannelLayer", "core.RedisChannelLayer"])
def test_no_value_in_the_configuration_of_the_layer_ends_the_checks(
    backend: str, name: str
) -> None:
    for value in VALUES.values():
        config = {**CONFIGS, name: value} if name in CONFIGS else {"hosts": [{name: value}]}
        layer = {"BACKEND": f"channels_redis.{backend}", "CONFIG": config}
        with override_settings(CHANNEL_LAYERS={"default": layer}, CACHES=SHARED_CACHE):
            ids = {message.id for message in [*check_settings(), *check_deployment()]}
        assert ids <= {"fcs.E001", "fcs.W004", "fcs.W005", "fcs.W016"}


def test_no_backend_of_the_layer_ends_the_checks() -> None:
    for value in VALUES.values():
        with override_settings(CHANNEL_LAYERS={"default": {"BACKEND": value}}):
            assert "fcs.E001" in {message.id for message in [*check_settings()]}
            assert all(message.hint for message in check_deployment())


WRONG = [("FCS_MAX_ROOMS", 0), ("FCS_LEASE_SECONDS", "x"), ("FCS_API_KEY", 123)]


@pytest.mark.parametrize(("name", "value"), WRONG)
@pytest.mark.parametrize(
    "command", [["fcs_stream"], ["fcs_stream", "--check"], ["fcs_status"], ["fcs_status", "--json"]]
)
@pytest.mark.usefixtures("shared_layer")
def test_a_command_says_in_one_line_which_setting_is_wrong_and_exits_with_2(
    command: list[str], name: str, value: object
) -> None:
    with override_settings(**{name: value}), pytest.raises(CommandError) as caught:
        call_command(*command)

    assert caught.value.returncode == 2
    assert str(caught.value).startswith(f"{name} must be ")
    assert "\n" not in str(caught.value)

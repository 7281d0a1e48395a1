"""``manage.py fcs_doctor`` on sites that are broken on purpose: it names the right fix."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import pytest
from django.core.asgi import get_asgi_application
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import override_settings
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection

from django_fcs.doctor.waits import Waits
from django_fcs.management.commands import fcs_doctor
from django_fcs.simulator import Simulator
from tests.doctor.doctors import NOTHING, Line, examined, web_server
from tests.support.layers import SharedLayer
from tests.support.network import free_port

IMPATIENT = Waits(welcome=0.5, hear=0.2)


# -- settings


@pytest.mark.parametrize(
    ("settings", "fix"),
    [
        ({"FCS_TIMEFRAME": "2h"}, 'FCS_TIMEFRAME = "1D"'),
        ({"FCS_MAX_ROOMS": "many"}, "FCS_MAX_ROOMS = 1000"),
        ({"FCS_ROOMS": None}, "FCS_ROOMS = []"),
        ({"FCS_ROOMS": ["eurusd"]}, "'eurusd'"),
        ({"FCS_ALOWED_SYMBOLS": ["FX:*"]}, "Rename it to FCS_ALLOWED_SYMBOLS"),
        ({"ASGI_APPLICATION": None}, 'ASGI_APPLICATION = "django_fcs.asgi.application"'),
        (
            {"ASGI_APPLICATION": f"{__name__}.pages_only"},
            'ASGI_APPLICATION = "django_fcs.asgi.application"',
        ),
        (
            {"INSTALLED_APPS": ["django_fcs", "django.contrib.staticfiles"]},
            'INSTALLED_APPS = ["daphne", *your_own_apps, "channels", "django_fcs"]',
        ),
        (
            {"INSTALLED_APPS": ["django.contrib.staticfiles", "daphne", "django_fcs"]},
            'INSTALLED_APPS = ["daphne", *your_own_apps, "channels", "django_fcs"]',
        ),
        ({"DEBUG": False}, "channels_redis.pubsub.RedisPubSubChannelLayer"),
        ({"FCS_AUTHORIZE": "nowhere.may"}, "No module named 'nowhere'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_what_the_settings_lack(settings: dict[str, Any], fix: str, no_vendor: None) -> None:
    assert fix in examined(**settings)["settings"].fix


pages_only = get_asgi_application()


def test_no_channel_layer(no_vendor: None) -> None:
    report = examined(CHANNEL_LAYERS={})

    assert "CHANNEL_LAYERS = {" in report["settings"].fix
    assert {report[name].text for name in ("layer", "processes", "cache")} == {
        "not tested, because it needs fcs.E001"
    }


def test_a_check_that_the_site_has_silenced_is_not_told(no_vendor: None) -> None:
    settings: dict[str, Any] = {
        "FCS_ALOWED_SYMBOLS": [],
        "SILENCED_SYSTEM_CHECKS": ["fcs.W006"],
    }

    assert examined(**settings)["settings"].outcome == "ok"


# -- layer and cache


@pytest.mark.usefixtures("no_vendor")
@pytest.mark.parametrize("kind", ["pubsub.RedisPubSubChannelLayer", "core.RedisChannelLayer"])
def test_redis_is_down(kind: str) -> None:
    address = f"redis://someone:a-password@127.0.0.1:{free_port()}/0"
    layer = {"BACKEND": f"channels_redis.{kind}", "CONFIG": {"hosts": [address]}}
    cache = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": address}
    report = examined(CHANNEL_LAYERS={"default": layer}, CACHES={"default": cache})

    assert report["layer"].outcome == report["cache"].outcome == "broken"
    assert "Start Redis, or correct hosts of CHANNEL_LAYERS['default']" in report["layer"].fix
    assert "Start the server of CACHES['default']" in report["cache"].fix
    assert report["processes"].outcome == "skipped"
    assert "a-password" not in report.out


@pytest.mark.usefixtures("no_vendor")
def test_a_layer_that_swallows_messages(shared_layer: type[SharedLayer]) -> None:
    shared_layer.failures["receive"] = asyncio.TimeoutError()
    report = examined(waits=IMPATIENT, CACHES=NOTHING)

    assert report["layer"].text == "a message from this process does not arrive"


@pytest.mark.usefixtures("no_vendor")
def test_a_layer_that_hangs(shared_layer: type[SharedLayer]) -> None:
    shared_layer.failures["group_add"] = asyncio.TimeoutError()
    report = examined(waits=replace(IMPATIENT, layer=0.2), CACHES=NOTHING)

    assert report["layer"].text == "the channel layer does not answer in 0.2 s"
    assert "firewall" in report["layer"].fix


@pytest.mark.usefixtures("no_vendor", "shared_layer")
def test_a_site_without_a_settings_module_is_tried_as_far_as_it_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE")
    report = examined(waits=IMPATIENT)

    assert report["processes"].outcome == "skipped"
    assert report["cache"].outcome == "ok"


# -- origins and the web server


@pytest.mark.usefixtures("no_vendor")
def test_an_origin_that_no_browser_sends() -> None:
    report = examined(FCS_ALLOWED_ORIGINS=["www.example.com/"])

    assert 'Write "https://www.example.com"' in report["settings"].fix
    assert report["origins"] == Line("skipped", "not tested, because it needs fcs.E008", "")


@pytest.mark.usefixtures("no_vendor")
@pytest.mark.parametrize("settings", [{"ALLOWED_HOSTS": ["*"]}, {"FCS_ALLOWED_ORIGINS": ["*"]}])
def test_a_socket_open_to_all(settings: dict[str, Any]) -> None:
    line = examined(**settings)["origins"]

    assert line.outcome == "warning"
    assert "FCS_ALLOWED_ORIGINS = []" in line.fix


@pytest.mark.usefixtures("no_vendor")
def test_a_site_that_names_no_host() -> None:
    line = examined(ALLOWED_HOSTS=[], DEBUG=False)["origins"]

    assert line.outcome == "broken"
    assert 'ALLOWED_HOSTS = ["www.example.com"]' in line.fix


@pytest.mark.usefixtures("no_vendor")
@override_settings(ALLOWED_HOSTS=["www.site.invalid"])
def test_a_page_of_a_foreign_origin() -> None:
    url = f"http://www.site.invalid:{free_port()}"
    origins = ["https://app.example.com"]
    line = examined(f"{url}/prices/", FCS_ALLOWED_ORIGINS=origins)["origins"]

    assert line.outcome == "warning"
    assert f'FCS_ALLOWED_ORIGINS = ["{url}"]' in line.fix
    assert examined(url, FCS_ALLOWED_ORIGINS=[url])["origins"].outcome == "ok"
    with_password = url.replace("//", "//me:secret@")
    assert examined(with_password, FCS_ALLOWED_ORIGINS=[url])["origins"].outcome == "ok"


@pytest.mark.usefixtures("no_vendor")
@pytest.mark.parametrize("origins", [None, [], ["https://www.site.invalid"]])
def test_a_page_of_a_host_that_the_site_does_not_have(origins: list[str] | None) -> None:
    line = examined("https://www.site.invalid/", FCS_ALLOWED_ORIGINS=origins)["origins"]

    assert line.outcome == "warning"
    assert line.fix == 'Add "www.site.invalid" to ALLOWED_HOSTS.'


@pytest.mark.usefixtures("no_vendor")
def test_a_web_server_behind_its_proxy_has_no_pages_of_its_own() -> None:
    url = f"http://127.0.0.1:{free_port()}"

    assert examined(url, ALLOWED_HOSTS=["www.example.com"])["origins"].outcome == "ok"


@pytest.mark.usefixtures("no_vendor")
def test_who_may_open_the_socket_is_listed() -> None:
    origins = ["https://app.example.com"]

    assert origins[0] in examined(FCS_ALLOWED_ORIGINS=origins)["origins"].text
    assert "others: none" in examined(FCS_ALLOWED_ORIGINS=[])["origins"].text


@pytest.mark.usefixtures("no_vendor")
def test_how_many_sockets_an_address_may_open_and_what_suggests_a_proxy() -> None:
    assert examined()["addresses"] == Line(
        "ok", "an address may open 50 sockets in each process", ""
    )
    assert "any number" in examined(FCS_MAX_SOCKETS_PER_IP=0)["addresses"].text
    behind: dict[str, Any] = {"SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https")}
    text = examined(**behind, USE_X_FORWARDED_HOST=True)["addresses"].text
    assert "SECURE_PROXY_SSL_HEADER, USE_X_FORWARDED_HOST suggests a proxy: not tested" in text


def test_a_web_server_that_serves_the_socket(vendor: Simulator) -> None:
    url = vendor.url.replace("ws:", "http:")
    report = examined(url)

    assert report["server"] == Line("ok", f"{vendor.url}/ws/fcs/ says welcome", "")


@pytest.mark.usefixtures("no_vendor")
def test_no_web_server() -> None:
    line = examined(f"http://127.0.0.1:{free_port()}")["server"]

    assert line.outcome == "broken"
    assert line.fix == "Start the web server, or correct --url."
    assert "FCS_URL" not in line.text


@pytest.mark.usefixtures("no_vendor")
@pytest.mark.parametrize("status", [HTTPStatus.OK, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND])
def test_a_web_server_of_pages_only(status: HTTPStatus) -> None:
    def answer(socket: ServerConnection, request: Request) -> Response:
        return socket.respond(status, "a page")

    with web_server(lambda socket: None, answer) as port:
        line = examined(f"http://127.0.0.1:{port}")["server"]

    assert line.outcome == "broken"
    assert "django_fcs.asgi:application" in line.fix
    assert "KEY" not in line.text


@pytest.mark.usefixtures("no_vendor")
def test_a_web_server_that_says_why_it_refuses() -> None:
    def refuse(socket: ServerConnection) -> None:
        socket.send("a frame that is none")
        socket.send('{"type":"error","short":"refused","message":"this site is not set up"}')
        socket.close(4500)

    with web_server(refuse) as port:
        line = examined(f"http://127.0.0.1:{port}")["server"]

    assert line.outcome == "broken"
    # websockets 14 forgets what it has not handed out when the close comes.
    assert "this site is not set up" in line.text or "code 4500" in line.text
    assert "its log says why" in line.fix


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ws://127.0.0.1:8000", "http://", "http://["])
def test_an_address_of_no_web_server_is_wrong_use(url: str) -> None:
    with pytest.raises(CommandError) as caught:
        call_command("fcs_doctor", "--url", url)

    assert caught.value.returncode == 2
    assert "http://127.0.0.1:8000" in str(caught.value)


# -- the command


@pytest.mark.usefixtures("no_vendor")
def test_what_the_probes_provoke_is_not_logged_between_their_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("django_fcs"), "propagate", False)
    examined(f"http://127.0.0.1:{free_port()}")

    assert capsys.readouterr().err == ""
    assert logging.getLogger("django_fcs").handlers == []


def test_an_interrupted_doctor_says_so_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*args: Any, **keywords: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(fcs_doctor, "examine", interrupt)

    with pytest.raises(CommandError, match="interrupted"):
        call_command("fcs_doctor")


# -- values of settings that cannot be used


@pytest.mark.usefixtures("no_vendor", "shared_layer")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("FCS_API_KEY", 123), ("FCS_URL", b"ws"), ("FCS_ROOMS", None), ("FCS_CACHE", {})],
        *[("FCS_CHANNEL_LAYER", []), ("FCS_ALLOWED_ORIGINS", 7), ("FCS_SOCKET_URL", None)],
        *[("FCS_OFFLINE_AFTER_SECONDS", "x"), ("FCS_SITE", -1), ("FCS_TIMEFRAME", None)],
    ],
)
def test_the_doctor_runs_to_its_end_and_names_the_setting(
    name: str, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE")  # No other processes: they take seconds.
    report = examined(waits=IMPATIENT, **{name: value}, CACHES=NOTHING)
    told = [line for line in report.lines["settings"] if line.outcome == "broken"]

    assert f"{name} must be " in told[0].text and f"{name} = " in told[0].fix
    assert {"key", "dns", "layer", "cache", "origins", "server"} <= report.lines.keys()
    assert "Error:" not in report.out

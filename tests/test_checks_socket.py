"""System checks of the socket: who serves it, and who may open it."""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import Any

import pytest
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application
from django.urls import path, re_path

from django_fcs.asgi import application as ours
from django_fcs.consumers import FCSConsumer
from django_fcs.routing import websocket_urlpatterns
from tests.support.checked import found, found_in_deployment, hint_of

pytestmark = pytest.mark.versions

# -- who serves the socket


def test_daphne_behind_staticfiles_is_an_error_with_the_line_to_paste() -> None:
    (message,) = found(INSTALLED_APPS=["django.contrib.staticfiles", "daphne", "django_fcs"])

    assert message.id == "fcs.E006" and message.is_serious()
    assert 'INSTALLED_APPS = ["daphne", *your_own_apps, "channels",' in hint_of(message)


def test_a_missing_daphne_is_told_where_runserver_is_used() -> None:
    apps = ["django_fcs", "django.contrib.staticfiles"]
    (message,) = found(INSTALLED_APPS=apps, DEBUG=True)

    assert message.id == "fcs.W002"
    assert 'INSTALLED_APPS = ["daphne"' in hint_of(message)
    assert found(INSTALLED_APPS=apps, DEBUG=False) == []


plain = get_asgi_application()
behind_static_files = ASGIStaticFilesHandler(plain)
without_sockets = ProtocolTypeRouter({"http": plain})
with_sockets = ASGIStaticFilesHandler(ProtocolTypeRouter({"websocket": plain}))


async def middleware(scope: Any, receive: Any, send: Any) -> None:
    """What wraps an application in a way of its own, nobody can look into."""


@pytest.mark.parametrize("name", ["plain", "behind_static_files", "without_sockets"])
def test_an_application_of_pages_only_is_an_error_with_both_ways_out(name: str) -> None:
    path = f"tests.test_checks_socket.{name}"
    (message,) = found(ASGI_APPLICATION=path)

    assert [message.id for message in found_in_deployment(ASGI_APPLICATION=path)] == ["fcs.E009"]
    assert message.id == "fcs.E009" and message.is_serious()
    assert 'ASGI_APPLICATION = "django_fcs.asgi.application"' in hint_of(message)
    assert "django_fcs.routing.websocket_urlpatterns" in hint_of(message)


@pytest.mark.parametrize("name", ["with_sockets", "middleware"])
def test_an_application_that_may_serve_sockets_passes(name: str) -> None:
    assert found_in_deployment(ASGI_APPLICATION=f"tests.test_checks_socket.{name}") == []
    assert found(ASGI_APPLICATION=f"tests.test_checks_socket.{name}") == []


@pytest.mark.parametrize(
    "path", ["nowhere.asgi.application", "tests.test_checks_socket.nothing", "x"]
)
def test_an_application_that_cannot_be_imported_is_an_error_not_a_traceback(path: str) -> None:
    (message,) = found_in_deployment(ASGI_APPLICATION=path)

    assert message.id == "fcs.E011"
    assert path in message.msg


def two(scope: Any, receive: Any) -> None:
    """Servers call an application with three arguments."""


@pytest.mark.parametrize(
    "path", ["os.path", "os.sep", "sys.exit", "sys.path", "tests.test_checks_socket.two"]
)
def test_what_no_server_can_call_is_an_error_with_and_without_deploy(path: str) -> None:
    (message,) = found(ASGI_APPLICATION=path)

    assert message.id == "fcs.E011" and message.is_serious() and path in message.msg
    assert 'ASGI_APPLICATION = "django_fcs.asgi.application"' in hint_of(message)
    assert [message.id for message in found_in_deployment(ASGI_APPLICATION=path)] == ["fcs.E011"]


class Scoped:
    """An application of the older form: made for a scope, then called."""

    def __init__(self, scope: Any) -> None:
        self.scope = scope

    async def __call__(self, receive: Any, send: Any) -> None: ...


class Instance:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


instance = Instance()
partly = functools.partial(middleware)


@pytest.mark.parametrize("name", ["Scoped", "instance", "partly"])
def test_each_form_that_servers_can_call_passes(name: str) -> None:
    assert found_in_deployment(ASGI_APPLICATION=f"tests.test_checks_socket.{name}") == []


def test_without_deploy_an_application_that_cannot_be_imported_is_left_to_the_server() -> None:
    assert found(ASGI_APPLICATION="nowhere.asgi.application") == []


@pytest.mark.parametrize("url", ["/ws/other/", "/", "/ws/fcs", "/live?to=/ws/fcs/"])
def test_a_path_that_our_application_does_not_serve_is_warned_of(url: str) -> None:
    (message,) = found(FCS_SOCKET_URL=url)

    assert message.id == "fcs.W019" and url in message.msg
    assert 'FCS_SOCKET_URL = "/ws/fcs/"' in hint_of(message)
    own = "tests.test_checks_socket.with_sockets"
    assert found(FCS_SOCKET_URL=url, ASGI_APPLICATION=own) == []


@pytest.mark.parametrize("url", ["/ws/fcs/", "/shop/ws/fcs/", "/ws/fcs/?a=1", "//h/x/", "wss://h"])
def test_a_path_that_our_application_may_serve_and_another_host_pass(url: str) -> None:
    assert found(FCS_SOCKET_URL=url) == []


_ours = FCSConsumer.as_asgi()
_included = [path("included/", _ours)]


def router(*routes: Any) -> ProtocolTypeRouter:
    return ProtocolTypeRouter({"http": plain, "websocket": URLRouter([*routes])})


another_path = router(path("live/", _ours))
ours_and_another_path = router(*websocket_urlpatterns, path("live/", _ours))
nested = router(path("live/", URLRouter([path("prices/", _ours)])), *websocket_urlpatterns)
by_pattern = router(re_path(r"^live/\w+$", _ours))
mounted = router(path("live/", URLRouter([*_included, *websocket_urlpatterns])))
wrapped = ProtocolTypeRouter(
    {
        "http": plain,
        "websocket": AllowedHostsOriginValidator(
            AuthMiddlewareStack(URLRouter([path("live/", _ours)]))
        ),
    }
)
behind_middleware = functools.partial(another_path)
renamed = ours


@pytest.mark.parametrize(
    "name",
    [
        *("another_path", "ours_and_another_path", "nested", "by_pattern", "mounted", "wrapped"),
        *("behind_middleware", "renamed"),
    ],
)
@pytest.mark.parametrize("url", ["/live/", "/live/prices/", "/live/ws/fcs/", "/elsewhere/"])
def test_a_router_of_the_sites_own_is_never_warned_of(name: str, url: str) -> None:
    application = f"tests.test_checks_socket.{name}"

    assert found_in_deployment(FCS_SOCKET_URL=url, ASGI_APPLICATION=application) == []


# -- who may open it


@pytest.mark.parametrize(
    ("origin", "right"),
    [
        ("example.com", "https://example.com"),
        ("https://example.com/prices?x=1", "https://example.com"),
        (" https://example.com", "https://example.com"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_an_origin_that_no_browser_sends_is_told_as_browsers_spell_it(
    origin: str, right: str
) -> None:
    (message,) = found(FCS_ALLOWED_ORIGINS=["https://www.example.com", origin])

    assert message.id == "fcs.E008" and message.is_serious()
    assert f'"{right}"' in hint_of(message)


@pytest.mark.parametrize("origin", ["https://*.example.com", "", "https://", "https://[", "a:b"])
def test_what_is_no_origin_at_all_gets_an_example(origin: str) -> None:
    (message,) = found(FCS_ALLOWED_ORIGINS=[origin])

    assert message.id == "fcs.E008"


@pytest.mark.parametrize(
    "origin",
    [
        "https://www.example.com",
        "http://localhost:8000",
        "https://example.com:8443",
        "http://[::1]:8000",
        "https://example.com/",
        "HTTPS://Example.COM",
        "https://example.com:443",
        "capacitor://localhost",
        "file://",
        "null",
        "*",
    ],
)
def test_an_origin_in_any_spelling_of_its_url_passes(origin: str) -> None:
    assert found(FCS_ALLOWED_ORIGINS=[origin]) == []


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("ALLOWED_HOSTS", {"ALLOWED_HOSTS": ["*"]}),
        ("FCS_ALLOWED_ORIGINS", {"FCS_ALLOWED_ORIGINS": ["*"]}),
    ],
)
def test_a_socket_open_to_all_is_warned_of_in_deployment(
    name: str, settings: dict[str, Any]
) -> None:
    (message,) = found_in_deployment(**settings)

    assert message.id == "fcs.W009" and name in message.msg
    assert "FCS_ALLOWED_ORIGINS = []" in hint_of(message)
    assert found_in_deployment(**settings, DEBUG=True) == found(**settings) == []


@pytest.mark.parametrize(
    ("hosts", "wrong"),
    [
        ([5], "5"),
        (["www.example.com", None], "None"),
        ([b"www.example.com"], "b'www.example.com'"),
        ([["www.example.com"]], "a value of type list"),
        (None, "None"),
        (5, "5"),
        ("www.example.com", "'www.example.com'"),
    ],
)
def test_hosts_of_the_site_that_are_no_strings_are_named_in_deployment(
    hosts: Any, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not override_settings: for some values, Django fails before the checks run.
    monkeypatch.setattr(settings, "ALLOWED_HOSTS", hosts)
    (message,) = found_in_deployment()

    assert message.id == "fcs.E020" and f"ALLOWED_HOSTS has {wrong}," in message.msg
    assert 'ALLOWED_HOSTS = ["www.example.com"]' in hint_of(message)


def test_all_hosts_with_origins_of_its_own_is_no_open_socket() -> None:
    assert found_in_deployment(ALLOWED_HOSTS=["*"], FCS_ALLOWED_ORIGINS=[]) == []


def allow(scope: Any, room: Any) -> bool:
    return True


@pytest.mark.parametrize(
    "path", ["tests.test_checks_socket.alow", "nowhere.allow", "allow", __name__]
)
def test_a_permission_function_that_is_none_is_an_error(path: str) -> None:
    (message,) = found(FCS_AUTHORIZE=path)

    assert message.id == "fcs.E010" and message.is_serious()
    assert path in message.msg
    assert found(FCS_AUTHORIZE="tests.test_checks_socket.allow") == []


@pytest.mark.parametrize(
    ("runserver", "ids"),
    [
        ("django.contrib.staticfiles.management.commands.runserver", ["fcs.E006"]),
        ("django.core.management.commands.runserver", ["fcs.E006"]),
        ("daphne.management.commands.runserver", []),
        ("nowhere.runserver", []),
    ],
)
def test_the_first_app_with_a_runserver_counts_and_not_its_name(
    runserver: str, ids: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "front" / "management" / "commands"
    folder.mkdir(parents=True)
    for package in (folder, folder.parent, folder.parent.parent):
        (package / "__init__.py").touch()
    (folder / "runserver.py").write_text(f"from {runserver} import Command as Base\n{OWN}")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name.partition(".")[0] == "front"]:
        monkeypatch.delitem(sys.modules, name)
    messages = found(INSTALLED_APPS=["front", "daphne", "django_fcs"])

    assert [message.id for message in messages] == ids
    assert all("comes after front" in message.msg for message in messages)


OWN = "class Command(Base): pass\n"

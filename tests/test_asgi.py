"""The whole application that a site names in ``ASGI_APPLICATION``."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from types import ModuleType

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.routing import URLRouter
from channels.sessions import CookieMiddleware
from channels.testing import WebsocketCommunicator
from django.test import override_settings

from django_fcs import asgi
from django_fcs.routing import websocket_urlpatterns

pytestmark = [pytest.mark.usefixtures("clean_loop"), pytest.mark.versions]


async def test_pages_go_to_django() -> None:
    scope = {
        **{"type": "http", "method": "GET", "path": "/nowhere/", "query_string": b""},
        "headers": [(b"host", b"testserver")],
    }
    browser = ApplicationCommunicator(asgi.application, scope)
    await browser.send_input({"type": "http.request", "body": b""})

    assert (await browser.receive_output(timeout=60))["status"] == 404
    await browser.receive_output(timeout=60)
    await browser.wait(timeout=60)


async def test_the_socket_is_where_pages_look_for_it() -> None:
    browser = WebsocketCommunicator(asgi.application, "/ws/fcs/")

    assert await browser.connect(timeout=60) == (True, None)
    assert (await browser.receive_json_from(timeout=60))["type"] == "welcome"
    await browser.disconnect(timeout=60)


async def test_a_site_with_an_application_of_its_own_takes_the_patterns() -> None:
    browser = WebsocketCommunicator(URLRouter(websocket_urlpatterns), "/ws/fcs/")

    assert await browser.connect(timeout=60) == (True, None)
    await browser.disconnect(timeout=60)


@pytest.fixture
def reloaded() -> Iterator[ModuleType]:
    with override_settings(FCS_AUTHORIZE="site.may_join"):
        yield importlib.reload(asgi)
    importlib.reload(asgi)


def test_the_user_is_looked_up_only_where_somebody_looks_at_him(reloaded: ModuleType) -> None:
    def socket() -> object:
        return asgi.application.application_mapping["websocket"]

    assert isinstance(socket(), CookieMiddleware)
    with override_settings(FCS_AUTHORIZE=None):
        importlib.reload(asgi)
    assert isinstance(socket(), URLRouter)

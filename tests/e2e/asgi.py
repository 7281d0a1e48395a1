"""A site with an ``asgi.py`` of its own, and a consumer of its own beside ours."""

from __future__ import annotations

import json
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application
from django.urls import path

_http = get_asgi_application()

from django_fcs.rooms import Room  # noqa: E402
from django_fcs.routing import websocket_urlpatterns  # noqa: E402


class OwnConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """What a developer writes who knows Channels and has read one line of our docs."""

    async def connect(self) -> None:
        room = Room.parse("FX:EURUSD", "1D")
        await self.channel_layer.group_add(room.group, self.channel_name)
        await self.accept()

    async def fcs_price(self, event: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps({"own": event["room"], "seq": event["seq"]}))


application = ASGIStaticFilesHandler(
    ProtocolTypeRouter(
        {
            "http": _http,
            "websocket": URLRouter(
                [*websocket_urlpatterns, path("ws/own/", OwnConsumer.as_asgi())]
            ),
        }
    )
)

"""A site built as in the Channels tutorial: a group per room, a consumer per browser."""

from __future__ import annotations

from typing import Any

from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path

__all__ = ["PriceConsumer", "application", "group_of"]


def group_of(symbol: str) -> str:
    """Return the name of a symbol's group, with characters that Channels allows."""
    return "price." + symbol.replace(":", ".")


class PriceConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """The consumer of one browser."""

    groups: list[str]

    async def connect(self) -> None:
        self.joined: set[str] = set()
        await self.accept()

    async def receive_json(self, content: dict[str, Any], **kwargs: Any) -> None:
        if content["type"] == "join_symbol":
            group = group_of(content["symbol"])
            self.joined.add(group)
            await self.channel_layer.group_add(group, self.channel_name)

    async def disconnect(self, code: int) -> None:
        for group in self.joined:
            await self.channel_layer.group_discard(group, self.channel_name)

    async def price_update(self, event: dict[str, Any]) -> None:
        """Send a price of a joined group to the browser."""
        await self.send_json(event["price"])


application = ProtocolTypeRouter(
    {
        "http": get_asgi_application(),
        "websocket": URLRouter([path("ws/fcs/", PriceConsumer.as_asgi())]),
    }
)

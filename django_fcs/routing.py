"""The route of the socket, for sites with their own ``asgi.py``."""

from __future__ import annotations

from django.urls import path

from .consumers import FCSConsumer

__all__ = ["websocket_urlpatterns"]

websocket_urlpatterns = [path("ws/fcs/", FCSConsumer.as_asgi())]

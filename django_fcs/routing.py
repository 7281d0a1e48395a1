"""Where the socket lives in a site that has an ``asgi.py`` of its own."""

from __future__ import annotations

from django.urls import path

from .consumers import FCSConsumer

__all__ = ["websocket_urlpatterns"]

websocket_urlpatterns = [path("ws/fcs/", FCSConsumer.as_asgi())]

"""The route of the socket, for sites with their own ``asgi.py``."""

from __future__ import annotations

from django.conf import settings
from django.urls import path

from .consumers import FCSConsumer

__all__ = ["websocket_urlpatterns"]

# A proxy may pass the path on with FORCE_SCRIPT_NAME or without, as for pages.
_prefixes = {"", (settings.FORCE_SCRIPT_NAME or "").strip("/")}

websocket_urlpatterns = [
    path(f"{prefix}/ws/fcs/".lstrip("/"), FCSConsumer.as_asgi()) for prefix in sorted(_prefixes)
]

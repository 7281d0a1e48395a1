"""A whole ASGI application: ``ASGI_APPLICATION = "django_fcs.asgi.application"``."""

from __future__ import annotations

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

# This sets up Django, which the imports below need.
_http = get_asgi_application()

from .conf import conf  # noqa: E402
from .routing import websocket_urlpatterns  # noqa: E402

__all__ = ["application"]

_websocket = URLRouter(websocket_urlpatterns)

application = ProtocolTypeRouter(
    {
        "http": _http,
        # Only FCS_AUTHORIZE needs the user, and loading the user costs a query.
        "websocket": AuthMiddlewareStack(_websocket) if conf.FCS_AUTHORIZE else _websocket,
    }
)

"""Settings of a site in one process, which renders the page before any price is known."""

from __future__ import annotations

__all__: list[str] = []

SECRET_KEY = "a laboratory keeps no secrets"
INSTALLED_APPS = ["daphne", "channels", "django_fcs"]
STATIC_URL = "/static/"
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
USE_TZ = True

FCS_API_KEY = "fcs_socket_demo"
FCS_ALLOWED_SYMBOLS = ["*"]

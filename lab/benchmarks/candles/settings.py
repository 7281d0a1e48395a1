"""Settings of a site without prices; each measurement adds its own."""

from __future__ import annotations

__all__: list[str] = []

SECRET_KEY = "a laboratory keeps no secrets"
INSTALLED_APPS = ["daphne", "channels", "django_fcs"]
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
USE_TZ = True

FCS_API_KEY = "fcs_socket_demo"

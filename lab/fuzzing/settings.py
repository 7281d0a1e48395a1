"""Settings of a site in one process for the targets, which override some of them."""

from __future__ import annotations

__all__: list[str] = []

SECRET_KEY = "inputs that nobody sends keep no secrets"
INSTALLED_APPS = ["daphne", "channels", "django_fcs"]
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
USE_TZ = True

FCS_API_KEY = "a-key-of-the-fuzzing"
#: No server listens there, in case a target connects by mistake.
FCS_URL = "ws://127.0.0.1:9"

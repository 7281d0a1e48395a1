"""A site in one process: what the targets live in, but for what they set themselves."""

from __future__ import annotations

__all__: list[str] = []

SECRET_KEY = "inputs that nobody sends keep no secrets"
INSTALLED_APPS = ["daphne", "channels", "django_fcs"]
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
USE_TZ = True

FCS_API_KEY = "a-key-of-the-fuzzing"
#: Nobody listens there, should a target ever connect by itself.
FCS_URL = "ws://127.0.0.1:9"

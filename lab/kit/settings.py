"""Settings of a minimal site for django_fcs and the tutorial's consumer."""

from __future__ import annotations

import os

__all__: list[str] = []

_REDIS = os.environ.get("LAB_REDIS", "redis://127.0.0.1:6379").split(",")

SECRET_KEY = "a laboratory keeps no secrets"
ALLOWED_HOSTS = ["127.0.0.1"]
USE_TZ = True
INSTALLED_APPS = [*os.environ.get("LAB_APPS", "").split(), "daphne", "channels", "django_fcs"]
ROOT_URLCONF = "lab.kit.urls"
ASGI_APPLICATION = "django_fcs.asgi.application"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": _REDIS},
    },
}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": f"{_REDIS[0]}/8",
    },
}

FCS_API_KEY = "fcs_socket_demo"
FCS_URL = os.environ.get("LAB_SOURCE", "ws://127.0.0.1:9780")
FCS_ALLOWED_SYMBOLS = ["BINANCE:*"]
FCS_ROOMS = [room for room in os.environ.get("LAB_ROOMS", "").split(",") if room]
FCS_MAX_ROOMS = 1000
FCS_MAX_ROOMS_PER_CLIENT = 1000
FCS_MAX_SOCKETS_PER_IP = 0  # All browsers come from this machine.
FCS_SLOW_CLIENT_SECONDS = float(os.environ.get("LAB_SLOW_CLIENT_SECONDS", "30"))

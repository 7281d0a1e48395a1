"""The site that is soaked: Redis, any room of one exchange, and a probe."""

from __future__ import annotations

import os

__all__: list[str] = []

_REDIS = os.environ["SOAK_REDIS"]

SECRET_KEY = "a soak keeps no secrets"
ALLOWED_HOSTS = ["127.0.0.1"]
USE_TZ = True
INSTALLED_APPS = ["soak.probe.Probe", "daphne", "channels", "django_fcs"]
ROOT_URLCONF = "benchmarks.peers.urls"
ASGI_APPLICATION = "django_fcs.asgi.application"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [_REDIS]},
    },
}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": _REDIS,
    },
}

FCS_API_KEY = "a-key-of-the-soak"
FCS_URL = os.environ["SOAK_VENDOR"]
FCS_ALLOWED_SYMBOLS = ["BINANCE:*"]
FCS_ROOMS = os.environ["SOAK_ROOMS"].split(",")
# Short enough for a stalled browser to be closed within its stall.
FCS_SLOW_CLIENT_SECONDS = 15

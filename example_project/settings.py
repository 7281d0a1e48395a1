"""Settings of the example: no database, no accounts, only prices.

Environment variables change them: ``DJANGO_DEBUG``, every ``FCS_*`` setting by its own name,
and ``FCS_REDIS_URL``, which moves the channel layer to Redis, and the cache into another database.
"""

from __future__ import annotations

import os
from typing import Any

from example_project.environment import cache_beside, fcs_settings
from example_project.look import LANGUAGE

DEBUG = os.environ.get("DJANGO_DEBUG", "1") == "1"
# The example has no accounts: this key signs only the symbols that its pages show.
SECRET_KEY = "the example project keeps no secrets"
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]

INSTALLED_APPS = [
    "daphne",
    "example_project",
    "channels",
    "django_fcs",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "example_project.middleware.content_security_policy",
    "example_project.look.look",
]
ROOT_URLCONF = "example_project.urls"
ASGI_APPLICATION = "example_project.asgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "example_project.context.site",
            ],
        },
    },
]

LANGUAGES = [(choice.value, choice.text) for choice in LANGUAGE.choices]
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"

REDIS_URL = os.environ.get("FCS_REDIS_URL", "")
CHANNEL_LAYERS: dict[str, Any]
if REDIS_URL:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [REDIS_URL]},
        },
    }
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": cache_beside(REDIS_URL),
        },
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

# The vendor's public demo key.
FCS_API_KEY = "fcs_socket_demo"
FCS_ALLOWED_SYMBOLS = ["FX:*", "BINANCE:*", "NASDAQ:*"]
FCS_NAMES = {
    "NASDAQ:AAPL": "Apple",
    "NASDAQ:GOOGL": "Alphabet",
    "NASDAQ:MSFT": "Microsoft",
    "NASDAQ:TSLA": "Tesla",
}
globals().update(fcs_settings(os.environ))

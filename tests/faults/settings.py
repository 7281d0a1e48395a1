"""A site whose ways to Redis can be hurt one by one."""

from __future__ import annotations

import os

from tests.e2e.settings import *  # noqa: F403

_BACKENDS = {
    "pubsub": "channels_redis.pubsub.RedisPubSubChannelLayer",
    "core": "channels_redis.core.RedisChannelLayer",
}
_REDIS = os.environ.get("FCS_REDIS_URL", "")
# Of the core layer; what the other one does not know.
_LIMITS = {
    name: int(os.environ[variable])
    for name, variable in {"capacity": "FAULTS_CAPACITY", "group_expiry": "FAULTS_EXPIRY"}.items()
    if variable in os.environ
}

if _REDIS:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": _BACKENDS[os.environ.get("FAULTS_LAYER", "pubsub")],
            "CONFIG": {"hosts": [_REDIS], **_LIMITS},
        }
    }
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": os.environ.get("FAULTS_CACHE_URL", _REDIS),
        }
    }

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["stderr"], "level": "DEBUG"},
}

"""A site whose settings are checked, as manage.py does it."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, run_checks
from django.test import override_settings

PUBSUB = "channels_redis.pubsub.RedisPubSubChannelLayer"
MANY = {"default": {"BACKEND": PUBSUB}}
SHARED_CACHE = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://r/8"}
}


def found(**settings: Any) -> list[CheckMessage]:
    """Run the checks as ``manage.py check`` does, so that registering them counts too."""
    with override_settings(**settings):
        return run_checks(tags=["django_fcs"])


def found_in_deployment(**settings: Any) -> list[CheckMessage]:
    """Run them as ``manage.py check --deploy`` does, on a site that many processes serve."""
    site = {"CHANNEL_LAYERS": MANY, "CACHES": SHARED_CACHE, **settings}
    with override_settings(**site):
        return run_checks(tags=["django_fcs"], include_deployment_checks=True)


def hint_of(message: CheckMessage) -> str:
    assert message.hint is not None
    return message.hint

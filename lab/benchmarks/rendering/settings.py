"""Settings of a site with many processes and a shared cache; nothing connects to its Redis."""

from __future__ import annotations

__all__: list[str] = []

SECRET_KEY = "a laboratory keeps no secrets"
INSTALLED_APPS = ["daphne", "channels", "django_fcs"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
STATIC_URL = "/static/"
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": ["redis://127.0.0.1:9"]},
    }
}
CACHES = {"default": {"BACKEND": "lab.benchmarks.rendering.counted.CountedCache"}}
USE_TZ = True

FCS_API_KEY = "fcs_socket_demo"

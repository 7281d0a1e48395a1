"""A site in one process: in-memory layer, local-memory cache, no database."""

from __future__ import annotations

SECRET_KEY = "tests"
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
INSTALLED_APPS = ["daphne", "channels", "django_fcs", "django.contrib.staticfiles"]
ASGI_APPLICATION = "django_fcs.asgi.application"
ROOT_URLCONF = "tests.urls"
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
STATIC_URL = "/static/"
USE_TZ = True
LANGUAGE_CODE = "en"
FCS_API_KEY = "a-key-of-the-tests"
FCS_URL = "ws://127.0.0.1:9"

"""Candles, and health and metrics for operators: ``path("fcs/", include("django_fcs.urls"))``."""

from __future__ import annotations

from django.urls import path

from .views import candles, health, metrics

__all__ = ["app_name", "urlpatterns"]

app_name = "django_fcs"
urlpatterns = [
    path("candles/", candles, name="candles"),
    path("health/", health, name="health"),
    path("metrics/", metrics, name="metrics"),
]

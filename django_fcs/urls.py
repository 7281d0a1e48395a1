"""``path("fcs/", include("django_fcs.urls"))``: candles, charts as images, health and metrics."""

from __future__ import annotations

from django.urls import path

from .views import candles, chart, health, metrics

__all__ = ["app_name", "urlpatterns"]

app_name = "django_fcs"
urlpatterns = [
    path("candles/", candles, name="candles"),
    path("chart.png", chart, {"format": "png"}, name="chart_png"),
    path("chart.svg", chart, {"format": "svg"}, name="chart_svg"),
    path("health/", health, name="health"),
    path("metrics/", metrics, name="metrics"),
]

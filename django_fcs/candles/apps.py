"""The optional app that keeps candles in the site's database."""

from __future__ import annotations

from django.apps import AppConfig

__all__ = ["CandlesConfig"]


class CandlesConfig(AppConfig):
    """Candles of the FCS API in the site's database."""

    name = "django_fcs.candles"
    label = "fcs_candles"
    verbose_name = "FCS candles"
    default_auto_field = "django.db.models.BigAutoField"

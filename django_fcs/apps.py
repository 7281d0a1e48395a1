"""The Django app; loading it starts nothing."""

from __future__ import annotations

from django.apps import AppConfig

__all__ = ["FCSConfig"]


class FCSConfig(AppConfig):
    """Live market prices of the FCS API."""

    name = "django_fcs"
    verbose_name = "FCS live prices"

    def ready(self) -> None:
        """Register the system checks, and keep API keys in URLs out of server logs."""
        from . import checks  # noqa: F401
        from .tools import redaction

        redaction.install()

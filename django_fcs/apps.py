"""The Django app; loading it starts nothing."""

from __future__ import annotations

import sys

from django.apps import AppConfig

__all__ = ["FCSConfig"]


class FCSConfig(AppConfig):
    """Live market prices of the FCS API."""

    name = "django_fcs"
    verbose_name = "FCS live prices"

    def ready(self) -> None:
        """Register the system checks, and keep API keys in URLs out of server logs.

        From here on, a signal ends a starting ``fcs_stream`` with success.
        """
        from .management.early import end_on_signals

        end_on_signals(sys.argv)
        from . import checks  # noqa: F401
        from .tools import redaction

        redaction.install()

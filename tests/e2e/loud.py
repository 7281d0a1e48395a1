"""The same site with everything logged that anybody logs."""

from __future__ import annotations

from tests.e2e.settings import *  # noqa: F403

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"long": {"format": "{levelname} {name} {message}", "style": "{"}},
    "handlers": {"all": {"class": "logging.StreamHandler", "formatter": "long"}},
    "root": {"level": "DEBUG", "handlers": ["all"]},
    "loggers": {"django": {"level": "DEBUG"}},
}

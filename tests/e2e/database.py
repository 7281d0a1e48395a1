"""The site of these tests with a database, in which it keeps candles."""

from __future__ import annotations

import os

from tests.e2e.settings import *  # noqa: F403

INSTALLED_APPS += ["django_fcs.candles"]  # noqa: F405
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["E2E_DATABASE"],
    }
}
FCS_SAVE_CANDLES = ["FX:*"]

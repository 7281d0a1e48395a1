"""The example project with pages and a consumer that only these tests need."""

from __future__ import annotations

import os

from example_project.settings import *  # noqa: F403

ROOT_URLCONF = "tests.e2e.pages"
ASGI_APPLICATION = "tests.e2e.asgi.application"

if "E2E_LAYER" in os.environ:
    CHANNEL_LAYERS["default"]["BACKEND"] = os.environ["E2E_LAYER"]  # noqa: F405

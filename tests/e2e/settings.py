"""The example project with pages and a consumer that only these tests need."""

from __future__ import annotations

import os
import sys

from example_project.settings import *  # noqa: F403

ROOT_URLCONF = "tests.e2e.pages"
ASGI_APPLICATION = "tests.e2e.asgi.application"

if "runserver" not in sys.argv:
    # Its app is for runserver alone. To import it takes half of the time that a command needs to
    # start, and these tests start hundreds.
    INSTALLED_APPS.remove("daphne")  # noqa: F405

if "FCS_MAX_SOCKETS_PER_IP" not in os.environ:
    FCS_MAX_SOCKETS_PER_IP = 0  # All browsers come from this machine.

if "E2E_LAYER" in os.environ:
    CHANNEL_LAYERS["default"]["BACKEND"] = os.environ["E2E_LAYER"]  # noqa: F405

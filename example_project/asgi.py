"""The ASGI application, for any server: pages, sockets and, in front of both, static files."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")

from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler

from django_fcs.asgi import application as site

__all__ = ["application"]

application = ASGIStaticFilesHandler(site)

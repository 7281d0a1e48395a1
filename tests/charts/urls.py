"""A site that serves charts as images."""

from __future__ import annotations

from django.urls import include, path

__all__ = ["urlpatterns"]

urlpatterns = [path("fcs/", include("django_fcs.urls"))]

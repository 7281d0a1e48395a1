"""URLs of a site of the lab: no pages, it has only its socket."""

from __future__ import annotations

from typing import Any

__all__ = ["urlpatterns"]

urlpatterns: list[Any] = []

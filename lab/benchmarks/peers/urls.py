"""No pages: only the socket is measured."""

from __future__ import annotations

from typing import Any

__all__ = ["urlpatterns"]

urlpatterns: list[Any] = []

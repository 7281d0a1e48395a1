"""How the example's pages look: all of them in a browser, and pictures for the documents."""

from __future__ import annotations

__all__: list[str] = []

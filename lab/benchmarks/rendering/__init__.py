"""What a page with many separate widgets costs the server, with all prices known."""

from __future__ import annotations

__all__: list[str] = []
